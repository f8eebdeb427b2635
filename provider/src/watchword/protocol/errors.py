"""Errors of the protocol, named after their code: `InvalidGrant` is `invalid_grant`.

`description` is sent and says what to do; `detail` is only logged. Which of them becomes a page, a redirect or JSON is
decided where it is caught, in one place.
"""

from typing import ClassVar


class ProtocolError(Exception):
    """An answer that refuses, with a code of RFC 6749, 6750, 7591, 8707 or OpenID Connect Core."""

    error: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, description: str, *, detail: str = "") -> None:
        self.description, self.detail = description, detail
        super().__init__(f"{self.error}: {description}")


class InvalidRequest(ProtocolError):
    """RFC 6749 sections 4.1.2.1 and 5.2."""

    error = "invalid_request"


class RequestTooLarge(InvalidRequest):
    """A body beyond its limit; RFC 9110 section 15.5.14."""

    status = 413


class InvalidClient(ProtocolError):
    """RFC 6749 section 5.2. `challenge` says whether the client used the Authorization header."""

    error = "invalid_client"
    status = 401

    def __init__(self, description: str, *, detail: str = "", challenge: bool = False) -> None:
        super().__init__(description, detail=detail)
        self.challenge = challenge


class InvalidGrant(ProtocolError):
    """RFC 6749 section 5.2."""

    error = "invalid_grant"


class UnauthorizedClient(ProtocolError):
    """RFC 6749 sections 4.1.2.1 and 5.2."""

    error = "unauthorized_client"


class UnsupportedGrantType(ProtocolError):
    """RFC 6749 section 5.2."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(ProtocolError):
    """RFC 6749 section 4.1.2.1."""

    error = "unsupported_response_type"


class InvalidScope(ProtocolError):
    """RFC 6749 sections 4.1.2.1 and 5.2."""

    error = "invalid_scope"


class InvalidTarget(ProtocolError):
    """RFC 8707 section 2."""

    error = "invalid_target"


class AccessDenied(ProtocolError):
    """RFC 6749 section 4.1.2.1: the person said no."""

    error = "access_denied"


class LoginRequired(ProtocolError):
    """OpenID Connect Core section 3.1.2.6."""

    error = "login_required"


class ConsentRequired(ProtocolError):
    """OpenID Connect Core section 3.1.2.6."""

    error = "consent_required"


class RequestNotSupported(ProtocolError):
    """OpenID Connect Core section 3.1.2.6."""

    error = "request_not_supported"


class RequestUriNotSupported(ProtocolError):
    """OpenID Connect Core section 3.1.2.6."""

    error = "request_uri_not_supported"


class RegistrationNotSupported(ProtocolError):
    """OpenID Connect Core section 3.1.2.6."""

    error = "registration_not_supported"


class InvalidToken(ProtocolError):
    """RFC 6750 section 3.1."""

    error = "invalid_token"
    status = 401


class MissingToken(ProtocolError):
    """No credentials at all: a challenge without an error code (RFC 6750 section 3.1)."""

    error = "invalid_token"
    status = 401


class InsufficientScope(ProtocolError):
    """RFC 6750 section 3.1. `scope` is what the request would need."""

    error = "insufficient_scope"
    status = 403

    def __init__(self, description: str, *, scope: str) -> None:
        super().__init__(description)
        self.scope = scope


class InvalidRedirectUri(ProtocolError):
    """RFC 7591 section 3.2.2."""

    error = "invalid_redirect_uri"


class InvalidClientMetadata(ProtocolError):
    """RFC 7591 section 3.2.2."""

    error = "invalid_client_metadata"


class AccessForbidden(ProtocolError):
    """A well-formed call by somebody who may not make it."""

    error = "access_denied"
    status = 403


class TemporarilyUnavailable(ProtocolError):
    """A store did not answer; nothing was written. RFC 6749 section 4.1.2.1."""

    error = "temporarily_unavailable"
    status = 503

    def __init__(self, description: str = "Try again in a moment.", *, retry_after: int = 2, detail: str = "") -> None:
        super().__init__(description, detail=detail)
        self.retry_after = retry_after


class ServerError(ProtocolError):
    """RFC 6749 section 4.1.2.1."""

    error = "server_error"
    status = 500
