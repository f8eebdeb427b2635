"""Redeeming codes and refresh tokens at the provider (RFC 6749 sections 4.1.3 and 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..clock import Clock
from ..errors import Unavailable
from .fetch import FetchFailed, basic_credentials
from .provider import Provider

_DEFAULT_LIFETIME = 300  # seconds, where the provider does not say
_LONGEST_LIFETIME = 7 * 86400


class TokenRequestRefused(Exception):
    """The token endpoint said no. `error` is its code, as far as it is a registered one."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """Tokens as they were issued.

    Attributes:
        scopes: what was granted; None when the provider granted exactly what was asked for.
        expires_at: the end of the access token's life, aware UTC.
    """

    access_token: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str] | None
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)


def parse_token_response(members: Mapping[str, Any], *, now: datetime) -> TokenResponse:
    """Read a successful answer (RFC 6749 section 5.1). Raises FetchFailed when it is not one, or not of bearer type."""
    access_token = members.get("access_token")
    texts = {name: members.get(name) for name in ("refresh_token", "id_token", "scope")}
    if not isinstance(access_token, str) or not access_token.isascii() or not access_token:
        raise FetchFailed("the token response has no access token")
    if str(members.get("token_type")).lower() != "bearer":
        raise FetchFailed("the token response is not of type Bearer")
    if not all(text is None or (isinstance(text, str) and text.isascii()) for text in texts.values()):
        raise FetchFailed("the token response has a member of the wrong type")
    seconds = members.get("expires_in", _DEFAULT_LIFETIME)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise FetchFailed("the token response has a wrong expires_in")
    scope = texts["scope"]
    return TokenResponse(
        access_token=access_token,
        expires_at=now + timedelta(seconds=min(seconds, _LONGEST_LIFETIME)),
        scopes=None if scope is None else frozenset(scope.split()),
        refresh_token=texts["refresh_token"],
        id_token=texts["id_token"],
    )


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """The provider's token endpoint, asked as one client.

    A secret goes as client_secret_basic, or as client_secret_post where the provider takes no other.
    """

    provider: Provider
    clock: Clock
    client_id: str
    client_secret: str | None = field(repr=False)

    async def redeem_authorization_code(
        self, code: str, *, redirect_uri: str, code_verifier: str, resource: str | None
    ) -> TokenResponse:
        """Exchange an authorization code. Raises TokenRequestRefused or Unavailable."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        if resource is not None:
            fields["resource"] = resource
        return await self._request(fields)

    async def redeem_refresh_token(self, refresh_token: str, *, resource: str | None) -> TokenResponse:
        """Exchange a refresh token. Raises TokenRequestRefused or Unavailable."""
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        if resource is not None:
            fields["resource"] = resource
        return await self._request(fields)

    async def _request(self, fields: dict[str, str]) -> TokenResponse:
        address = await self.provider.endpoint("token_endpoint")
        authorization = None
        if self.client_secret is None:
            fields["client_id"] = self.client_id
        elif (await self.provider.metadata()).secret_in_form:
            fields |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            authorization = basic_credentials(self.client_id, self.client_secret)
        try:
            fetched = await self.provider.fetcher.post_form(address, fields, authorization=authorization)
            if fetched.status in (400, 401):
                error = fetched.json().get("error")
                raise TokenRequestRefused(error if isinstance(error, str) and error.isidentifier() else "unknown_error")
            return parse_token_response(fetched.require_success(), now=self.clock.now())
        except FetchFailed as error:
            raise Unavailable(1, str(error)) from None
