"""Reading a client's credentials and holding them against its registration."""

import base64

import pytest

from tests.protocol.builders import NOW, a_client
from watchword.protocol.client import Client, ClientSecret
from watchword.protocol.client_authentication import ClientCredentials, parse_client_credentials, verify_client
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import InvalidClient, InvalidRequest
from watchword.protocol.parameters import Parameters


def basic(pair: bytes | str) -> str:
    return "Basic " + base64.b64encode(pair if isinstance(pair, bytes) else pair.encode()).decode()


def form(**values: str) -> Parameters:
    return Parameters(list(values.items()))


@pytest.mark.parametrize(
    ("pair", "client_id", "secret"),
    [
        pytest.param("c_rp:s3cret", "c_rp", "s3cret", id="plain"),
        pytest.param("c_rp:", "c_rp", "", id="an empty secret"),
        pytest.param("c_rp:a:b:c", "c_rp", "a:b:c", id="the first colon separates"),
        pytest.param("c%3Arp:a%3Ab", "c:rp", "a:b", id="encoded colons"),
        pytest.param("c_rp:a+b%2Bc", "c_rp", "a b+c", id="form encoding"),
        pytest.param("c_rp:%C3%A9", "c_rp", "é", id="encoded UTF-8"),
        pytest.param("c_rp:é".encode(), "c_rp", "é", id="raw UTF-8"),
        pytest.param("c_rp:%zz%", "c_rp", "%zz%", id="a percent sign that encodes nothing"),
    ],
)
def test_http_basic_is_form_encoded_inside(pair: bytes | str, client_id: str, secret: str) -> None:
    found = parse_client_credentials(basic(pair), form())
    assert (found.client_id, found.method, found.secret) == (client_id, "client_secret_basic", secret)


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert parse_client_credentials(basic("c_rp:s").replace("Basic", scheme), form()).client_id == "c_rp"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="empty"),
        pytest.param("Basic", id="no credentials"),
        pytest.param("Basic ", id="empty credentials"),
        pytest.param("Bearer abc", id="another scheme"),
        pytest.param("Basic c_rp:s3cret", id="not encoded"),
        pytest.param("Basic Y19ycDpz!", id="a foreign character"),
        pytest.param("Basic Y19ycDp", id="missing padding"),
        pytest.param("Basic Y19y cDpz", id="a space inside"),
        pytest.param(basic("c_rp"), id="no colon"),
        pytest.param(basic(":s3cret"), id="no client_id"),
        pytest.param(basic(b"c_rp:\xff"), id="not UTF-8"),
        pytest.param(basic("c_rp:%ff"), id="encoded bytes that are not UTF-8"),
        pytest.param(basic("c_rp%00:s"), id="an encoded NUL in the client_id"),
        pytest.param(basic("c_rp:\x00"), id="a NUL in the secret"),
    ],
)
def test_what_is_not_http_basic_is_refused_with_a_challenge(header: str) -> None:
    with pytest.raises(InvalidClient) as refused:
        parse_client_credentials(header, form(client_id="c_rp"))
    assert refused.value.challenge
    assert refused.value.status == 401


def test_the_form_alone_names_a_client_with_or_without_a_secret() -> None:
    assert parse_client_credentials(None, form(client_id="c_rp")).method == "none"
    posted = parse_client_credentials(None, form(client_id="c_rp", client_secret="s"))
    assert (posted.method, posted.secret) == ("client_secret_post", "s")


def test_the_header_may_stand_beside_the_same_client_id() -> None:
    assert parse_client_credentials(basic("c_rp:s"), form(client_id="c_rp")).method == "client_secret_basic"


@pytest.mark.parametrize(
    ("header", "values"),
    [
        pytest.param(basic("c_rp:s"), {"client_secret": "s"}, id="header and secret"),
        pytest.param(basic("c_rp:s"), {"client_id": "c_other"}, id="two clients"),
        pytest.param(basic("c_rp:s"), {"client_assertion": "x"}, id="header and assertion"),
        pytest.param(None, {"client_id": "c_rp", "client_secret": "s", "client_assertion": "x"}, id="both in the form"),
    ],
)
def test_two_ways_at_once_are_refused(header: str | None, values: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        parse_client_credentials(header, form(**values))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({}, id="nobody named"),
        pytest.param({"client_secret": "s"}, id="a secret of nobody"),
        pytest.param({"client_id": "c_rp", "client_assertion": "x"}, id="an assertion is no public client"),
    ],
)
def test_a_client_that_cannot_be_told_is_refused_without_a_challenge(values: dict[str, str]) -> None:
    with pytest.raises(InvalidClient) as refused:
        parse_client_credentials(None, form(**values))
    assert not refused.value.challenge


def client_of(method: str) -> Client:
    secrets = () if method == "none" else (ClientSecret(fingerprint("s")),)
    return a_client(token_endpoint_auth_method=method, secrets=secrets)


METHODS = ("client_secret_basic", "client_secret_post", "none")


@pytest.mark.parametrize("registered", METHODS)
@pytest.mark.parametrize("used", METHODS)
def test_header_and_form_carry_the_same_secret_and_nothing_stands_in_for_it(registered: str, used: str) -> None:
    client = client_of(registered)
    credentials = ClientCredentials("c_rp", used, "" if used == "none" else "s")  # type: ignore[arg-type]
    if (used == "none") == (registered == "none"):
        assert verify_client(client, credentials, now=NOW) is client
        return
    with pytest.raises(InvalidClient) as refused:
        verify_client(client, credentials, now=NOW)
    assert refused.value.challenge == (used == "client_secret_basic")


def test_unknown_client_wrong_method_and_wrong_secret_are_told_apart_to_nobody() -> None:
    said = set()
    for client, secret in (
        (None, "s"),
        (client_of("none"), "s"),
        (client_of("client_secret_basic"), "x"),
    ):
        with pytest.raises(InvalidClient) as refused:
            verify_client(client, ClientCredentials("c_rp", "client_secret_basic", secret), now=NOW)
        said.add((refused.value.description, refused.value.status, refused.value.challenge))
    assert len(said) == 1


def test_a_secret_never_shows_in_a_repr() -> None:
    assert "s3cret" not in repr(parse_client_credentials(basic("c_rp:s3cret"), form()))
