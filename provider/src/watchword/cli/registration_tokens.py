"""`watchword registration-tokens`: who may register clients over HTTP, and what those may be."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer

from watchword.cli.running import OPERATOR, answer, fail, with_services, with_transaction
from watchword.client_registration import new_secret
from watchword.database import Transaction, initial_access_tokens
from watchword.database.initial_access_tokens import InitialAccessToken
from watchword.events import record
from watchword.events.catalogue.clients import RegistrationAllowed, RegistrationWithdrawn
from watchword.protocol.digests import fingerprint
from watchword.protocol.registration import parse_policy
from watchword.services import Services

command = typer.Typer(help="Initial access tokens, by which clients register over HTTP.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

_A_YEAR = 365 * 86_400


@command.command()
def add(
    uses: Annotated[int, typer.Option(min=1, max=10_000, help="How many clients may be registered with it.")] = 1,
    lifetime: Annotated[int, typer.Option(min=60, max=_A_YEAR, help="Seconds until it expires.")] = 86_400,
    scope: Annotated[
        list[str] | None, typer.Option(help="Scope its clients may ask for; repeatable. OpenID's by default.")
    ] = None,
    redirect_host: Annotated[
        list[str] | None, typer.Option(help="Host their redirect URIs may have; repeatable. Any by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token; it is printed this once."""
    try:
        policy = parse_policy(scope or (), redirect_host or ())
    except ValueError as refused:
        fail(str(refused))
    token, token_id = new_secret(), uuid4()

    async def work(transaction: Transaction) -> None:
        await initial_access_tokens.add(
            transaction,
            token_id,
            token_hash=fingerprint(token),
            policy=policy,
            uses=uses,
            lifetime=timedelta(seconds=lifetime),
        )
        event = RegistrationAllowed(registration=str(token_id), uses=uses, scope=" ".join(sorted(policy.scopes)))
        await record(transaction, event, OPERATOR)

    with_transaction(work)
    answer({"id": str(token_id), "initial_access_token": token}, as_json=as_json)


@command.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the tokens that can be used, the next to expire first."""

    async def work(services: Services) -> list[dict[str, Any]]:
        return [_shown(token) for token in await initial_access_tokens.list_live(services.database)]

    answer(with_services(work), as_json=as_json)


@command.command()
def remove(token_id: Annotated[str, typer.Argument(help="Id of the token, as `list` shows it.")]) -> None:
    """Remove a token; the clients that were registered with it stay."""
    try:
        known = UUID(token_id)
    except ValueError:
        fail("no such token")

    async def work(transaction: Transaction) -> bool:
        removed = await initial_access_tokens.remove(transaction, known)
        if removed:
            await record(transaction, RegistrationWithdrawn(registration=str(known)), OPERATOR)
        return removed

    if not with_transaction(work):
        fail("no such token")
    typer.echo(f"Removed {known}.")


def _shown(token: InitialAccessToken) -> dict[str, Any]:
    return {
        "id": str(token.id),
        "uses_left": token.uses_left,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "scopes": sorted(token.policy.scopes),
        "redirect_hosts": sorted(token.policy.redirect_hosts),
    }
