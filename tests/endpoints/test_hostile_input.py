"""Any bytes at any route: the answer is ours, carries the security headers, leads nowhere foreign, and comes soon."""

import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import psutil
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.person import read_page
from tests.support.provider import RunningProvider
from tests.support.relying_party import REDIRECT_URI, RelyingParty
from watchword.endpoints import ENDPOINTS
from watchword.pages import PAGES

BOUNDED = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROUTES = sorted({endpoint.path.replace("/*", "/login.js") for endpoint in (*ENDPOINTS, *PAGES)} - {"/dev/clock"})
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "PURGE", "M-SEARCH")
TYPES = (
    b"application/x-www-form-urlencoded", b"application/json", b"application/x-www-form-urlencoded; charset=utf-7",
    b"multipart/form-data; boundary=x", b"text/plain", b"", b"\xff", b"application/json;" * 50,
)  # fmt: skip
NAMES = (
    "Accept", "Accept-Language", "Authorization", "Cookie", "Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode",
    "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "If-None-Match", "Range", "DPoP", "Via", "X",
)  # fmt: skip
TEXT = st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\r\n\0"))
VALUES = st.one_of(
    TEXT,
    st.sampled_from(
        [b"*", b"null", b"text/html", b"Bearer x", b"Basic " + b"A" * 400, b"en;q=\xff", b"q=0," * 500, b"a=b;" * 500,
         b"1.2.3.4, \xff", b"https://evil.example", b"cross-site", b"bytes=0-,0-,0-", b'"' * 300, b"\x7f\x80\xff"]
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """An answer as the wire gave it."""

    status: int
    headers: dict[str, str]
    body: bytes


def send(provider: RunningProvider, request: bytes) -> Answer:
    """Send bytes that no client library would, on a connection of their own."""
    with socket.create_connection(("127.0.0.1", int(provider.environment["WATCHWORD_PORT"])), timeout=30) as wire:
        wire.sendall(request)
        answer = http.client.HTTPResponse(wire, method=request.partition(b" ")[0].decode())
        answer.begin()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def build(
    provider: RunningProvider, method: str, target: bytes, headers: list[tuple[str, bytes]], body: bytes
) -> bytes:
    """Write a request for our own host."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: " + urlsplit(provider.issuer).netloc.encode()]
    lines += [name.encode() + b": " + value for name, value in headers]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close", b"", body]
    return b"\r\n".join(lines)


def check(answer: Answer, issuer: str) -> None:
    """What every answer must be, whatever was sent."""
    assert answer.status < 500 or (answer.status == 503 and "retry-after" in answer.headers), answer
    if "x-request-id" not in answer.headers:  # the wire refused it before the application
        assert answer.status in {400, 408, 431}, answer
        assert answer.headers["connection"] == "close"
        return
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "cache-control" in answer.headers
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    if 300 <= answer.status < 400:
        assert answer.status in {303, 304}
    if answer.status == 303:
        location = answer.headers["location"]
        assert location.startswith((issuer + "/", "/", REDIRECT_URI + "?")), location
        assert not location.startswith(("//", "/\\"))
        assert location.isascii()
        assert location.isprintable()


@BOUNDED
@given(
    method=st.sampled_from(METHODS),
    path=st.one_of(st.sampled_from(ROUTES).map(str.encode), TEXT.map(lambda raw: b"/" + raw.replace(b" ", b""))),
    query=st.one_of(st.just(b""), TEXT.map(lambda raw: b"?" + raw.replace(b" ", b"").replace(b"#", b""))),
    headers=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6),
    media_type=st.sampled_from(TYPES),
    body=st.binary(max_size=120),
)
@example("GET", b"/..//..%2f..%2fetc/passwd", b"", [], b"", b"")
@example("GET", b"/login/static/..%2f..%2fbrand.py", b"", [], b"", b"")
@example("GET", b"/authorize", b"?" + b"%" * 200, [], b"", b"")
@example("POST", b"/token", b"", [("Authorization", b"Basic \xff\xfe")], TYPES[0], b"grant_type=\xff")
@example("POST", b"/register", b"", [], TYPES[1], b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}")
@example("POST", b"/register", b"", [], TYPES[1], b'{"a":' + b"9" * 5000 + b"}")
@example("POST", b"/register", b"", [], TYPES[1], b'{"a":NaN,"a":1e400}')
def test_any_bytes_at_any_route_have_an_answer_of_ours(
    provider: RunningProvider,
    method: str,
    path: bytes,
    query: bytes,
    headers: list[tuple[str, bytes]],
    media_type: bytes,
    body: bytes,
) -> None:
    request = build(provider, method, path + query, [*headers, ("Content-Type", media_type)], body)
    check(send(provider, request), provider.issuer)


TARGETS = (
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil.example",
    "https:evil.example", "https:///evil.example", "javascript:alert(1)", "data:text/html,x", "/%2f/evil.example",
    f"{REDIRECT_URI}@evil.example", f"{REDIRECT_URI}.evil.example", f"{REDIRECT_URI}/../../evil", f"{REDIRECT_URI}#x",
    f"{REDIRECT_URI}%0d%0aSet-Cookie:x=y", f"{REDIRECT_URI}\r\nSet-Cookie: x=y", f" {REDIRECT_URI}",
    f"{REDIRECT_URI}?x=1", REDIRECT_URI.upper(), REDIRECT_URI.replace("127.0.0.1", "127.0.0.1.evil.example"),
    REDIRECT_URI.replace("http:", "https:"), REDIRECT_URI.replace("/callback", "/callback/"),
    REDIRECT_URI.replace("127.0.0.1", "0x7f.1"), REDIRECT_URI.replace("127.0.0.1", "user@127.0.0.1"), "http://\uff0fevil.example",
)  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_that_is_not_registered_is_ever_redirected_to(
    http: httpx2.Client, party: RelyingParty, target: str
) -> None:
    for changes in ({}, {"response_type": "token"}, {"prompt": "none"}, {"scope": None}, {"client_id": "nobody"}):
        answer = http.get(party.authorization_url(**({"redirect_uri": target} | changes)))
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "evil" not in answer.headers.get("refresh", "")
    answer = http.get("/logout", params={"post_logout_redirect_uri": target, "client_id": party.client_id})
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/login", "/login/code", "/consent", "/logout/confirm", "/logout/done"])
@pytest.mark.parametrize("name", ["return_to", "next", "redirect_uri", "continue", "post_logout_redirect_uri", "url"])
def test_pages_follow_no_address_in_their_query(http: httpx2.Client, path: str, name: str) -> None:
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = http.get(path, params={name: target, "interaction": target})
        assert "evil.example" not in answer.headers.get("location", "")
        assert "evil.example" not in answer.text.replace("&#", "")


HOSTILE_TEXT = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60),
    st.sampled_from(["a@" * 500, "+" * 900, "1" * 900, "\u202e\u0000x", "a@b.example\r\nBcc: x", "٤٢٤٢٤٢", "💥" * 200]),
)


@pytest.fixture(scope="module")
def fields(provider: RunningProvider, party: RelyingParty) -> Iterator[tuple[httpx2.Client, dict[str, str]]]:
    """A browser at the login page, and what its form carries."""
    with httpx2.Client(base_url=provider.issuer, timeout=30, headers={"accept": "text/html"}) as browser:
        first = browser.get(party.authorization_url())
        form = read_page(browser.get(first.headers["location"])).form_with("identifier")
        yield browser, form.fields


@BOUNDED
@given(
    path=st.sampled_from(sorted(page.path for page in PAGES if "POST" in page.methods)),
    changes=st.dictionaries(
        st.sampled_from(["identifier", "one_time_code", "decision", "country", "locale", "interaction", "csrf", "x"]),
        HOSTILE_TEXT,
        max_size=4,
    ),
)
def test_any_text_in_a_form_of_ours_has_an_answer(
    provider: RunningProvider, fields: tuple[httpx2.Client, dict[str, str]], path: str, changes: dict[str, str]
) -> None:
    browser, own = fields
    answer = browser.post(path, data=own | changes, headers={"sec-fetch-site": "same-origin"})
    seen = {name.lower(): value for name, value in answer.headers.items()}
    check(Answer(answer.status_code, seen, answer.content), provider.issuer)


BAITS = (
    "a", "1", "@", "a@", "a.", "-", "+1", " ", "%", "\u0130", "=", ",", ";q=0.1,", "A=", '"', "\\", "http://a.", "/../",
    "{[",
)  # fmt: skip
FIELDS = {
    "/authorize": ("client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age", "ui_locales",
                   "login_hint", "id_token_hint", "resource", "claims", "acr_values", "code_challenge",
                   "response_mode", "request"),
    "/token": ("grant_type", "code", "code_verifier", "redirect_uri", "refresh_token", "scope", "resource", "client_id",
               "client_secret", "client_assertion"),
    "/logout": ("id_token_hint", "post_logout_redirect_uri", "client_id", "state", "ui_locales"),
    "/userinfo": ("access_token",),
    "/introspect": ("token", "token_type_hint"),
    "/login": ("identifier", "interaction", "csrf"),
    "/login/code": ("one_time_code",),
}  # fmt: skip
LONG = 100_000
FITTING = 8_000  # characters that still pass the limits, and are looked at


def server_seconds(provider: RunningProvider) -> float:
    """CPU time that the provider has used so far, which a busy machine does not change."""
    process = psutil.Process(provider.process.pid)
    return sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))


@pytest.mark.parametrize(("size", "baits"), [(LONG, BAITS[:2]), (FITTING, BAITS)])
def test_a_long_value_in_any_field_takes_less_than_20_ms(
    provider: RunningProvider, fields: tuple[httpx2.Client, dict[str, str]], size: int, baits: tuple[str, ...]
) -> None:
    browser, own = fields
    for path, names in FIELDS.items():
        for name in names:
            before = server_seconds(provider)
            for bait in baits:
                value = (bait * size)[:size]
                form = {"grant_type": "authorization_code", "response_type": "code"} if path != "/login" else dict(own)
                answer = browser.post(
                    path, content=urlencode(form | {name: value}),
                    headers={"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"},
                )  # fmt: skip
                assert answer.status_code < 500
                if size == LONG:
                    assert answer.status_code == 413, (path, name)
            used = (server_seconds(provider) - before) / len(baits)
            assert used < 0.020, (path, name, used)


HEADERS = ("accept", "accept-language", "authorization", "cookie", "if-none-match", "origin", "x-forwarded-for")


@pytest.mark.parametrize("name", HEADERS)
def test_a_long_header_takes_less_than_20_ms(provider: RunningProvider, http: httpx2.Client, name: str) -> None:
    before = server_seconds(provider)
    for bait, path in product(
        ("a", ",", ";q=0.1,", "a=b;", "1.1.1.1,", "Basic ", '"'), ("/authorize", "/jwks", "/userinfo")
    ):
        check_status = http.get(path, headers={name: (bait * 12_000)[:12_000].strip()}).status_code
        assert check_status < 500
    assert (server_seconds(provider) - before) / 21 < 0.020


def test_a_query_of_100_kilobytes_is_refused(provider: RunningProvider) -> None:
    for path in ROUTES:
        answer = send(provider, build(provider, "GET", f"{path}?state={quote('a' * LONG)}".encode(), [], b""))
        assert answer.status in {414, 431}, (path, answer.status)
