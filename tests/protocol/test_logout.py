"""RP-initiated logout: where the browser may go, and whether its person must be asked."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.protocol.builders import a_client
from watchword.protocol.errors import DisplayedError
from watchword.protocol.logout import LogoutRequest, Participant, logout_token_claims, parse_logout_request
from watchword.protocol.parameters import Parameters

BYE = "https://rp.example/bye"
CLIENT = a_client(post_logout_redirect_uris=(BYE, "http://127.0.0.1/bye", BYE + "?a=1"))
HINT = {"sub": "s", "sid": "1", "aud": "c_rp"}


def asked(*pairs: tuple[str, str], hint: dict[str, str] | None = None, known: bool = True) -> LogoutRequest:
    return parse_logout_request(Parameters(list(pairs)), client=CLIENT if known else None, hint=hint)


@pytest.mark.parametrize(
    ("pairs", "location"),
    [
        ([], None),
        ([("state", "x")], None),
        ([("post_logout_redirect_uri", ""), ("state", "x")], None),
        ([("post_logout_redirect_uri", BYE)], BYE),
        ([("post_logout_redirect_uri", BYE), ("state", "a&b")], BYE + "?state=a%26b"),
        ([("post_logout_redirect_uri", BYE + "?a=1"), ("state", "x")], BYE + "?a=1&state=x"),
    ],
)
def test_where_the_browser_goes_back_to(pairs: list[tuple[str, str]], location: str | None) -> None:
    assert asked(*pairs, hint=HINT).return_location == location


@pytest.mark.parametrize(
    "uri",
    [BYE + "/", BYE + "?b=1", BYE + "#", "https://evil.example/bye", "//rp.example/bye", "/\\evil.example",
     "javascript:x", "http://127.0.0.1:5000/bye", BYE + "\n", "HTTPS://rp.example/bye"],
)  # fmt: skip
def test_a_foreign_address_is_displayed_even_with_a_good_hint(uri: str) -> None:
    with pytest.raises(DisplayedError) as shown:
        asked(("post_logout_redirect_uri", uri), hint=HINT)
    assert shown.value.page == "redirect_uri_mismatch"


@pytest.mark.parametrize(
    ("pairs", "hint", "page"),
    [
        ([], None, "id_token_hint_missing"),
        ([("client_id", "")], None, "id_token_hint_missing"),
        ([("client_id", "c_gone")], None, "unknown_client"),
        ([], HINT, "unknown_client"),
    ],
)
def test_without_a_client_no_address_is_trusted_and_the_page_says_what_is_missing(
    pairs: list[tuple[str, str]], hint: dict[str, str] | None, page: str
) -> None:
    with pytest.raises(DisplayedError) as shown:
        asked(("post_logout_redirect_uri", BYE), *pairs, hint=hint, known=False)
    assert shown.value.page == page


@pytest.mark.parametrize(
    "pairs", [[("client_id", "c_other")], [("state", "a"), ("state", "b")], [("x", "1"), ("x", "2")]]
)
def test_a_request_that_contradicts_itself_is_displayed(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(DisplayedError) as shown:
        asked(*pairs, hint=HINT)
    assert shown.value.page == "invalid_request"


@pytest.mark.parametrize(
    ("hint", "session", "named"),
    [
        (None, ("1", "s"), False),
        (HINT, ("1", "s"), True),
        (HINT, ("2", "s"), False),
        (HINT, ("1", "other"), False),
        (HINT, (None, None), False),
        ({"sub": "s"}, ("1", "s"), True),
        ({}, ("1", "s"), False),
    ],
)
def test_only_a_hint_about_this_very_session_spares_the_question(
    hint: dict[str, str] | None, session: tuple[str | None, str | None], named: bool
) -> None:
    assert asked(hint=hint).names_session(*session) is named


def test_a_logout_token_says_who_about_whom_and_nothing_that_an_id_token_would() -> None:
    claims = logout_token_claims(
        issuer="https://id.example",
        client_id="c_rp",
        subject="s",
        session_id="1",
        jti="j",
        now=datetime.fromtimestamp(9, UTC),
    )
    assert claims == {
        "iss": "https://id.example", "aud": "c_rp", "sub": "s", "sid": "1", "jti": "j", "iat": 9, "exp": 129,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("uri", "frame"),
    [
        (None, None),
        ("https://rp.example/out", "https://rp.example/out?iss=https%3A%2F%2Fid.example&sid=" + str(UUID(int=1))),
        (
            "https://rp.example/out?a=1&a=2",
            "https://rp.example/out?a=1&a=2&iss=https%3A%2F%2Fid.example&sid=" + str(UUID(int=1)),
        ),
    ],
)
def test_a_frame_names_issuer_and_session_behind_the_query_it_has(uri: str | None, frame: str | None) -> None:
    client = Participant("c_rp", "RP", None, uri)
    assert client.frame(issuer="https://id.example", session_id=UUID(int=1)) == frame
