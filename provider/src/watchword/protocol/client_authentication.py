"""Who calls the token endpoint: reading the credentials and holding them against the registration."""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime

from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidClient, InvalidRequest
from watchword.protocol.parameters import Parameters, decode_component
from watchword.protocol.vocabulary import AuthenticationMethod

_ONE_METHOD = "Use one way of client authentication, not two."


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a request says about its client. `secret` never shows in a repr."""

    client_id: str
    method: AuthenticationMethod
    secret: str = field(default="", repr=False)


def parse_client_credentials(authorization: str | None, form: Parameters) -> ClientCredentials:
    """Read the client's credentials from the header or the form (RFC 6749 section 2.3).

    Raises:
        InvalidRequest: two methods at once, or two different client identifiers.
        InvalidClient: no client named, a header that is not HTTP Basic, or a client assertion.
    """
    if "client_assertion" in form:
        if authorization is not None or "client_secret" in form:
            raise InvalidRequest(_ONE_METHOD)
        raise InvalidClient("Client assertions are not supported.")
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


def verify_client(client: Client | None, credentials: ClientCredentials, *, now: datetime) -> Client:
    """Return the client when the credentials are its own, by the method it registered.

    Unknown client, wrong method and wrong secret get the same answer.

    Raises:
        InvalidClient: anything does not fit.
    """
    challenge = credentials.method == "client_secret_basic"
    refusal = "The client is unknown, or did not authenticate in its registered way."
    if client is None:
        raise InvalidClient(refusal, detail="unknown client", challenge=challenge)
    if not _is_registered_way(client.token_endpoint_auth_method, credentials.method):
        raise InvalidClient(refusal, detail=f"used {credentials.method}", challenge=challenge)
    if not client.public and not client.owns_secret(credentials.secret, now):
        raise InvalidClient(refusal, detail="wrong secret", challenge=challenge)
    return client


def _is_registered_way(registered: AuthenticationMethod, used: AuthenticationMethod) -> bool:
    """The header and the form carry the same secret, so a client that registered one may use the other."""
    return used == registered or {used, registered} == {"client_secret_basic", "client_secret_post"}


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
