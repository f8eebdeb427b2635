"""The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1).

Two boundaries: until client and redirect URI are trusted an error is *displayed*, afterwards it is *redirected*. CHECKS
is the whole policy behind the second boundary, in the order it is read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from watchword.protocol.acr import NO_DEMAND, AcrDemand
from watchword.protocol.claims_request import (
    LONGEST,
    NOTHING_ASKED,
    SCOPE_OF_CLAIM,
    ClaimsRequest,
    parse_claims_request,
)
from watchword.protocol.client import Client
from watchword.protocol.errors import (
    DisplayedError,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    ProtocolError,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from watchword.protocol.parameters import Parameters
from watchword.protocol.pkce import is_code_challenge
from watchword.protocol.resource import Resources, named_resources, scopes_at
from watchword.protocol.vocabulary import OPENID_SCOPES, PROMPTS, RESPONSE_MODES

CLAIM_WORD: Final = "claim:"

_LONGEST = {
    "state": 1024, "nonce": 512, "scope": 1024, "login_hint": 320, "ui_locales": 128, "claims_locales": 128,
    "acr_values": 256, "id_token_hint": 8192, "claims": LONGEST,
}  # fmt: skip
_LONGEST_MAX_AGE = 10  # digits


@dataclass(frozen=True, slots=True)
class Target:
    """Where the answer to an authorization request may go, and how: in the query, or as a form that is posted."""

    client: Client
    redirect_uri: str
    state: str | None
    response_mode: str = "query"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check. `scope` and `claims` keep only what the client may have.

    What only a page reads (`login_hint`, `ui_locales`) stays with the parameters; `display` and `claims_locales` change
    nothing here.
    """

    target: Target
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    prompt: frozenset[str]
    max_age: int | None
    nonce: str | None
    code_challenge: str | None
    id_token_hint: str | None
    claims: ClaimsRequest = NOTHING_ASKED
    acr: AcrDemand = NO_DEMAND

    @property
    def client(self) -> Client:
        """The client that asks."""
        return self.target.client


class RedirectedError(Exception):
    """An error for the client, at a redirect URI that is its own."""

    def __init__(self, error: ProtocolError, target: Target) -> None:
        self.error, self.target = error, target
        super().__init__(error.error)


def resolve_target(parameters: Parameters, client: Client | None) -> Target:
    """Settle where answers go: the line between displayed and redirected errors (RFC 6749 section 4.1.2.1).

    Raises:
        DisplayedError: the client is unknown, or the redirect URI is missing or not registered.
    """
    if parameters.duplicates & {"client_id", "redirect_uri"}:
        raise DisplayedError("invalid_request", detail="client_id or redirect_uri given twice")
    if client is None:
        raise DisplayedError("unknown_client")
    # OpenID Connect requires redirect_uri; OAuth lets a single registered one stand in (RFC 6749 section 3.1.2.3).
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri is None:
        if "openid" in parameters.get("scope", "").split() or len(client.redirect_uris) != 1:
            raise DisplayedError("redirect_uri_mismatch", detail="no redirect_uri")
        redirect_uri = client.redirect_uris[0]
    if not client.owns_redirect_uri(redirect_uri):
        raise DisplayedError("redirect_uri_mismatch", detail="redirect_uri is not registered")
    state = None if "state" in parameters.duplicates else parameters.get("state")
    return Target(client, redirect_uri, state, _response_mode(parameters, redirect_uri))


def _response_mode(parameters: Parameters, redirect_uri: str) -> str:
    """Return how to answer; where that is unclear or cannot be, the query, by which the error is told then."""
    mode = parameters.get("response_mode")
    usable = mode in RESPONSE_MODES and "response_mode" not in parameters.duplicates
    return mode if mode is not None and usable and (mode == "query" or _takes_posts(redirect_uri)) else "query"


def _takes_posts(redirect_uri: str) -> bool:
    """Whether a form can be posted there: not to an app behind a private-use scheme (RFC 8252 section 7.1)."""
    return redirect_uri.startswith(("https:", "http:"))


def parse_authorization_request(parameters: Parameters, target: Target, resources: Resources) -> AuthorizationRequest:
    """Run CHECKS and return the request they describe. Parameters nobody knows are ignored.

    Raises:
        RedirectedError: with the first check's error.
    """
    try:
        for check in CHECKS:
            check(parameters, target.client, resources)
    except ProtocolError as error:
        raise RedirectedError(error, target) from None
    chosen = named_resources(parameters, target.client)
    max_age = parameters.get("max_age")
    scope = granted_scope(parameters.get("scope", "").split(), target.client, chosen, resources)
    claims = asked_claims(parameters, target.client)
    return AuthorizationRequest(
        target=target,
        scope=scope,
        resources=chosen,
        prompt=frozenset(parameters.get("prompt", "").split()),
        max_age=int(max_age) if max_age is not None else target.client.default_max_age,
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        id_token_hint=parameters.get("id_token_hint"),
        claims=claims,
        acr=acr_demand(parameters, target.client, claims),
    )


def asked_claims(parameters: Parameters, client: Client) -> ClaimsRequest:
    """Return what the parameter `claims` asks for.

    Without `openid` there is neither an ID token nor /userinfo, and the parameter is one nobody knows.

    Raises:
        InvalidRequest: it is malformed.
    """
    if "openid" not in client.scopes or "openid" not in parameters.get("scope", "").split():
        return NOTHING_ASKED
    return parse_claims_request(parameters.get("claims"), client.scopes)


def acr_demand(parameters: Parameters, client: Client, claims: ClaimsRequest) -> AcrDemand:
    """Return what sign-in is asked for: by `claims` before `acr_values`, else by the client's registration."""
    if claims.acr is not None and claims.acr.values:
        return AcrDemand(claims.acr.values, claims.acr.essential)
    return AcrDemand(tuple(parameters.get("acr_values", "").split()) or client.default_acr_values)


def asked_words(request: AuthorizationRequest) -> tuple[str, ...]:
    """Return what the person must agree to: the scopes, then `claim:<name>` of each claim that none of them gives."""
    claims = (name for name in request.claims.names if SCOPE_OF_CLAIM[name] not in request.scope)
    return request.scope + tuple(CLAIM_WORD + name for name in claims)


def granted_scope(
    asked: list[str], client: Client, audiences: tuple[str, ...], resources: Resources
) -> tuple[str, ...]:
    """Keep, in their order, the scopes that the client may have at these audiences.

    OpenID's own scopes need the client's registration; a resource's scopes need the resource among the audiences.
    """
    allowed = client.scopes & (OPENID_SCOPES | scopes_at(audiences, resources))
    if "refresh_token" not in client.grant_types:
        allowed -= {"offline_access"}  # there is nothing it could be kept with (OpenID Connect Core section 11)
    return tuple(dict.fromkeys(scope for scope in asked if scope in allowed))


Check = Callable[[Parameters, Client, Resources], None]


def check_duplicates(parameters: Parameters, _client: Client, _resources: Resources) -> None:
    """Each parameter at most once (RFC 6749 section 3.1)."""
    parameters.check_no_duplicates()


def check_lengths(parameters: Parameters, _client: Client, _resources: Resources) -> None:
    """No value beyond what a client can need."""
    for name, longest in _LONGEST.items():
        if len(parameters.get(name, "")) > longest:
            raise InvalidRequest(f"The parameter {name} is longer than {longest} characters.")


def check_request_objects(parameters: Parameters, _client: Client, _resources: Resources) -> None:
    """Request objects are refused rather than ignored (OpenID Connect Core section 6)."""
    if "request" in parameters:
        raise RequestNotSupported("Request objects are not supported.")
    if "request_uri" in parameters:
        raise RequestUriNotSupported("request_uri is not supported.")
    if "registration" in parameters:
        raise RegistrationNotSupported("Register the client instead of sending registration.")


def check_response_type(parameters: Parameters, client: Client, _resources: Resources) -> None:
    """Only `code` (RFC 9700 section 2.1.2)."""
    if parameters.required("response_type") != "code":
        raise UnsupportedResponseType("Only response_type=code is supported.")
    if "code" not in client.response_types or "authorization_code" not in client.grant_types:
        raise UnauthorizedClient("The client is not registered for response_type=code.")


def check_response_mode(parameters: Parameters, client: Client, _resources: Resources) -> None:
    """OAuth 2.0 Multiple Response Types section 2.1, OAuth 2.0 Form Post Response Mode."""
    mode = parameters.get("response_mode", "query")
    if mode not in RESPONSE_MODES:
        raise InvalidRequest(f"Supported values of response_mode are {', '.join(RESPONSE_MODES)}.")
    if mode == "form_post" and not _takes_posts(parameters.get("redirect_uri", client.redirect_uris[0])):
        raise InvalidRequest("response_mode=form_post needs an https or http redirect_uri; use query.")


def check_prompt(parameters: Parameters, _client: Client, _resources: Resources) -> None:
    """OpenID Connect Core section 3.1.2.1: `none` stands alone.

    `create` must not contradict another value (Initiating User Registration via OpenID Connect section 4): who is to
    be a new account cannot be chosen among the known ones.
    """
    asked = parameters.get("prompt", "").split()
    if unknown := [prompt for prompt in asked if prompt not in PROMPTS]:
        raise InvalidRequest("The parameter prompt holds an unknown value.", detail=unknown[0][:40])
    if "none" in asked and len(set(asked)) > 1:
        raise InvalidRequest("prompt=none cannot be combined with another value.")
    if {"create", "select_account"} <= set(asked):
        raise InvalidRequest("prompt=create cannot be combined with select_account.")


def check_max_age(parameters: Parameters, _client: Client, _resources: Resources) -> None:
    """A number of seconds, zero included (OpenID Connect Core section 3.1.2.1)."""
    text = parameters.get("max_age")
    if text is not None and not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_MAX_AGE):
        raise InvalidRequest("The parameter max_age must be a number of seconds.")


def check_claims(parameters: Parameters, client: Client, _resources: Resources) -> None:
    """OpenID Connect Core section 5.5."""
    parse_claims_request(parameters.get("claims"), client.scopes)


def check_pkce(parameters: Parameters, client: Client, _resources: Resources) -> None:
    """S256 always when sent, and required by the client's policy (RFC 7636, RFC 9700 section 2.1.1)."""
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method", "plain")
    if challenge is None:
        if client.public or client.pkce_required:
            raise InvalidRequest("PKCE is required: send code_challenge and code_challenge_method=S256.")
        if "code_challenge_method" in parameters:
            raise InvalidRequest("code_challenge_method came without code_challenge.")
        return
    if method != "S256":
        raise InvalidRequest("Only code_challenge_method=S256 is supported.")
    if not is_code_challenge(challenge):
        raise InvalidRequest("The parameter code_challenge must be 43 base64url characters.")


def check_resources(parameters: Parameters, client: Client, resources: Resources) -> None:
    """Only registered audiences (RFC 8707 section 2)."""
    for audience in parameters.resources:
        if audience not in resources:
            raise InvalidTarget("The resource is not registered here.")
        # Its audience alone must not open a resource to whoever registered a client.
        if client.scopes.isdisjoint(resources[audience].scopes):
            raise InvalidTarget("The resource is not available to this client.")


def check_scope(parameters: Parameters, client: Client, resources: Resources) -> None:
    """Something must be left of what was asked (RFC 6749 section 3.3)."""
    asked = parameters.get("scope", "").split()
    if not granted_scope(asked, client, named_resources(parameters, client), resources):
        raise InvalidScope("None of the scopes asked for is available to this client.")


CHECKS: tuple[Check, ...] = (
    check_duplicates,
    check_lengths,
    check_request_objects,
    check_response_type,
    check_response_mode,
    check_prompt,
    check_max_age,
    check_claims,
    check_pkce,
    check_resources,
    check_scope,
)
