"""Fresh access tokens for sessions, without a person noticing."""

import hashlib
import logging
from dataclasses import replace
from datetime import timedelta

from ..clock import Clock
from ..errors import Reason, Refused, Unavailable
from ..remote.flight import SingleFlight
from ..remote.token_endpoint import TokenEndpoint, TokenRequestRefused, TokenResponse
from ..tokens.id_token import IdToken, verify_id_token
from ..tokens.jws import parse_compact
from .sessions import Session, Sessions

logger = logging.getLogger("watchword_asgi")

_EARLY = timedelta(seconds=10)  # before the access token expires, so that it survives the call it is meant for
_REUSED_SECONDS = 30.0  # for requests of the same moment, which still carry the cookie from before
_PAUSE_SECONDS = 5.0  # after an outage
_MOST_KEPT = 1024


class Renewal:
    """Redeems refresh tokens: one at a time per session, and those who come second take the first one's result."""

    def __init__(
        self, endpoint: TokenEndpoint, sessions: Sessions, clock: Clock, *, leeway: timedelta, resource: str | None
    ) -> None:
        self._endpoint = endpoint
        self._sessions = sessions
        self._clock = clock
        self._leeway = leeway
        self._resource = resource
        self._flight: SingleFlight[Session | None] = SingleFlight()
        self._kept: dict[bytes, tuple[Session | None, float]] = {}

    async def renew_if_due(self, session: Session) -> Session | None:
        """The session with a live access token where there can be one; None when the provider has ended it.

        While the provider does not answer, the session stays as it is.
        """
        if session.refresh_token is None or self._clock.now() < session.access_expires_at - _EARLY:
            return session
        key = hashlib.sha256(f"{session.id} {session.refresh_token}".encode()).digest()
        kept, until = self._kept.get(key, (None, 0.0))
        if self._clock.monotonic() < until:
            return kept

        async def renew() -> Session | None:
            return await self._renew(session, key)

        return await self._flight.run(key, renew)

    async def _renew(self, session: Session, key: bytes) -> Session | None:
        try:
            renewed = await self._renew_alone(session)
        except Unavailable as unavailable:
            logger.warning("a session could not be refreshed: %s", unavailable.detail)
            self._keep(key, session, _PAUSE_SECONDS)
            return session
        self._keep(key, renewed, _REUSED_SECONDS)
        return renewed

    def _keep(self, key: bytes, session: Session | None, seconds: float) -> None:
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (session, self._clock.monotonic() + seconds)

    async def _renew_alone(self, session: Session) -> Session | None:
        store = self._sessions.store
        if store is None:
            return await self._redeem(session)
        async with store.lock(session.id):
            latest = await self._sessions.read_store(session.id)
            if latest is None or latest.refresh_token != session.refresh_token:
                return latest  # another process was first
            renewed = await self._redeem(session)
            if renewed is not None:
                await self._sessions.write(renewed, {})
            return renewed

    async def _redeem(self, session: Session) -> Session | None:
        try:
            response = await self._endpoint.redeem_refresh_token(session.refresh_token or "", resource=self._resource)
        except TokenRequestRefused as refused:
            if refused.error == "invalid_grant":
                return None
            raise Unavailable(_PAUSE_SECONDS, f"the token endpoint answers {refused.error}") from None
        try:
            id_token = await self._verify(response, session)
        except Refused:
            return None  # the provider speaks of somebody else now
        return replace(
            session,
            id_token=id_token,
            scopes=session.scopes if response.scopes is None else response.scopes,
            access_token=response.access_token,
            access_expires_at=response.expires_at,
            refresh_token=response.refresh_token or session.refresh_token,
        )

    async def _verify(self, response: TokenResponse, session: Session) -> IdToken:
        # OpenID Connect Core 1.0 section 12.2: same issuer, same subject; a nonce is not repeated.
        if response.id_token is None:
            return session.id_token
        provider = self._endpoint.provider
        try:
            keys = await provider.keyset.find(parse_compact(response.id_token).header.kid)
        except Unavailable:
            return session.id_token
        id_token = verify_id_token(
            response.id_token,
            keys,
            expected_issuer=provider.issuer,
            expected_client_id=self._endpoint.client_id,
            expected_nonce=None,
            access_token=response.access_token,
            now=self._clock.now(),
            leeway=self._leeway,
        )
        if id_token.subject != session.id_token.subject:
            raise Refused(Reason.WRONG_SUBJECT)
        return id_token
