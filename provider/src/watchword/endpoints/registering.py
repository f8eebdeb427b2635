"""What registering a client and managing it share: the answer, and the bound on both."""

import math
from datetime import datetime
from typing import Any, Final

from watchword.ephemeral import Charge
from watchword.login.limits import at_most
from watchword.login.networks import networks_of
from watchword.login.tags import rate_key
from watchword.protocol.client import Client
from watchword.protocol.errors import TooManyRequests
from watchword.protocol.registration import client_metadata
from watchword.services import Services
from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

REGISTERED: Final = "/register/"
"""The path below which each client has its registration."""
_OURS: Final = frozenset({"pkce_required", "default_resource"})  # our policy for a client, no metadata of its own


def registration_answer(
    services: Services,
    client: Client,
    *,
    secret: str | None,
    management_token: str,
    issued_at: datetime,
    status: int = 200,
) -> Answer:
    """Write what a client learns of its registration (RFC 7591 section 3.2.1, RFC 7592 section 3)."""
    answer: dict[str, Any] = {
        "client_id": client.id,
        "client_id_issued_at": int(issued_at.timestamp()),
        "registration_client_uri": f"{services.issuer}{REGISTERED}{client.id}",
        "registration_access_token": management_token,
    }
    if secret is not None:
        answer |= {"client_secret": secret, "client_secret_expires_at": 0}
    metadata = {name: value for name, value in client_metadata(client).items() if name not in _OURS}
    return json_answer({**answer, **metadata}, status=status)


async def charge_network(exchange: Exchange) -> None:
    """Count a registration, or an update that has us fetch something, against the caller's network.

    One step of the ephemeral store.

    Raises:
        TooManyRequests: there were as many as the network may have.
    """
    services, settings = exchange.services, exchange.services.settings
    if settings.test_limits == "off":
        return
    charges = [
        Charge(
            at_most("registrations_per_network", settings.registrations_per_network, share=share),
            rate_key(services, "register", "network", network),
        )
        for network, share in networks_of(exchange.address)
    ]
    refusal = await services.ephemeral.charge(charges)
    if refusal is not None:
        seconds = max(math.ceil(refusal.retry_after.total_seconds()), 1)
        raise TooManyRequests("Too many clients were registered from this network. Wait.", retry_after=seconds)
