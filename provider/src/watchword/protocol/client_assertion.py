"""Client assertions: a client proves who it is by a JSON Web Token under its own key (RFC 7523, OpenID Connect Core 9).

Every check but the last is here; that an assertion is used once is for a store to say.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from watchword.protocol.base64url import decode_segment
from watchword.protocol.digests import join_fields
from watchword.protocol.errors import InvalidClient
from watchword.protocol.jwk_set import ClientKey, matching_keys
from watchword.protocol.jwt import MAX_TOKEN_LENGTH
from watchword.protocol.strict_json import parse_json_object
from watchword.protocol.vocabulary import SIGNING_ALGORITHMS, SigningAlgorithm

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE: Final = timedelta(minutes=5)
"""How long an assertion counts from its `iat`, whatever later `exp` it names."""
LONGEST_NAMED: Final = timedelta(hours=2)
"""No library lets an assertion live longer than that: what names more is a mistake, milliseconds perhaps."""
PAST_LEEWAY: Final = timedelta(seconds=5)
"""How far a client's clock may be behind ours when its assertion expires."""
FUTURE_LEEWAY: Final = timedelta(seconds=60)
"""How far a client's clock may be ahead of ours."""

MOST_TRIED: Final = 4
"""Keys that one assertion is held against. A set with more of one kind names them (OpenID Connect Core 10.1)."""

_LONGEST_JTI: Final = 256
# RFC 8725 section 3.11: what says that it is something else is something else.
_TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """An assertion taken apart. Nothing it says is verified; `client_id` is both its `iss` and its `sub`."""

    client_id: str
    algorithm: SigningAlgorithm
    kid: str | None
    claims: Mapping[str, Any] = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SingleUse:
    """What a store has to remember of an assertion, and until when, so that it is not accepted again."""

    name: bytes = field(repr=False)
    expires_at: datetime


def parse_client_assertion(text: str) -> ClientAssertion:
    """Take an assertion apart; whose it is can be known only after that.

    Raises:
        InvalidClient: it is too long, no JWS of ours to verify, of another type, or does not name one client.
    """
    try:
        if len(text) > MAX_TOKEN_LENGTH:
            raise ValueError("length")
        header_text, payload_text, signature_text = text.split(".")
        header, claims = (parse_json_object(decode_segment(part)) for part in (header_text, payload_text))
        signature = decode_segment(signature_text)
    except ValueError as problem:
        raise InvalidClient("The client assertion is not a JSON Web Token.", detail=str(problem)[:80]) from None
    algorithm, kid = _parse_header(header)
    client_id = claims.get("sub")
    if not isinstance(client_id, str) or not client_id or claims.get("iss") != client_id:
        raise InvalidClient("The client assertion needs iss and sub, and both must be the client_id.")
    signed = f"{header_text}.{payload_text}".encode("ascii")
    return ClientAssertion(client_id, algorithm, kid, claims, signed, signature)


def _parse_header(header: Mapping[str, Any]) -> tuple[SigningAlgorithm, str | None]:
    named, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    algorithm = next((known for known in SIGNING_ALGORITHMS if known == named), None)
    if algorithm is None:
        raise InvalidClient(f"The client assertion must be signed by one of {', '.join(SIGNING_ALGORITHMS)}.")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES:
        raise InvalidClient("The typ of the client assertion is that of another kind of token.")
    if "crit" in header or not (kid is None or isinstance(kid, str)):
        raise InvalidClient("The header of the client assertion asks for what is not supported.")
    return algorithm, kid


def is_signed_by(
    assertion: ClientAssertion, keys: Iterable[ClientKey], *, expected_algorithm: SigningAlgorithm | None
) -> bool:
    """Say whether one of a client's keys signed an assertion, by the algorithm that the client registered, if any.

    One verification for a client whose keys have names; one for each of its keys otherwise, and four at most: anybody
    can send an assertion, and a stranger may have registered the keys that take longest.
    """
    if expected_algorithm is not None and assertion.algorithm != expected_algorithm:
        return False
    fitting = [key for key in matching_keys(keys, assertion.kid) if assertion.algorithm in key.algorithms]
    return any(key.verify(assertion.algorithm, assertion.signature, assertion.signed) for key in fitting[:MOST_TRIED])


def check_claims(assertion: ClientAssertion, *, expected_audiences: Collection[str], now: datetime) -> SingleUse:
    """Check an assertion that the client signed: for us, for now, and to be used once.

    Raises:
        InvalidClient: saying what does not hold. Only the client itself can learn it.
    """
    claims = assertion.claims
    _check_audience(claims.get("aud"), expected_audiences)
    for name in ("nbf", "iat"):
        if (_time(claims, name) or now) > now + FUTURE_LEEWAY:
            raise InvalidClient(f"The {name} of the client assertion lies in the future.")
    expires_at = _expires_at(claims, now)
    if now - PAST_LEEWAY >= expires_at:
        raise InvalidClient("The client assertion has expired.")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise InvalidClient("The client assertion needs a jti, a text of at most 256 characters.")
    return SingleUse(join_fields(assertion.client_id.encode(), jti.encode()), expires_at + PAST_LEEWAY)


def _expires_at(claims: Mapping[str, Any], now: datetime) -> datetime:
    """Return until when an assertion counts, which many libraries let be an hour after it was made.

    That never grows while time passes: what is remembered until then is not accepted after it.
    """
    expires_at, issued_at = _time(claims, "exp"), _time(claims, "iat")
    if expires_at is None:
        raise InvalidClient("The client assertion needs exp, a number of seconds.")
    if expires_at > now + (LONGEST_LIFE + FUTURE_LEEWAY if issued_at is None else LONGEST_NAMED):
        raise InvalidClient("The client assertion must expire within five minutes, or say by iat when it was made.")
    return expires_at if issued_at is None else min(expires_at, issued_at + LONGEST_LIFE)


def _check_audience(audience: object, expected: Collection[str]) -> None:
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(one, str) and one in expected for one in named):
        raise InvalidClient("The aud of the client assertion must be the issuer or the URL of this endpoint.")


def _time(claims: Mapping[str, Any], name: str) -> datetime | None:
    """Read a NumericDate (RFC 7519 section 2).

    Raises:
        InvalidClient: it is there, and none.
    """
    value = claims.get(name)
    if value is None:
        return None
    refusal = InvalidClient(f"The {name} of the client assertion is not a number of seconds.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refusal
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise refusal from None
