"""Discovery (OpenID Connect Discovery section 4, RFC 8414): generated from the tables that route and decide."""

from collections.abc import Iterable

import orjson
from starlette.responses import Response

from watchword import endpoints
from watchword.grant_types import GRANT_TYPES
from watchword.protocol.metadata import provider_metadata
from watchword.protocol.vocabulary import SCOPE_CLAIMS
from watchword.services import Services
from watchword.web.answers import public_document
from watchword.web.exchange import Exchange


async def discovery(exchange: Exchange) -> Response:
    """Answer the metadata. At most one statement in five seconds, for the registered resources; no signature."""
    return public_document(exchange, await metadata_document(exchange.services, exchange.locales))


async def metadata_document(services: Services, locales: Iterable[str]) -> bytes:
    """Write the document."""
    resources = await services.registry.resources()
    closed = {"registration_endpoint"} if services.settings.registration == "off" else set()
    members = {e.metadata: e.path for e in endpoints.ENDPOINTS if e.metadata and e.metadata not in closed}
    scopes = [*SCOPE_CLAIMS, *sorted({scope for resource in resources.values() for scope in resource.scopes})]
    return orjson.dumps(
        provider_metadata(
            issuer=services.issuer,
            endpoints=members,
            grant_types=GRANT_TYPES,
            scopes=scopes,
            resources=resources,
            locales=locales,
        )
    )
