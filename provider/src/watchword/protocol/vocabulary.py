"""The protocol's own words: the values that requests and metadata may hold."""

from typing import Final, Literal

SigningAlgorithm = Literal["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
# EdDSA and Ed25519 are two names of one algorithm (RFC 8037, RFC 9864) and share one key.
SIGNING_ALGORITHMS: Final[tuple[SigningAlgorithm, ...]] = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
ACCESS_TOKEN_ALGORITHM: Final[SigningAlgorithm] = "ES256"  # noqa: S105 - a name, no password

RESPONSE_MODES: Final = ("query", "form_post")

PROMPTS: Final = ("none", "login", "consent", "select_account", "create")
DISPLAYS: Final = ("page", "popup", "touch")

SubjectType = Literal["public", "pairwise"]
SUBJECT_TYPES: Final[tuple[SubjectType, ...]] = ("public", "pairwise")

AuthenticationMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
AUTHENTICATION_METHODS: Final[tuple[AuthenticationMethod, ...]] = (
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
)

# OpenID Connect Core section 5.4: what each scope lets a client read at /userinfo.
SCOPE_CLAIMS: Final[dict[str, tuple[str, ...]]] = {
    "openid": ("sub",),
    "profile": (
        "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
        "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    ),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
    "offline_access": (),
}  # fmt: skip
OPENID_SCOPES: Final = frozenset(SCOPE_CLAIMS)
