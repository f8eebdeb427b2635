"""/authorize when something is wrong: displayed before client and redirect URI are trusted, redirected after."""

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.support.provider import RunningProvider
from tests.support.relying_party import REDIRECT_URI, RelyingParty


def answer_of(location: str) -> dict[str, str]:
    assert location.startswith(REDIRECT_URI + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


OWN_AGAIN = "&" + urlencode({"redirect_uri": REDIRECT_URI})
DISPLAYED: list[tuple[str, dict[str, str | None], str]] = [
    ("an unknown client", {"client_id": "c_nobody"}, ""),
    ("no client", {"client_id": None}, ""),
    ("a client_id beyond any length", {"client_id": "c" * 5000}, ""),
    ("a client twice", {}, "&client_id=c_other"),
    ("a foreign redirect_uri", {"redirect_uri": "https://evil.example/"}, ""),
    ("a longer redirect_uri", {"redirect_uri": REDIRECT_URI + "/x"}, ""),
    ("a redirect_uri with a query added", {"redirect_uri": REDIRECT_URI + "?x=1"}, ""),
    ("no redirect_uri", {"redirect_uri": None}, ""),
    ("a redirect_uri twice", {}, "&redirect_uri=https%3A%2F%2Fevil.example"),
    ("a redirect_uri twice where none is needed", {"scope": "profile"}, "&redirect_uri=https%3A%2F%2Fevil.example"),
    ("its own redirect_uri twice", {}, OWN_AGAIN),
    ("a foreign redirect_uri before its own", {"redirect_uri": "https://evil.example/"}, OWN_AGAIN),
    ("a script for a redirect_uri", {"redirect_uri": "javascript:alert(1)"}, ""),
    ("an unknown client and a wrong response_type", {"client_id": "x", "response_type": "x"}, ""),
    ("a foreign redirect_uri and a request object", {"redirect_uri": "https://evil.example/", "request": "x"}, ""),
    ("a foreign redirect_uri and prompt=none", {"redirect_uri": "https://evil.example/", "prompt": "none"}, ""),
    ("bytes that are not UTF-8", {}, "&x=%ff"),
    ("a NUL", {}, "&state=%00"),
    ("65 parameters", {}, "".join(f"&p{number}=1" for number in range(65))),
]


@pytest.mark.parametrize(("changes", "more"), [row[1:] for row in DISPLAYED], ids=[row[0] for row in DISPLAYED])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_trusted_target_the_person_gets_a_page(
    http: httpx2.Client, party: RelyingParty, changes: dict[str, str | None], more: str, method: str
) -> None:
    query = urlsplit(party.authorization_url(**changes)).query + more
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = (
        http.get("/authorize?" + query) if method == "GET" else http.post("/authorize", content=query, headers=form)
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "location" not in answer.headers
    assert "http-equiv" not in answer.text.lower()
    assert "evil.example" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


REDIRECTED: list[tuple[str, dict[str, str | None], str, str]] = [
    ("no response_type", {"response_type": None}, "", "invalid_request"),
    ("a response_type we lack", {"response_type": "id_token"}, "", "unsupported_response_type"),
    ("an implicit response_type", {"response_type": "token"}, "", "unsupported_response_type"),
    ("a hybrid response_type", {"response_type": "code id_token"}, "", "unsupported_response_type"),
    ("a code and a token", {"response_type": "code token"}, "", "unsupported_response_type"),
    ("nothing for a response_type", {"response_type": "none"}, "", "unsupported_response_type"),
    ("a request object", {"request": "x"}, "", "request_not_supported"),
    ("a request_uri", {"request_uri": "https://rp.example/x"}, "", "request_uri_not_supported"),
    ("a registration", {"registration": "{}"}, "", "registration_not_supported"),
    ("a response_mode we lack", {"response_mode": "fragment"}, "", "invalid_request"),
    ("an unknown prompt", {"prompt": "maybe"}, "", "invalid_request"),
    ("prompt none and login", {"prompt": "none login"}, "", "invalid_request"),
    ("a bad max_age", {"max_age": "soon"}, "", "invalid_request"),
    ("PKCE plain", {"code_challenge_method": "plain"}, "", "invalid_request"),
    ("no PKCE", {"code_challenge": None, "code_challenge_method": None}, "", "invalid_request"),
    ("an unknown resource", {"resource": "https://other.example"}, "", "invalid_target"),
    ("no scope", {"scope": None}, "", "invalid_scope"),
    ("a scope nobody has", {"scope": "root"}, "", "invalid_scope"),
    ("a nonce twice", {}, "&nonce=x", "invalid_request"),
    ("a hint that is no token", {"id_token_hint": "x.y.z"}, "", "invalid_request"),
    ("nobody signed in", {"prompt": "none"}, "", "login_required"),
]


@pytest.mark.parametrize(
    ("changes", "more", "error"), [row[1:] for row in REDIRECTED], ids=[row[0] for row in REDIRECTED]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_with_a_trusted_target_the_client_gets_the_error_with_state_and_issuer(
    http: httpx2.Client,
    provider: RunningProvider,
    party: RelyingParty,
    changes: dict[str, str | None],
    more: str,
    error: str,
    method: str,
) -> None:
    query = urlsplit(party.authorization_url(**changes)).query + more
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = (
        http.get("/authorize?" + query) if method == "GET" else http.post("/authorize", content=query, headers=form)
    )
    assert answer.status_code == 303
    location = answer.headers["location"]
    if method == "POST" and location.startswith(provider.issuer):  # what needs the browser's cookies goes on by GET
        browser = http.get(location, headers={"cookie": a_browser(provider)})
        location = browser.headers["location"]
    assert answer_of(location).keys() == {"error", "error_description", "state", "iss"}
    assert (answer_of(location)["error"], answer_of(location)["iss"]) == (error, provider.issuer)
    assert answer_of(location)["state"] == party.state


def a_browser(provider: RunningProvider) -> str:
    """Return the cookie of a browser that was here before and is not signed in."""
    port = urlsplit(provider.issuer).port
    return f"watchword_browser_{port}={'b' * 43}"


def test_a_state_of_128_characters_comes_back_whole_and_an_ambiguous_one_not_at_all(
    http: httpx2.Client, party: RelyingParty
) -> None:
    state = "Aa0~-_. +/=&%" * 10
    answer = http.get(party.authorization_url(prompt="none", state=state[:128]))
    assert answer_of(answer.headers["location"])["state"] == state[:128]
    twice = http.get(party.authorization_url() + "&state=x")
    assert "state" not in answer_of(twice.headers["location"])
    without = http.get(party.authorization_url(prompt="none", state=None))
    assert "state" not in answer_of(without.headers["location"])


def test_a_query_beyond_eight_kilobytes_is_too_large(http: httpx2.Client, party: RelyingParty) -> None:
    answer = http.get(party.authorization_url(extra="x" * 8192))
    assert answer.status_code == 414
    assert "location" not in answer.headers


def test_a_form_beyond_32_kilobytes_is_too_large(http: httpx2.Client) -> None:
    answer = http.post("/authorize", data={"client_id": "x", "pad": "x" * 33_000})
    assert answer.status_code == 413


def test_a_post_of_another_content_type_is_a_page(http: httpx2.Client) -> None:
    answer = http.post("/authorize", json={"client_id": "x"})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (400, "text/html")


def test_an_unknown_interaction_and_no_cookie_are_pages(http: httpx2.Client, provider: RunningProvider) -> None:
    for interaction in ("x" * 22, "short", "x" * 5000, "%00"):
        for headers in ({}, {"cookie": a_browser(provider)}):
            answer = http.get("/authorize?" + urlencode({"interaction": interaction}), headers=headers)
            assert answer.status_code == 400
            assert "location" not in answer.headers
