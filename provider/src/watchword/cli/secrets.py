"""`watchword clients rotate-secret`: a new secret for a client, while the one before it still works."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import uuid4

import typer

from watchword.cli.running import OPERATOR, answer, fail, with_services
from watchword.client_registration import keeps_secret, new_secret
from watchword.database import Transaction, client_secrets, clients
from watchword.events import record
from watchword.events.catalogue.clients import ClientSecretRotated
from watchword.protocol.digests import fingerprint
from watchword.services import Services

_DAY = 86_400
_LONGEST_OVERLAP = 30 * _DAY


def rotate_secret(
    client_id: str,
    overlap: Annotated[
        int, typer.Option(min=0, max=_LONGEST_OVERLAP, help="Seconds that the secret before it still works.")
    ] = _DAY,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Give a client a new secret, printed this once. Workers know of it, and of `--overlap 0`, within five seconds."""
    secret, lasting = new_secret(), timedelta(seconds=overlap)

    async def work(services: Services) -> dict[str, Any]:
        client = await clients.find(services.database, client_id)
        if client is None:
            fail(f"no client {client_id}")
        if not keeps_secret(client):
            fail(f"{client_id} has no secret: it authenticates by {client.token_endpoint_auth_method}")

        async def rotate(transaction: Transaction) -> bool:
            hash_ = fingerprint(secret)
            rotated = await client_secrets.rotate(transaction, uuid4(), client_id, secret_hash=hash_, overlap=lasting)
            if rotated:
                await record(transaction, ClientSecretRotated(client_id=client_id, overlap=overlap), OPERATOR)
            return rotated

        if not await services.database.transaction(rotate):
            fail(f"no client {client_id}")
        ends = services.clock.now() + lasting
        return {"client_id": client_id, "client_secret": secret, "previous_expires_at": ends.isoformat()}

    answer(with_services(work), as_json=as_json)
