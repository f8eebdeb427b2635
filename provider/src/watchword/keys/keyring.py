"""The keyring: every key of the provider, loaded from the store, parsed once and ready to sign and verify."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import base64_to_int

from watchword.database import Database
from watchword.database import keys as stored
from watchword.database.keys import StoredMacKey, StoredSigningKey
from watchword.keys.roots import Roots
from watchword.protocol.jwt import Key, SigningKey
from watchword.protocol.key_strength import check_strength
from watchword.protocol.vocabulary import SigningAlgorithm

RSA_BITS = 3072
NEXT: Final = "next"
ACTIVE: Final = "active"
RETIRING: Final = "retiring"
# What symmetric keys are for: tags of refresh tokens, opaque access tokens, the audit trail, identifiers as digests,
# pairwise subjects.
PURPOSES = ("refresh", "opaque", "audit", "identifier", "pairwise")
# One key each; the Ed25519 one signs as `EdDSA` and as `Ed25519`.
KEY_ALGORITHMS: tuple[SigningAlgorithm, ...] = ("RS256", "PS256", "ES256", "EdDSA")


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The symmetric keys of one purpose, 32 bytes each. New things are made with `current`, old ones name their kid."""

    current: str
    by_kid: Mapping[str, bytes] = field(repr=False)

    @property
    def secret(self) -> bytes:
        """The current key."""
        return self.by_kid[self.current]


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key in memory, private parts parsed. `jwks` is the published document, ready to send.

    `verifying` holds each published key. Those that are `next` are among them: another worker may sign with one a
    moment before this one notices the rotation. `hints` are those and the retired ones: what they signed is long
    expired, and still names somebody. `published` is each key's JWK as text. `revision` is the store's number of the
    last change that is in here.
    """

    revision: int
    signing: Mapping[SigningAlgorithm, SigningKey]
    verifying: Mapping[str, SigningKey]
    hints: Mapping[str, SigningKey] = field(repr=False)
    secrets: Mapping[str, SecretKeys]
    published: Mapping[str, str] = field(repr=False)
    jwks: bytes

    @property
    def refresh(self) -> SecretKeys:
        """What refresh tokens' tags are made with."""
        return self.secrets["refresh"]

    @property
    def opaque(self) -> SecretKeys:
        """What opaque access tokens are sealed with."""
        return self.secrets["opaque"]

    @property
    def audit(self) -> SecretKeys:
        """What events and seals of the audit trail are marked with."""
        return self.secrets["audit"]

    @property
    def identifier(self) -> SecretKeys:
        """What identifiers are digested with."""
        return self.secrets["identifier"]

    @property
    def pairwise(self) -> SecretKeys:
        """What pairwise subjects are made with."""
        return self.secrets["pairwise"]


class Hints(Mapping[str, SigningKey]):
    """Keys that an ID token may have been signed with at any time. Those that are retired are parsed when asked for."""

    __slots__ = ("_parsed", "_retired", "_verifying")

    def __init__(self, verifying: Mapping[str, SigningKey], retired: Iterable[StoredSigningKey]) -> None:
        self._verifying = verifying
        self._retired = {row.kid: row for row in retired}
        self._parsed: dict[str, SigningKey] = {}

    def __getitem__(self, kid: str) -> SigningKey:
        """Return a key by its name."""
        known = self._verifying.get(kid) or self._parsed.get(kid)
        if known is None:
            known = self._parsed[kid] = public_key_of(self._retired[kid])
        return known

    def __iter__(self) -> Iterator[str]:
        """Name the keys."""
        return iter({**self._verifying, **self._retired})

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._verifying.keys() | self._retired.keys())


class WeakKey(Exception):
    """A stored signing key is too weak, or of a kind that is not used here. `str()` names it and says why."""


async def load_keyring(database: Database, roots: Roots, before: Keyring | None = None) -> Keyring:
    """Read the keys and parse those that are not in the ring from before, whose objects stay the same.

    Four statements; three with a ring from before, for symmetric keys stay what they are.

    Raises:
        UndecipherableKey: a private part does not open under the secret key.
        WeakKey: a signing key is too weak to be used.
    """
    revision = await stored.revision(database)  # first: what changes after it is noticed at the next look
    rows = await stored.signing_keys(database)
    published = {row.kid: row.public_jwk for row in rows}
    known = {kid: before.verifying[kid] for kid, jwk in before.published.items() & published.items()} if before else {}
    keys = {row.kid: known.get(row.kid) or _open(row, roots) for row in rows}
    retired = await stored.retired_keys(database)
    return Keyring(
        revision=revision,
        signing=_signing(keys[row.kid] for row in rows if row.state == ACTIVE),
        verifying=keys,
        hints=Hints(keys, retired),
        secrets=before.secrets if before else _secret_keys(await stored.mac_keys(database), roots),
        published=published,
        jwks=orjson.dumps({"keys": [orjson.loads(jwk) for jwk in published.values()]}),
    )


def public_key_of(row: StoredSigningKey) -> SigningKey:
    """Parse what was published of a key."""
    return SigningKey(row.kid, _algorithm(row), parse_key(orjson.loads(row.public_jwk)))


def parse_key(jwk: Mapping[str, str]) -> Key:
    """Parse a key that we wrote ourselves.

    An RSA key's primes are not proved anew, which takes 60 ms and more at the start of every process: only the secret
    key could have sealed it.
    """
    if jwk["kty"] == "RSA":
        return _parse_rsa(jwk) if "d" in jwk else RSAKey.import_key(dict(jwk))
    return ECKey.import_key(dict(jwk)) if jwk["kty"] == "EC" else OKPKey.import_key(dict(jwk))


def signing_place(kid: str) -> str:
    """Name the place of a signing key's private part, where alone it opens."""
    return f"signing_key.private_jwk.{kid}"


def mac_place(purpose: str, kid: str) -> str:
    """Name the place of a symmetric key, where alone it opens, and for this purpose alone."""
    return f"mac_key.{purpose}.{kid}"


def _signing(active: Iterable[SigningKey]) -> Mapping[SigningAlgorithm, SigningKey]:
    signing = {key.algorithm: key for key in active}
    if ed25519 := signing.get("EdDSA"):
        signing["Ed25519"] = SigningKey(ed25519.kid, "Ed25519", ed25519.key)
    return signing


def _secret_keys(rows: Iterable[StoredMacKey], roots: Roots) -> Mapping[str, SecretKeys]:
    """Open the symmetric keys, oldest first: the newest of a purpose is its current one."""
    by_purpose: dict[str, dict[str, bytes]] = {}
    for row in rows:
        place = mac_place(row.purpose, row.kid)
        by_purpose.setdefault(row.purpose, {})[row.kid] = roots.decrypt(row.secret, place=place)
    return {purpose: SecretKeys(list(keys)[-1], keys) for purpose, keys in by_purpose.items()}


def _algorithm(row: StoredSigningKey) -> SigningAlgorithm:
    return next(name for name in KEY_ALGORITHMS if name == row.algorithm)


def _open(row: StoredSigningKey, roots: Roots) -> SigningKey:
    if row.private_jwk is None:
        return public_key_of(row)
    key = parse_key(orjson.loads(roots.decrypt(row.private_jwk, place=signing_place(row.kid))))
    try:
        check_strength(key)
    except ValueError as problem:
        raise WeakKey(f"holds the signing key {row.kid}: {problem}") from None
    return SigningKey(row.kid, _algorithm(row), key)


def _parse_rsa(private: Mapping[str, str]) -> RSAKey:
    parts = {name: base64_to_int(private[name]) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")}
    numbers = RSAPrivateNumbers(
        p=parts["p"],
        q=parts["q"],
        d=parts["d"],
        dmp1=parts["dp"],
        dmq1=parts["dq"],
        iqmp=parts["qi"],
        public_numbers=RSAPublicNumbers(parts["e"], parts["n"]),
    )
    return RSAKey.import_key(numbers.private_key(unsafe_skip_rsa_key_validation=True))
