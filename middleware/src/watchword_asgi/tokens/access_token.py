"""Access tokens: JWTs of the profile RFC 9068."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, cast

from ..errors import Reason, Refused
from .claims import check_times, parse_names, parse_time, require_audience, require_text, require_time
from .jwk import VerificationKey
from .jws import CompactToken, parse_compact, parse_token_json, verify_signature


class AnyAudience:
    """The type of ANY, which switches the audience check off where it stands in place of an audience."""

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = AnyAudience()
_TYPES = frozenset({"at+jwt", "application/at+jwt"})
# What tells other tokens apart where the issuer does not mark its access tokens with a type: ID tokens by the first
# three, logout and event tokens by `events`; Keycloak names the kind in a claim of its own.
_FOREIGN_CLAIMS = ("nonce", "at_hash", "c_hash", "events")
_FOREIGN_KINDS = frozenset({"id", "refresh", "offline", "logout"})


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A verified access token.

    Attributes:
        subject: the `sub` claim: the account, or the client itself.
        client_id: the client it was issued to; None only from issuers without typed tokens.
        scopes: what it allows.
        roles, groups, permissions: names from the claims so called, in their order.
        expires_at: the end of its life, aware UTC, without leeway.
        not_before: the later of `nbf` and `iat`, aware UTC.
        claims: all claims, read-only at the top level.
        key: the key that signed it.
    """

    subject: str
    client_id: str | None
    scopes: frozenset[str]
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    permissions: tuple[str, ...]
    not_before: datetime
    expires_at: datetime
    claims: Mapping[str, Any] = field(repr=False)
    key: VerificationKey = field(repr=False)

    def check_times(self, now: datetime, leeway: timedelta) -> None:
        """Raise Refused when the token has expired or is not valid yet."""
        check_times(now, leeway, expires_at=self.expires_at, not_before=self.not_before, issued_at=None)


def verify_access_token(
    token: str | CompactToken,
    keys: Sequence[VerificationKey],
    *,
    expected_issuer: str,
    expected_audience: frozenset[str] | AnyAudience,
    now: datetime,
    leeway: timedelta,
    allow_untyped: bool = False,
) -> AccessToken:
    """Verify a JWT access token (RFC 9068 section 4).

    Checked: form, type, algorithm against the key, signature, issuer (byte by byte), audience (any of the expected
    ones), `exp`, `nbf`, `iat`, and that every claim the profile requires is there. Not checked: whether the token was
    revoked, what its scopes allow, and proof of possession, so a token bound to a key (`cnf`) is refused.

    Args:
        token: the compact text, or what `parse_compact` made of it.
        keys: the issuer's keys.
        expected_issuer: the only issuer to be trusted.
        expected_audience: identifiers of this resource, or ANY.
        now: aware UTC.
        leeway: by how much the clocks may differ.
        allow_untyped: take tokens without a type or of type JWT, and without `client_id` and `jti`; scopes may then
            stand in `scp`. What shows itself as an ID, refresh, logout or event token is still refused.

    Raises:
        Refused: any of the checks failed.
    """
    compact = parse_compact(token) if isinstance(token, str) else token
    _check_type(compact, allow_untyped=allow_untyped)
    key = verify_signature(compact, keys)
    claims = parse_token_json(compact.payload)
    _check_addressee(claims, expected_issuer, expected_audience)
    verified = _read_claims(claims, key, allow_untyped=allow_untyped)
    verified.check_times(now, leeway)
    return verified


def _check_addressee(claims: Mapping[str, Any], issuer: str, expected_audience: frozenset[str] | AnyAudience) -> None:
    if require_text(claims, "iss") != issuer:
        raise Refused(Reason.WRONG_ISSUER)
    audience = require_audience(claims)
    if not isinstance(expected_audience, AnyAudience) and expected_audience.isdisjoint(audience):
        raise Refused(Reason.WRONG_AUDIENCE)
    if "cnf" in claims:
        raise Refused(Reason.SENDER_CONSTRAINED)


def _check_type(token: CompactToken, *, allow_untyped: bool) -> None:
    name = token.header.type
    if name in _TYPES or (allow_untyped and name in (None, "jwt")):
        return
    raise Refused(Reason.WRONG_TYPE)


def _read_claims(claims: dict[str, Any], key: VerificationKey, *, allow_untyped: bool) -> AccessToken:
    scope = claims.get("scope", "")
    if allow_untyped:
        client_id = _read_untyped_client(claims)
        scope = _read_untyped_scope(claims)
    else:
        client_id = require_text(claims, "client_id")
        require_text(claims, "jti")
    if not isinstance(scope, str):
        raise Refused(Reason.CLAIM_INVALID)
    issued_at = require_time(claims, "iat")
    not_before = parse_time(claims, "nbf")
    return AccessToken(
        subject=require_text(claims, "sub"),
        client_id=client_id,
        scopes=frozenset(scope.split()),
        roles=parse_names(claims.get("roles")),
        groups=parse_names(claims.get("groups")),
        permissions=parse_names(claims.get("permissions")),
        not_before=issued_at if not_before is None else max(issued_at, not_before),
        expires_at=require_time(claims, "exp"),
        claims=MappingProxyType(claims),
        key=key,
    )


def _read_untyped_client(claims: Mapping[str, Any]) -> str | None:
    if claims.get("token_use", "access") != "access" or any(name in claims for name in _FOREIGN_CLAIMS):
        raise Refused(Reason.WRONG_TYPE)
    if str(claims.get("typ")).lower() in _FOREIGN_KINDS:
        raise Refused(Reason.WRONG_TYPE)
    client_id = claims.get("client_id", claims.get("azp", claims.get("cid")))
    if client_id is not None and not isinstance(client_id, str):
        raise Refused(Reason.CLAIM_INVALID)
    return client_id


def _read_untyped_scope(claims: Mapping[str, Any]) -> object:
    """`scope`, or where there is none `scp`: one text at Entra, a list at Okta and Hydra."""
    scope: object = claims.get("scope", claims.get("scp", ""))
    return " ".join(parse_names(cast("object", scope))) if isinstance(scope, list) else scope
