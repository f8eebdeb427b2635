"""Discovery (OpenID Connect Discovery section 4, RFC 8414): generated from the tables that route and decide."""

from collections.abc import Iterable

import orjson

from watchword import endpoints
from watchword.grant_types import GRANT_TYPES
from watchword.login.methods import acr_values
from watchword.protocol.metadata import provider_metadata
from watchword.protocol.resource import Resources
from watchword.protocol.vocabulary import SCOPE_CLAIMS
from watchword.services import Services
from watchword.web.answers import PublicDocument, public_document
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

_DOCUMENTS = ("service_documentation", "op_policy_uri", "op_tos_uri")


class Discovery:
    """The document and what it was last written from: it is written anew when that changed."""

    def __init__(self) -> None:
        self._written: tuple[Services, Resources, PublicDocument] | None = None

    async def answer(self, exchange: Exchange) -> Answer:
        """Answer the metadata. At most one statement in five seconds, for the registered resources; no signature."""
        services = exchange.services
        resources = await services.registry.resources()
        if self._written is None or self._written[0] is not services or self._written[1] is not resources:
            document = public_document(metadata_document(services, resources, exchange.locales))
            self._written = (services, resources, document)
        return self._written[2].answer(exchange)


def metadata_document(services: Services, resources: Resources, locales: Iterable[str]) -> bytes:
    """Write the document."""
    settings = services.settings
    closed = {"registration_endpoint"} if settings.registration == "off" else set()
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
            acr_values=acr_values(services),
            documents={member: getattr(settings, member) for member in _DOCUMENTS},
        )
    )
