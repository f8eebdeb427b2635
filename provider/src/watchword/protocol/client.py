"""A registered client, and whether a redirect URI is one of its own."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from watchword.protocol.digests import fingerprint
from watchword.protocol.vocabulary import OPENID_SCOPES, AuthenticationMethod, SigningAlgorithm, SubjectType

_LOOPBACK_LITERAL = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[1-9][0-9]{0,4})?")


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A secret's SHA-256. We made the secret from 256 random bits, so a plain hash is enough."""

    hash: bytes
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """What is registered about a piece of software (RFC 7591 section 2), under the names of the metadata.

    `first_party` skips consent. `self_registered`: a stranger wrote all of this, through open registration. `jwks` and
    `jwks_uri` hold the keys of a client that authenticates by `private_key_jwt`.
    """

    id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: frozenset[str] = frozenset({"authorization_code"})
    response_types: frozenset[str] = frozenset({"code"})
    token_endpoint_auth_method: AuthenticationMethod = "client_secret_basic"  # noqa: S105 - a name, no password
    scopes: frozenset[str] = OPENID_SCOPES
    application_type: str = "web"
    first_party: bool = False
    pkce_required: bool = True
    id_token_signed_response_alg: SigningAlgorithm = "RS256"  # noqa: S105 - a name, no password
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_resource: str | None = None
    logo_uri: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    jwks: Mapping[str, Any] | None = field(default=None, repr=False)
    jwks_uri: str | None = None
    token_endpoint_auth_signing_alg: SigningAlgorithm | None = None
    userinfo_signed_response_alg: SigningAlgorithm | None = None
    subject_type: SubjectType = "public"
    sector_identifier_uri: str | None = None
    default_acr_values: tuple[str, ...] = ()
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    self_registered: bool = False
    secrets: tuple[ClientSecret, ...] = ()

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method == "none"  # noqa: S105 - a name, no password

    def owns_redirect_uri(self, redirect_uri: str) -> bool:
        """Say whether `redirect_uri` is registered, byte for byte.

        The one exception is the port of a literal loopback address (RFC 8252 section 7.3, RFC 9700 section 2.1).
        """
        if redirect_uri in self.redirect_uris:
            return True
        portless = _without_loopback_port(redirect_uri)
        return portless is not None and any(portless == _without_loopback_port(own) for own in self.redirect_uris)

    def owns_secret(self, secret: str, now: datetime) -> bool:
        """Say whether `secret` is one of its live secrets, in constant time."""
        digest = fingerprint(secret)
        found = False
        for own in self.secrets:
            alive = own.expires_at is None or now < own.expires_at
            found |= hmac.compare_digest(own.hash, digest) and alive
        return found


def _without_loopback_port(uri: str) -> str | None:
    """Return the URI without its port when it is plain http on a literal loopback address, else None."""
    match = _LOOPBACK_LITERAL.match(uri)
    return None if match is None else match[1] + uri[match.end() :]
