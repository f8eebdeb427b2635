"""Claims from the userinfo endpoint, remembered per token (OpenID Connect Core 1.0 section 5.3)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from ..clock import Clock
from ..errors import Reason, Refused, Unavailable
from .fetch import FetchFailed
from .flight import SingleFlight
from .provider import Provider

_KEPT_SECONDS = 300.0
_MOST_KEPT = 1024
_REFUSALS = {401: Reason.REVOKED, 403: Reason.INSUFFICIENT_SCOPE}

Claims = Mapping[str, Any]


class Userinfo:
    """Asks the userinfo endpoint once per token and five minutes, however many ask here.

    Signed or encrypted answers (`application/jwt`) are not understood; the plain JSON form is asked for.
    """

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._flight: SingleFlight[Claims] = SingleFlight()
        self._kept: dict[bytes, tuple[Claims, float]] = {}

    async def get(self, token: str, *, expected_subject: str, expires_at: datetime) -> Claims:
        """The claims about the token's subject.

        Raises:
            Refused: the endpoint does not take the token, the token has expired, or the answer names another subject.
            Unavailable: the endpoint gives no usable answer.
        """
        if self._clock.now() >= expires_at:
            raise Refused(Reason.EXPIRED)
        key = hashlib.sha256(token.encode("ascii")).digest()
        claims, until = self._kept.get(key, (None, 0.0))
        if claims is not None and self._clock.monotonic() < until:
            return claims

        async def fetch() -> Claims:
            claims = await self._fetch(token, expected_subject)
            lifetime = (expires_at - self._clock.now()).total_seconds()
            self._keep(key, claims, min(_KEPT_SECONDS, lifetime))
            return claims

        return await self._flight.run(key, fetch)

    def _keep(self, key: bytes, claims: Claims, seconds: float) -> None:
        self._kept.pop(key, None)
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (claims, self._clock.monotonic() + seconds)

    async def _fetch(self, token: str, expected_subject: str) -> Claims:
        address = await self._provider.endpoint("userinfo_endpoint")
        try:
            fetched = await self._provider.fetcher.get(address, bearer=token)
            refusal = _REFUSALS.get(fetched.status)
            if refusal is not None:
                raise Refused(refusal)
            claims = fetched.require_success()
        except FetchFailed as error:
            raise Unavailable(1, str(error)) from None
        # Core 5.3.2: an answer about somebody else must not be used.
        if claims.get("sub") != expected_subject:
            raise Refused(Reason.WRONG_SUBJECT)
        return MappingProxyType(claims)
