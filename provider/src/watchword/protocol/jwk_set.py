"""The public keys of a client (RFC 7517): read strictly where they are registered, leniently where they are fetched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from watchword.protocol.base64url import decode_segment
from watchword.protocol.jwt import Key, verify_signature
from watchword.protocol.key_strength import LEAST_RSA_BITS, check_strength
from watchword.protocol.vocabulary import SigningAlgorithm

MOST_KEYS: Final = 20
_MOST_RSA_BITS: Final = 8192  # beyond it a verification takes milliseconds
_MOST_EXPONENT_BITS: Final = 32
_LONGEST_MEMBER: Final = 1400  # characters: the base64url of 8192 bits
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})  # RFC 7518 sections 6.2.2, 6.3.2 and 6.4
# Key type and curve to what makes the key, and to the algorithms it verifies.
_KINDS: Final[Mapping[tuple[object, object], tuple[type[Key], tuple[str, ...], tuple[SigningAlgorithm, ...]]]] = {
    ("RSA", None): (RSAKey, ("n", "e"), ("RS256", "PS256")),
    ("EC", "P-256"): (ECKey, ("crv", "x", "y"), ("ES256",)),
    ("OKP", "Ed25519"): (OKPKey, ("crv", "x"), ("EdDSA", "Ed25519")),
}


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key of a client. `algorithms` are those that it verifies."""

    kid: str | None
    algorithms: frozenset[SigningAlgorithm]
    public: Any = field(repr=False)

    def verify(self, algorithm: SigningAlgorithm, signature: bytes, data: bytes) -> bool:
        """Say whether this key made the signature. One verification; none by an algorithm that is not the key's."""
        return algorithm in self.algorithms and verify_signature(algorithm, self.public, signature, data)


def parse_jwk_set(document: object) -> tuple[ClientKey, ...]:
    """Read a key set that is being registered; keys that sign nothing we verify are left out.

    So an empty answer means that the set is sound and holds no key for client authentication.

    Raises:
        ValueError: it is no key set, holds too many keys, or one that is private, symmetric, malformed or weak. The
            text says which rule it breaks, and may be shown.
    """
    found = []
    for jwk in _members(document):
        try:
            found.append(_parse_key(jwk))
        except (ValueError, TypeError, JoseError) as problem:
            raise ValueError(f"a key of the set cannot be used: {_printable(problem)}") from None
    return tuple(key for key in found if key is not None)


def usable_keys(document: object) -> tuple[ClientKey, ...]:
    """Read a key set that was fetched: what cannot be used is left out, so that it costs nobody the other keys.

    Raises:
        ValueError: it is no key set, or holds too many keys.
    """
    found = []
    for jwk in _members(document):
        try:
            found.append(_parse_key(jwk))
        except (ValueError, TypeError, JoseError):
            continue
    return tuple(key for key in found if key is not None)


def matching_keys(keys: Iterable[ClientKey], kid: str | None) -> Sequence[ClientKey]:
    """Return the keys that a header may mean: those of its `kid`, and those without one (RFC 7517 section 4.5)."""
    return [key for key in keys if kid is None or key.kid is None or key.kid == kid]


def _members(document: object) -> list[Mapping[str, Any]]:
    members = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(members, list) or not all(isinstance(member, Mapping) for member in members):
        raise ValueError("it must be a JSON Web Key Set: an object whose member keys is an array of objects")
    if len(members) > MOST_KEYS:
        raise ValueError(f"it holds {len(members)} keys, and {MOST_KEYS} are the most")
    return members


def _parse_key(jwk: Mapping[str, Any]) -> ClientKey | None:
    """Return a public key, or None for one that is sound, as far as can be told, and not for our use.

    Raises:
        ValueError, TypeError, JoseError: it must not be used.
    """
    if jwk.get("kty") == "oct" or not jwk.keys().isdisjoint(_PRIVATE):
        raise ValueError("it is private or symmetric; register public keys alone")
    kid = jwk.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise ValueError("kid is not a string")
    kind = _KINDS.get((_text(jwk.get("kty")), _text(jwk.get("crv"))))
    if kind is None or not _is_for_signatures(jwk):
        return None
    make, names, algorithms = kind
    members = {name: _member(jwk, name) for name in names}
    _check_size(members)
    key = make.import_key({"kty": jwk["kty"], **members})
    check_strength(key)
    return ClientKey(kid, _algorithms(jwk.get("alg"), algorithms), key.get_op_key("verify"))


def _is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    """RFC 7517 sections 4.2 and 4.3: a key may say what it is for, and need not."""
    operations = jwk.get("key_ops")
    return jwk.get("use", "sig") == "sig" and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _algorithms(named: object, possible: tuple[SigningAlgorithm, ...]) -> frozenset[SigningAlgorithm]:
    """RFC 7517 section 4.4: the one algorithm that the key is for. The two names of Ed25519 are one algorithm."""
    if named is None or (named in possible and "Ed25519" in possible):
        return frozenset(possible)
    return frozenset(algorithm for algorithm in possible if algorithm == named)


def _member(jwk: Mapping[str, Any], name: str) -> str:
    value = jwk.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST_MEMBER:
        raise ValueError(f"its member {name} is missing, too long or no text")
    return value


def _check_size(members: Mapping[str, str]) -> None:
    """Refuse what is no number, and an RSA key that is too weak, or made to keep us busy."""
    try:
        bits = {
            name: int.from_bytes(decode_segment(value), "big").bit_length()
            for name, value in members.items()
            if name != "crv"
        }
    except ValueError:
        raise ValueError(f"its members {', '.join(members)} are not base64url without padding") from None
    if "n" in bits and not LEAST_RSA_BITS <= bits["n"] <= _MOST_RSA_BITS:
        raise ValueError(f"RSA may have {LEAST_RSA_BITS} to {_MOST_RSA_BITS} bits, and it has {bits['n']}")
    if bits.get("e", 0) > _MOST_EXPONENT_BITS:
        raise ValueError(f"the exponent of RSA may have {_MOST_EXPONENT_BITS} bits at most")


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else ""


def _printable(problem: Exception) -> str:
    """Reduce what a library says to what an error description may hold (RFC 6749 appendix A.8)."""
    return "".join(c for c in str(problem) if " " <= c <= "~" and c not in '"\\')[:200].rstrip(".")
