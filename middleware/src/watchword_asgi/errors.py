"""The two ways a request can fail here: it is refused, or the provider cannot be asked."""

import math
from enum import StrEnum


class Reason(StrEnum):
    """Why a request was refused. The values are stable: count them, log them, compare them."""

    NO_CREDENTIALS = "no_credentials"
    SEVERAL_CREDENTIALS = "several_credentials"
    MALFORMED_CREDENTIALS = "malformed_credentials"
    MALFORMED_PATH = "malformed_path"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm_not_allowed"
    CRITICAL_HEADER = "critical_header"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature_invalid"
    CLAIM_MISSING = "claim_missing"
    CLAIM_INVALID = "claim_invalid"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    WRONG_SUBJECT = "wrong_subject"
    WRONG_NONCE = "wrong_nonce"
    WRONG_HASH = "wrong_access_token_hash"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SENDER_CONSTRAINED = "sender_constrained"
    REVOKED = "revoked"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    INSUFFICIENT_ROLE = "insufficient_role"
    LOGIN_REQUIRED = "login_required"
    CROSS_SITE = "cross_site"


# Fixed ASCII sentences: text of a token or of an exception never reaches an answer (it could break out of the quotes).
_ANSWERS: dict[Reason, tuple[int, str, str]] = {
    Reason.NO_CREDENTIALS: (401, "", "This resource needs an access token"),
    Reason.SEVERAL_CREDENTIALS: (400, "invalid_request", "More than one Authorization header was sent"),
    Reason.MALFORMED_CREDENTIALS: (400, "invalid_request", "The Authorization header is malformed"),
    Reason.MALFORMED_PATH: (400, "invalid_request", "The path is malformed"),
    Reason.TOO_LARGE: (401, "invalid_token", "The token is too large"),
    Reason.MALFORMED: (401, "invalid_token", "The token is malformed"),
    Reason.ALGORITHM: (401, "invalid_token", "The token is signed with an algorithm that is not allowed"),
    Reason.CRITICAL_HEADER: (401, "invalid_token", "The token demands an extension that is not supported"),
    Reason.WRONG_TYPE: (401, "invalid_token", "The token is not of the expected type"),
    Reason.UNKNOWN_KEY: (401, "invalid_token", "The token is signed with an unknown key"),
    Reason.SIGNATURE: (401, "invalid_token", "The signature of the token is invalid"),
    Reason.CLAIM_MISSING: (401, "invalid_token", "The token lacks a required claim"),
    Reason.CLAIM_INVALID: (401, "invalid_token", "A claim of the token is invalid"),
    Reason.WRONG_ISSUER: (401, "invalid_token", "The token is from another issuer"),
    Reason.WRONG_AUDIENCE: (401, "invalid_token", "The token is for another audience"),
    Reason.WRONG_SUBJECT: (401, "invalid_token", "The answer is about another subject"),
    Reason.WRONG_NONCE: (401, "invalid_token", "The token belongs to another login"),
    Reason.WRONG_HASH: (401, "invalid_token", "The access token belongs to another login"),
    Reason.EXPIRED: (401, "invalid_token", "The token has expired"),
    Reason.NOT_YET_VALID: (401, "invalid_token", "The token is not valid yet"),
    Reason.SENDER_CONSTRAINED: (
        401,
        "invalid_token",
        "The token is bound to a key and cannot be used as a bearer token",
    ),
    Reason.REVOKED: (401, "invalid_token", "The token is no longer valid"),
    Reason.INSUFFICIENT_SCOPE: (403, "insufficient_scope", "The token lacks a required scope"),
    Reason.INSUFFICIENT_ROLE: (403, "insufficient_scope", "The subject lacks a required role"),
    Reason.LOGIN_REQUIRED: (401, "login_required", "Sign in first"),
    Reason.CROSS_SITE: (403, "cross_site_request", "The request comes from another site"),
}


class Refused(Exception):
    """The credentials do not open this door.

    Attributes:
        reason: the stable code of the cause.
        status: the HTTP status it deserves (400, 401 or 403).
        error: the code sent in the answer (RFC 6750 section 3.1), empty when no credentials came at all.
        description: a fixed sentence for the caller.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.status, self.error, self.description = _ANSWERS[reason]


class Unavailable(Exception):
    """The provider cannot be asked just now, so there is no verdict: neither yes nor no. HTTP status 503.

    Attributes:
        retry_after: whole seconds to wait, at least 1.
        detail: for the log only.
    """

    status = 503
    error = "temporarily_unavailable"
    description = "The provider cannot be reached"

    def __init__(self, retry_after: float = 1.0, detail: str = "") -> None:
        super().__init__(detail or self.description)
        self.retry_after = max(1, math.ceil(retry_after))
        self.detail = detail
