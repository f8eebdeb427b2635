"""From a token to an identity, with what it takes in memory."""

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import httpx2

from .clock import SYSTEM_CLOCK, Clock
from .identity import Identity
from .remote.fetch import Fetcher
from .remote.provider import Provider
from .remote.userinfo import Userinfo
from .tokens.access_token import AccessToken, AnyAudience, verify_access_token
from .tokens.jwk import VerificationKey
from .tokens.jws import parse_compact

Http = httpx2.AsyncClient | httpx2.AsyncBaseTransport
DEFAULT_LEEWAY = timedelta(seconds=30)
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class _Verified:
    token: AccessToken
    identity: Identity


class VerifiedTokens:
    """Tokens that were verified before, by the SHA-256 of their text. Only successes are kept."""

    def __init__(self) -> None:
        self._kept: dict[bytes, _Verified] = {}

    def find(self, digest: bytes) -> _Verified | None:
        """The verified token, which becomes the last to be dropped."""
        found = self._kept.pop(digest, None)
        if found is not None:
            self._kept[digest] = found
        return found

    def keep(self, digest: bytes, verified: _Verified) -> None:
        """Keep it, dropping the one that was not used for longest."""
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[digest] = verified

    def drop(self, keys: frozenset[VerificationKey]) -> None:
        """Forget what was verified with keys that the issuer has withdrawn."""
        self._kept = {digest: each for digest, each in self._kept.items() if each.token.key not in keys}


def check_expected_audience(audience: str | Iterable[str] | AnyAudience | None) -> frozenset[str] | AnyAudience:
    """Return the audiences as a set, or raise ValueError with one line."""
    if isinstance(audience, AnyAudience):
        return audience
    names = frozenset([audience] if isinstance(audience, str) else audience or ())
    if not names or not all(names):
        raise ValueError("audience is missing: pass this API's identifier, or ANY to accept tokens meant for others")
    return names


class Verifier:
    """Verifies access tokens of one issuer for one audience.

    Args:
        issuer: the issuer's URL, compared byte by byte; its metadata and keys are discovered from it.
        audience: this API's identifier, several of them, or ANY.
        leeway: by how much clocks may differ.
        allow_untyped: see `verify_access_token`.
        http: a client or transport to reach the provider with; by default a client of its own.
        clock: where the time comes from.

    Raises:
        ValueError: a wrong argument, told in one line.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str | Iterable[str] | AnyAudience,
        leeway: timedelta = DEFAULT_LEEWAY,
        allow_untyped: bool = False,
        http: Http | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._audience = check_expected_audience(audience)
        self._leeway = leeway
        self._allow_untyped = allow_untyped
        self._clock = clock
        self._verified = VerifiedTokens()
        self.provider = Provider(issuer, Fetcher(http), clock, on_withdrawn=self._verified.drop)
        self.profiles = Userinfo(self.provider, clock)

    async def verify(self, token: str) -> Identity:
        """The identity behind a token.

        Raises:
            Refused: the token is not good here; `reason` says why.
            Unavailable: the issuer's keys cannot be had, so there is no verdict.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._verified.find(digest)
        if known is not None and self.provider.keyset.is_current():
            known.token.check_times(self._clock.now(), self._leeway)
            return known.identity
        compact = parse_compact(token)
        keys = await self.provider.keyset.find(compact.header.kid)
        verified = verify_access_token(
            compact,
            keys,
            expected_issuer=self.provider.issuer,
            expected_audience=self._audience,
            now=self._clock.now(),
            leeway=self._leeway,
            allow_untyped=self._allow_untyped,
        )
        identity = self._identity(verified, token)
        self._verified.keep(digest, _Verified(verified, identity))
        return identity

    def _identity(self, verified: AccessToken, token: str) -> Identity:
        return Identity(
            subject=verified.subject,
            client_id=verified.client_id,
            scopes=verified.scopes,
            roles=verified.roles,
            groups=verified.groups,
            permissions=verified.permissions,
            claims=verified.claims,
            access_token=token,
            _fetch_userinfo=functools.partial(
                self.profiles.get, token, expected_subject=verified.subject, expires_at=verified.expires_at
            ),
        )

    async def aclose(self) -> None:
        """Close the connections to the provider that this event loop holds."""
        await self.provider.fetcher.aclose()
