"""Redirect URIs at /authorize: exactly what is registered, native apps included, or a page and no redirect."""

import httpx2
import pytest

from tests.endpoints.parties import ANSWER, REFUSAL, answer_at, self_registered
from tests.endpoints.people import authorized, prove
from tests.login.doors import page_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty

QUERIED = "https://rp.example/callback?bar=foo"
OTHER = "https://rp.example/other"
PRIVATE, LINK = "com.example.notes:/signed-in", "https://app.example.com/signed-in"
LOOPBACK, LOOPBACK_6 = "http://127.0.0.1/signed-in", "http://[::1]/signed-in"
BY_NAME = "http://localhost:3000/signed-in"


@pytest.fixture(scope="module")
def web(provider: RunningProvider) -> RelyingParty:
    """Two redirect URIs, one with a query of its own."""
    return self_registered(provider, redirect_uris=[QUERIED, OTHER], scope="openid")


@pytest.fixture(scope="module")
def app(provider: RunningProvider) -> RelyingParty:
    """A native app: a public client behind a private-use scheme, an app link and loopback (RFC 8252 section 7)."""
    return self_registered(
        provider,
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=[PRIVATE, LINK, LOOPBACK, LOOPBACK_6, BY_NAME],
        scope="openid",
    )


async def test_a_redirect_uri_with_a_query_keeps_it_and_gets_the_answer_behind_it(web: RelyingParty) -> None:
    async with Person() as person:
        await person.open(web.authorization_url(scope="openid"))
        await prove(person)
        assert person.landed is not None
        assert answer_at(person.landed, QUERIED).keys() == ANSWER
        code = person.answer()["code"]
    assert (await web.exchange(code)).status_code == 200


WRONG: list[tuple[str, str | None]] = [
    ("none of two", None),
    ("another query", "https://rp.example/callback?bar=baz"),
    ("a query added", "https://rp.example/other?bar=foo"),
    ("more in the query", QUERIED + "&bar=foo"),
    ("the query missing", "https://rp.example/callback"),
    ("the query emptied", "https://rp.example/callback?"),
    ("a longer path", OTHER + "/x"),
    ("a fragment", OTHER + "#x"),
    ("another scheme", "http://rp.example/other"),
    ("another port", "https://rp.example:8443/other"),
    ("the default port", "https://rp.example:443/other"),
    ("another case", "https://RP.example/other"),
    ("a dot segment", "https://rp.example/x/../other"),
    ("encoded otherwise", "https://rp.example/%6fther"),
    ("a user name", "https://rp.example@evil.example/other"),
    ("a backslash", "https://rp.example\\@evil.example/other"),
    ("a tab", "https://rp.example/\tother"),
    ("a space behind", OTHER + " "),
]


@pytest.mark.parametrize("redirect_uri", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_what_is_not_registered_byte_for_byte_shows_a_page(
    http: httpx2.Client, web: RelyingParty, redirect_uri: str | None, mode: str
) -> None:
    for changes in ({}, {"prompt": "none"}, {"response_type": "token"}, {"request": "x"}):
        url = web.authorization_url(redirect_uri=redirect_uri, scope="openid", response_mode=mode, **changes)
        refuses_with_a_page(http, url)


def refuses_with_a_page(http: httpx2.Client, url: str) -> None:
    answer = http.get(url)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "location" not in answer.headers
    assert "<form" not in answer.text
    assert "http-equiv" not in answer.text


def test_a_request_object_does_not_get_round_a_wrong_redirect_uri(http: httpx2.Client, web: RelyingParty) -> None:
    """Row 36 of the Basic profile: a redirect with request_not_supported to an unregistered address would be wrong."""
    unsigned = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL3JwLmV4YW1wbGUvb3RoZXIifQ."
    for name, value in (("request", unsigned), ("request_uri", "https://rp.example/request.jwt#x")):
        refuses_with_a_page(http, web.authorization_url(redirect_uri="https://evil.example/cb", **{name: value}))
        answer = http.get(web.authorization_url(redirect_uri=OTHER, **{name: value}))
        told = answer_at(answer.headers["location"], OTHER)
        assert told.keys() == REFUSAL
        assert (told["error"], told["state"]) == (f"{name}_not_supported", web.state)


@pytest.mark.parametrize("name", ["request", "request_uri"])
def test_discovery_says_that_request_objects_are_refused(http: httpx2.Client, name: str) -> None:
    document = http.get("/.well-known/openid-configuration").json()
    assert document[f"{name}_parameter_supported"] is False
    assert document["request_object_signing_alg_values_supported"] == ["RS256"]


@pytest.mark.parametrize(
    "redirect_uri",
    [
        PRIVATE, LINK, BY_NAME, "http://127.0.0.1:49152/signed-in", "http://127.0.0.1/signed-in",
        "http://[::1]:1025/signed-in",
    ],
)  # fmt: skip
async def test_a_native_app_is_answered_where_it_listens(app: RelyingParty, redirect_uri: str) -> None:
    async with Person() as person:
        await authorized(person, app.authorization_url(scope="openid", redirect_uri=redirect_uri))
        assert person.landed is not None
        assert answer_at(person.landed, redirect_uri).keys() == ANSWER
        code = person.answer()["code"]
    assert (await app.exchange(code, redirect_uri=redirect_uri)).status_code == 200


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "com.example.notes:/other", "com.example.notes2:/signed-in", "com.example.notes://signed-in",
        "COM.example.notes:/signed-in", "https://app.example.com:8443/signed-in", "http://localhost:49152/signed-in",
        "http://localhost/signed-in",
        "http://127.0.0.1:49152/other", "http://127.0.0.1:0/signed-in", "http://127.0.0.1:99999999/signed-in",
        "http://127.0.0.2:49152/signed-in", "http://127.1:49152/signed-in", "https://127.0.0.1:49152/signed-in",
        "http://127.0.0.1:49152@evil.example/signed-in", "http://[::ffff:127.0.0.1]:49152/signed-in",
    ],
)  # fmt: skip
def test_only_the_port_of_a_literal_loopback_address_is_free(
    http: httpx2.Client, app: RelyingParty, redirect_uri: str
) -> None:
    refuses_with_a_page(http, app.authorization_url(scope="openid", redirect_uri=redirect_uri))


def test_an_app_without_pkce_is_told_so(http: httpx2.Client, app: RelyingParty) -> None:
    url = app.authorization_url(scope="openid", code_challenge=None, code_challenge_method=None)
    told = answer_at(http.get(url).headers["location"], PRIVATE)
    assert (told["error"], told["state"]) == ("invalid_request", app.state)
    assert "PKCE" in told["error_description"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_posted_to_a_private_scheme(http: httpx2.Client, app: RelyingParty, method: str) -> None:
    address, _, query = app.authorization_url(scope="openid", response_mode="form_post").partition("?")
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = http.get(f"{address}?{query}") if method == "GET" else http.post(address, content=query, headers=form)
    assert answer.status_code == 303
    told = answer_at(answer.headers["location"], PRIVATE)
    assert (told["error"], told["state"]) == ("invalid_request", app.state)
    assert "form_post" in told["error_description"]


async def test_an_app_link_and_loopback_can_be_posted_to(app: RelyingParty) -> None:
    async with Person() as person:
        await authorized(person, app.authorization_url(scope="openid"))
        for redirect_uri in (LINK, "http://127.0.0.1:49152/signed-in"):
            url = app.authorization_url(scope="openid", redirect_uri=redirect_uri, response_mode="form_post")
            await person.open(url)
            [form] = page_of(person).forms
            assert form.action == redirect_uri
            assert form.fields.keys() == ANSWER
