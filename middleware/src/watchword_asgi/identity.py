"""Who is asking."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """What a verified token or a signed-in browser says about the caller; the app finds it in `scope["watchword"]`.

    Attributes:
        subject: the stable identifier of the account at the issuer (`sub`).
        client_id: the software that asks on the account's behalf; None where the issuer does not say.
        scopes: what this request may do.
        roles, groups, permissions: names from the claims so called.
        claims: every claim of the token, read-only at the top level.
        access_token: to call other APIs with in the caller's name; None when a browser session has none.
    """

    subject: str
    client_id: str | None
    scopes: frozenset[str]
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    access_token: str | None = field(default=None, repr=False)
    _fetch_userinfo: Callable[[], Awaitable[Mapping[str, Any]]] | None = field(default=None, repr=False, compare=False)

    def has_scope(self, name: str) -> bool:
        """Whether the scope was granted."""
        return name in self.scopes

    async def userinfo(self) -> Mapping[str, Any]:
        """The account's claims from the provider's userinfo endpoint (OpenID Connect Core 1.0 section 5.3).

        Fetched once and kept for up to five minutes, never longer than the token lives; parallel calls share one fetch.

        Raises:
            Refused: the token no longer opens it, or the answer is about somebody else.
            Unavailable: the provider does not answer.
        """
        if self._fetch_userinfo is None:
            raise RuntimeError("this identity was not made by the middleware, so it has no provider to ask")
        return await self._fetch_userinfo()
