"""What scripts of other origins may read (Fetch, section 3.2): never with credentials, never a look-alike origin."""

from collections.abc import Sequence

from watchword.database import StoreUnavailable
from watchword.services import Services
from watchword.web.endpoint import CrossOrigin, Endpoint
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer, Field, field

_ANYBODY = [field("access-control-allow-origin", "*")]
_VARY = field("vary", "Origin")
_EXPOSED = field("access-control-expose-headers", "WWW-Authenticate, Retry-After, X-Request-Id")
_PREFLIGHT = [
    field("access-control-allow-headers", "Authorization, Content-Type"),
    field("access-control-max-age", "600"),
]


async def cross_origin_fields(exchange: Exchange, endpoint: Endpoint) -> Sequence[Field]:
    """Return what an answer must say so that a script may read it.

    No statement where no `Origin` is sent; else at most one in five seconds.
    """
    if endpoint.cross_origin is CrossOrigin.NONE:
        return ()
    if endpoint.cross_origin is CrossOrigin.ANYBODY:
        return _ANYBODY
    origins = exchange.headers.getlist("origin")
    if len(origins) != 1 or not await _is_registered(exchange.services, origins[0]):
        return (_VARY,)
    return _VARY, field("access-control-allow-origin", origins[0]), _EXPOSED


async def preflight(exchange: Exchange, endpoint: Endpoint) -> Answer | None:
    """Answer a browser that asks before it sends; None where that is no such question or the answer is no."""
    wanted = exchange.headers.get("access-control-request-method")
    origin = exchange.headers.get("origin")
    if exchange.method != "OPTIONS" or wanted not in endpoint.methods or origin is None:
        return None
    if endpoint.cross_origin is CrossOrigin.NONE:
        return None
    if endpoint.cross_origin is CrossOrigin.REGISTERED and not await _is_registered(exchange.services, origin):
        return None
    return Answer(204, [field("access-control-allow-methods", ", ".join(sorted(endpoint.methods))), *_PREFLIGHT])


async def _is_registered(services: Services, origin: str) -> bool:
    """A store that does not answer allows nothing."""
    try:
        return origin in await services.registry.origins()
    except StoreUnavailable:
        return False
