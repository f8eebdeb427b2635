"""Whatever is sent, the answer is ours: a page, a redirect or a refusal, never an error of the server."""

from urllib.parse import urlencode, urlsplit

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.relying_party import RelyingParty

BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

NAMES = (
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age",
    "code_challenge", "code_challenge_method", "login_hint", "id_token_hint", "ui_locales", "resource", "request",
    "interaction", "grant_type", "code", "code_verifier", "refresh_token", "client_secret", "client_assertion",
    "post_logout_redirect_uri", "access_token", "",
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "9" * 40, "none", "login none", "S256", "plain", "code", "openid", "authorization_code",
         "refresh_token", "client_credentials", "a.b.c", "..", "\ud7ff", "\U0010ffff", "\x7f", "\r\nx: y", "x" * 2000,
         "wr1.a.00000000000000000000000000000000.0." + "A" * 43, "http://[", "https://[::1]x", "javascript:x"]
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40),
)  # fmt: skip
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=8)
HEADERS = st.sampled_from(["", "Basic", "Basic Og==", "Basic /w==", "Bearer x", "Basic YTpi"])
FORM = {"content-type": "application/x-www-form-urlencoded"}


def check(answer: httpx2.Response) -> None:
    assert answer.status_code in {200, 303, 400, 401, 413}, (answer.status_code, answer.text)
    if answer.status_code == 303:
        assert answer.headers["location"].isprintable()


@BOUNDED
@given(pairs=PAIRS, good=st.booleans(), method=st.sampled_from(["GET", "POST"]))
def test_authorize_always_has_an_answer(
    http: httpx2.Client, party: RelyingParty, pairs: list[tuple[str, str]], good: bool, method: str
) -> None:
    query = urlencode(pairs)
    if good:  # a good request with something wrong before it gets further than noise alone
        query += "&" + urlsplit(party.authorization_url()).query
    if method == "GET":
        check(http.get(f"/authorize?{query}"))
    else:
        check(http.post("/authorize", content=query, headers=FORM))


@BOUNDED
@given(pairs=PAIRS, grant_type=VALUES, authenticated=st.booleans(), header=HEADERS)
def test_token_always_has_an_answer(
    http: httpx2.Client,
    party: RelyingParty,
    public: RelyingParty,
    pairs: list[tuple[str, str]],
    grant_type: str,
    authenticated: bool,
    header: str,
) -> None:
    headers = {**FORM}
    if authenticated:
        pairs = [pair for pair in pairs if pair[0] not in {"client_id", "client_secret"}]
        pairs = [("client_id", public.client_id), ("grant_type", grant_type), *pairs]
    else:
        headers["authorization"] = header
    check(http.post("/token", content=urlencode(pairs), headers=headers))


@BOUNDED
@given(query=st.binary(max_size=60))
def test_any_bytes_for_a_query_or_a_form_have_an_answer(http: httpx2.Client, query: bytes) -> None:
    escaped = "".join(chr(byte) if 0x21 <= byte < 0x7F and byte not in b'#"<>`{}' else f"%{byte:02x}" for byte in query)
    check(http.get(f"/authorize?{escaped}"))
    check(http.get(f"/logout?{escaped}"))
    check(http.post("/token", content=query, headers=FORM))
    check(http.post("/userinfo", content=query, headers=FORM))
