"""The issuer's public keys, as published in its JWK Set (RFC 7517)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry
from joserfc.util import base64_to_int

logger = logging.getLogger("watchword_asgi")

# Asymmetric only: with a symmetric one, whoever can verify could also sign. RFC 9864 renames EdDSA to Ed25519.
ALGORITHMS = {name: JWSRegistry.algorithms[name] for name in ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")}
MAX_KEYS = 100
_RSA_BITS = range(2048, 8193)
_EDWARDS_NAMES = frozenset({"Ed25519", "EdDSA"})


@dataclass(frozen=True, slots=True, eq=False)
class VerificationKey:
    """One public key and what it may verify. Compared by identity; `fingerprint` tells equal material.

    Attributes:
        kid: the issuer's name for it, if any.
        algorithms: the `alg` values it fits, by its own `alg`, type and curve.
        material: the key itself.
        fingerprint: everything that was published about it.
    """

    kid: str | None
    algorithms: frozenset[str]
    material: Key = field(repr=False)
    fingerprint: str = field(repr=False)


def _fitting_algorithms(key: Key) -> frozenset[str]:
    if isinstance(key, RSAKey):
        exponent = key.public_key.public_numbers().e
        fits = {"RS256", "PS256"} if exponent >= 3 and exponent % 2 else set[str]()
    elif isinstance(key, ECKey):
        fits = {"ES256"} if key.curve_name == "P-256" else set[str]()
    elif isinstance(key, OKPKey):
        fits = set(_EDWARDS_NAMES) if key.curve_name == "Ed25519" else set[str]()
    else:
        fits = set[str]()
    if key.alg is None:
        return frozenset(fits)
    named = _EDWARDS_NAMES if key.alg in _EDWARDS_NAMES else frozenset({key.alg})
    return named & fits


def _is_for_verifying(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops")
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return False
    # A private part in a public document means that the key is anybody's.
    return jwk.get("use", "sig") == "sig" and "d" not in jwk and jwk.get("kty") in ("RSA", "EC", "OKP")


def parse_jwk(jwk: Mapping[str, Any]) -> VerificationKey | None:
    """Read one member of a JWK Set; None for a key of no use here: odd, weak, private, or for something else."""
    kid = jwk.get("kid")
    if not _is_for_verifying(jwk) or not (kid is None or isinstance(kid, str)):
        return None
    try:
        # Measured before the import, which would warn about a small one, and warnings may be errors.
        if jwk["kty"] == "RSA" and base64_to_int(jwk["n"]).bit_length() not in _RSA_BITS:
            return None
        material = import_key(cast("Any", dict(jwk)))
        algorithms = _fitting_algorithms(material)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if not algorithms:
        return None
    return VerificationKey(kid, algorithms, material, json.dumps(jwk, sort_keys=True))


def parse_jwk_set(document: Mapping[str, Any]) -> tuple[VerificationKey, ...]:
    """Read a JWK Set. Keys of no use are skipped, and so is all beyond the first hundred.

    Raises:
        ValueError: it is not a JWK Set.
    """
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("the JWK Set has no list of keys")  # noqa: TRY004 - a bad document, not a bad type
    members = cast("list[object]", listed)[:MAX_KEYS]
    keys = [parse_jwk(cast("dict[str, Any]", each)) if isinstance(each, dict) else None for each in members]
    usable = tuple(key for key in keys if key is not None)
    if len(usable) < len(cast("list[object]", listed)):
        logger.debug("%d of %d published keys are not usable here", len(members) - len(usable), len(members))
    return usable
