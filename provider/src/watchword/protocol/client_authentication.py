"""Who calls the token endpoint: reading the credentials and holding them against the registration."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from watchword.protocol.client import Client
from watchword.protocol.client_assertion import ASSERTION_TYPE, ClientAssertion, is_signed_by, parse_client_assertion
from watchword.protocol.errors import InvalidClient, InvalidRequest
from watchword.protocol.jwk_set import ClientKey
from watchword.protocol.parameters import Parameters, decode_component
from watchword.protocol.vocabulary import AuthenticationMethod

_ONE_METHOD = "Use one way of client authentication, not two."


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a request says about its client. `secret` never shows in a repr; `assertion` is not verified."""

    client_id: str
    method: AuthenticationMethod
    secret: str = field(default="", repr=False)
    assertion: ClientAssertion | None = None


def parse_client_credentials(authorization: str | None, form: Parameters) -> ClientCredentials:
    """Read the client's credentials from the header or the form (RFC 6749 section 2.3).

    Raises:
        InvalidRequest: two methods at once, or two different client identifiers.
        InvalidClient: no client named, a header that is not HTTP Basic, or a client assertion that cannot be read.
    """
    if "client_assertion" in form or "client_assertion_type" in form:
        if authorization is not None or "client_secret" in form:
            raise InvalidRequest(_ONE_METHOD)
        return _parse_assertion(form)
    if authorization is not None:
        credentials = _parse_basic(authorization)
        if "client_secret" in form:
            raise InvalidRequest(_ONE_METHOD)
        if form.get("client_id", credentials.client_id) != credentials.client_id:
            raise InvalidRequest("The client_id of the form is not the one of the Authorization header.")
        return credentials
    client_id = form.get("client_id")
    if client_id is None:
        raise InvalidClient("Name the client: client_id, or an HTTP Basic Authorization header.")
    secret = form.get("client_secret")
    if secret is None:
        return ClientCredentials(client_id, "none")
    return ClientCredentials(client_id, "client_secret_post", secret)


def verify_client(
    client: Client | None, credentials: ClientCredentials, *, now: datetime, keys: Iterable[ClientKey] = ()
) -> Client:
    """Return the client when the credentials are its own, by the method it registered.

    `keys` are the client's, for an assertion; what an assertion claims is not checked here. Unknown client, wrong
    method, wrong secret and wrong key get the same answer.

    Raises:
        InvalidClient: anything does not fit.
    """
    challenge = credentials.method == "client_secret_basic"
    refusal = "The client is unknown, or did not authenticate in its registered way."
    if client is None:
        raise InvalidClient(refusal, detail="unknown client", challenge=challenge)
    if not _is_registered_way(client.token_endpoint_auth_method, credentials.method):
        raise InvalidClient(refusal, detail=f"used {credentials.method}", challenge=challenge)
    if credentials.assertion is not None:
        expected = client.token_endpoint_auth_signing_alg
        if not is_signed_by(credentials.assertion, keys, expected_algorithm=expected):
            raise InvalidClient(refusal, detail="no key of the client signed the assertion")
    elif not client.public and not client.owns_secret(credentials.secret, now):
        raise InvalidClient(refusal, detail="wrong secret", challenge=challenge)
    return client


def _is_registered_way(registered: AuthenticationMethod, used: AuthenticationMethod) -> bool:
    """The header and the form carry the same secret, so a client that registered one may use the other."""
    return used == registered or {used, registered} == {"client_secret_basic", "client_secret_post"}


def _parse_assertion(form: Parameters) -> ClientCredentials:
    """RFC 7521 section 4.2: client_id need not be sent beside an assertion."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClient(f"The client_assertion_type must be {ASSERTION_TYPE}.")
    text = form.get("client_assertion")
    if text is None:
        raise InvalidClient("The client_assertion is missing.")
    assertion = parse_client_assertion(text)
    if form.get("client_id", assertion.client_id) != assertion.client_id:
        raise InvalidClient("The client_id of the form is not the one of the client assertion.")
    return ClientCredentials(assertion.client_id, "private_key_jwt", assertion=assertion)


def _parse_basic(authorization: str) -> ClientCredentials:
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        client_id, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
        client_id, secret = decode_component(client_id), decode_component(secret)
        if not separator or not client_id or "\x00" in client_id + secret:
            raise ValueError
        return ClientCredentials(client_id, "client_secret_basic", secret)
    except (ValueError, binascii.Error):
        raise InvalidClient("The Authorization header is not HTTP Basic.", challenge=True) from None
