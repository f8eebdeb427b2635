"""ID tokens: who signed in (OpenID Connect Core 1.0 section 2)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from ..errors import Reason, Refused
from .claims import check_times, parse_time, require_audience, require_text, require_time
from .jwk import VerificationKey
from .jws import CompactToken, parse_base64url, parse_compact, parse_token_json, verify_signature


@dataclass(frozen=True, slots=True)
class IdToken:
    """A verified ID token.

    Attributes:
        subject: the `sub` claim.
        claims: all claims, read-only at the top level.
        token: the text itself, which logout hands back as a hint.
    """

    subject: str
    claims: Mapping[str, Any] = field(repr=False)
    token: str = field(repr=False)


def verify_id_token(
    token: str,
    keys: Sequence[VerificationKey],
    *,
    expected_issuer: str,
    expected_client_id: str,
    expected_nonce: str | None,
    access_token: str,
    now: datetime,
    leeway: timedelta,
) -> IdToken:
    """Verify an ID token from the token endpoint (OpenID Connect Core 1.0 section 3.1.3.7).

    The client must be in `aud`, and be `azp` where there is one or where there are several audiences. The nonce is that
    of this login, or None after a refresh. Where there is an `at_hash`, it must be that of the access token. Not
    checked: `auth_time`, `acr` and `amr`, which the login did not ask for.

    Raises:
        Refused: any of the checks failed.
    """
    compact, claims = _verified_claims(token, keys)
    if require_text(claims, "iss") != expected_issuer:
        raise Refused(Reason.WRONG_ISSUER)
    _check_audience(claims, expected_client_id)
    check_times(
        now,
        leeway,
        expires_at=require_time(claims, "exp"),
        not_before=parse_time(claims, "nbf"),
        issued_at=require_time(claims, "iat"),
    )
    if expected_nonce is not None and not _equal(require_text(claims, "nonce"), expected_nonce):
        raise Refused(Reason.WRONG_NONCE)
    if "at_hash" in claims:
        _check_access_token_hash(claims, access_token, compact.header.algorithm)
    return IdToken(require_text(claims, "sub"), MappingProxyType(claims), token)


def read_id_token(token: str) -> IdToken:
    """Read an ID token that was verified before and kept where nobody else can write. No check is made."""
    claims = parse_token_json(parse_base64url(token.split(".")[1].encode("ascii")))
    return IdToken(require_text(claims, "sub"), MappingProxyType(claims), token)


def _verified_claims(token: str, keys: Sequence[VerificationKey]) -> tuple[CompactToken, dict[str, Any]]:
    compact = parse_compact(token)
    # The type keeps an access, logout or event token of the same client from being taken for an ID token.
    if compact.header.type not in (None, "jwt", "application/jwt"):
        raise Refused(Reason.WRONG_TYPE)
    verify_signature(compact, keys)
    return compact, parse_token_json(compact.payload)


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = require_audience(claims)
    authorized_party = claims.get("azp")
    if client_id not in audience or (authorized_party is None and len(audience) > 1):
        raise Refused(Reason.WRONG_AUDIENCE)
    if authorized_party is not None and authorized_party != client_id:
        raise Refused(Reason.WRONG_AUDIENCE)


def _check_access_token_hash(claims: Mapping[str, Any], access_token: str, algorithm: str) -> None:
    # Core 3.1.3.6: the hash of the signature's algorithm; Ed25519 hashes with SHA-512.
    digest = hashlib.sha512 if algorithm in ("Ed25519", "EdDSA") else hashlib.sha256
    whole = digest(access_token.encode("utf-8")).digest()
    half = base64.urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode("ascii")
    if not _equal(require_text(claims, "at_hash"), half):
        raise Refused(Reason.WRONG_HASH)


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8"), right.encode("utf-8"))
