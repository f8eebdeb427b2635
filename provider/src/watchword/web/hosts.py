"""By which names the provider may be asked (RFC 9110 section 7.2).

Every absolute URL it writes begins with the issuer, whatever a request says of itself; a request by another name comes
from a rebound name, a wrong proxy or somebody who tries. The target's own authority, `X-Forwarded-Host` and `Forwarded`
are never read.
"""

from urllib.parse import urlsplit

from watchword.settings import Settings
from watchword.web.wire import Fields

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Hosts:
    """The values of `Host` that name this provider: the issuer's authority; in development this machine's names too."""

    __slots__ = ("_known",)

    def __init__(self, settings: Settings) -> None:
        issuer = urlsplit(settings.issuer)
        name = issuer.netloc.removesuffix(f":{issuer.port}") if issuer.port else issuer.netloc
        names = {name, *_LOOPBACK} if settings.development else {name}
        default = _DEFAULT_PORTS[issuer.scheme]
        port = issuer.port or default
        known = {f"{name}:{port}" for name in names} | (names if port == default else set())
        self._known = frozenset(known)

    def know(self, fields: Fields) -> bool:
        """Say whether a request names this provider, once."""
        found = fields.getlist("host")
        return len(found) == 1 and (found[0] in self._known or found[0].lower() in self._known)
