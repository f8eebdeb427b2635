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


class DisplayedError(Exception):
    """An error for the person alone: nothing in the request is trusted enough to redirect to.

    `page` names the texts of the page in the catalogues (`error.<page>`), such as `unknown_client`.
    """

    def __init__(self, page: str, *, detail: str = "") -> None:
        self.page, self.detail = page, detail
        super().__init__(page)


class InvalidRequest(ProtocolError):
    """A parameter is missing, given twice or malformed; RFC 6749 sections 4.1.2.1 and 5.2."""

    error = "invalid_request"


class RequestTooLarge(InvalidRequest):
    """A body beyond its limit; RFC 9110 section 15.5.14."""

    status = 413


class UriTooLong(RequestTooLarge):
    """A path and query beyond their limit; RFC 9110 section 15.5.15."""

    status = 414


class RequestTimeout(InvalidRequest):
    """A body that did not arrive in time; the connection ends with the answer. RFC 9110 section 15.5.9."""

    status = 408


class InvalidClient(ProtocolError):
    """The client did not authenticate; RFC 6749 section 5.2. `challenge`: it used the Authorization header."""

    error = "invalid_client"
    status = 401

    def __init__(self, description: str, *, detail: str = "", challenge: bool = False) -> None:
        super().__init__(description, detail=detail)
        self.challenge = challenge


class InvalidGrant(ProtocolError):
    """The code or refresh token is unknown, expired, spent, revoked or another client's; RFC 6749 section 5.2."""

    error = "invalid_grant"


class UnauthorizedClient(ProtocolError):
    """The client may not use this grant or response type; RFC 6749 sections 4.1.2.1 and 5.2."""

    error = "unauthorized_client"


class UnsupportedGrantType(ProtocolError):
    """No such grant type here; RFC 6749 section 5.2."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(ProtocolError):
    """Only `code` is supported; RFC 6749 section 4.1.2.1."""

    error = "unsupported_response_type"


class InvalidScope(ProtocolError):
    """A scope that is unknown, or beyond what the client or the grant may have; RFC 6749 sections 4.1.2.1 and 5.2."""

    error = "invalid_scope"


class InvalidTarget(ProtocolError):
    """A resource that is not registered, was not granted, or takes another kind of token; RFC 8707 section 2."""

    error = "invalid_target"


class AccessDenied(ProtocolError):
    """RFC 6749 section 4.1.2.1: the person said no."""

    error = "access_denied"


class LoginRequired(ProtocolError):
    """Somebody would have to sign in, and `prompt=none` forbids to ask; OpenID Connect Core section 3.1.2.6."""

    error = "login_required"


class ConsentRequired(ProtocolError):
    """Somebody would have to consent, and `prompt=none` forbids to ask; OpenID Connect Core section 3.1.2.6."""

    error = "consent_required"


class UnmetAuthenticationRequirements(ProtocolError):
    """No sign-in meets the essential `acr`; OpenID Connect Core Unmet Authentication Requirements 1.0 section 1."""

    error = "unmet_authentication_requirements"


class RequestNotSupported(ProtocolError):
    """Request objects are not supported; OpenID Connect Core section 3.1.2.6."""

    error = "request_not_supported"


class RequestUriNotSupported(ProtocolError):
    """`request_uri` is not supported; OpenID Connect Core section 3.1.2.6."""

    error = "request_uri_not_supported"


class RegistrationNotSupported(ProtocolError):
    """The `registration` parameter is not supported; OpenID Connect Core section 3.1.2.6."""

    error = "registration_not_supported"


class InvalidToken(ProtocolError):
    """The access token is malformed, expired, revoked or not ours; RFC 6750 section 3.1."""

    error = "invalid_token"
    status = 401


class MissingToken(ProtocolError):
    """No credentials at all: a challenge without an error code (RFC 6750 section 3.1)."""

    error = "invalid_token"
    status = 401


class InsufficientScope(ProtocolError):
    """The token lacks a scope; RFC 6750 section 3.1. `scope` is what the request would need."""

    error = "insufficient_scope"
    status = 403

    def __init__(self, description: str, *, scope: str) -> None:
        super().__init__(description)
        self.scope = scope


class InvalidRedirectUri(ProtocolError):
    """A redirect URI that may not be registered; RFC 7591 section 3.2.2."""

    error = "invalid_redirect_uri"


class InvalidClientMetadata(ProtocolError):
    """A member of the metadata that cannot be used; RFC 7591 section 3.2.2."""

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


class TooManyRequests(TemporarilyUnavailable):
    """One address has as many slow requests under way, or registered as many clients, as it may; RFC 6585 section 4."""

    error = "rate_limited"
    status = 429


class ServerError(ProtocolError):
    """Something failed on our side; RFC 6749 section 4.1.2.1."""

    error = "server_error"
    status = 500
