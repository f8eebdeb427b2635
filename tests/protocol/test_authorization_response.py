"""Where the browser is sent with an answer."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.protocol.builders import CALLBACK, ISSUER, a_client
from watchword.protocol.authorization_request import Target
from watchword.protocol.authorization_response import location, refusal, success
from watchword.protocol.errors import InvalidScope


def target(redirect_uri: str = CALLBACK, state: str | None = "s") -> Target:
    return Target(a_client(), redirect_uri, state)


def sent_to(where: Target) -> str:
    """Where a browser goes with an authorization code."""
    return location(where, success(where, authorization_code="abc", issuer=ISSUER))


def test_success_holds_code_state_and_issuer_and_nothing_else() -> None:
    assert success(target(), authorization_code="abc", issuer=ISSUER) == [
        ("code", "abc"),
        ("state", "s"),
        ("iss", ISSUER),
    ]
    assert parse_qsl(urlsplit(sent_to(target())).query) == [("code", "abc"), ("state", "s"), ("iss", ISSUER)]
    assert sent_to(target()).startswith(CALLBACK + "?")


def test_an_error_holds_the_issuer_too() -> None:
    assert refusal(target(), InvalidScope("No such scope.", detail="hidden"), issuer=ISSUER) == [
        ("error", "invalid_scope"),
        ("error_description", "No such scope."),
        ("state", "s"),
        ("iss", ISSUER),
    ]


def test_no_state_was_sent_so_none_comes_back() -> None:
    assert "state" not in sent_to(target(state=None))


@pytest.mark.parametrize("state", ["a b&c=d#e%20+é", "x" * 1024, "\r\nSet-Cookie: a=b", "</script>"])
def test_any_state_comes_back_byte_for_byte_and_breaks_nothing(state: str) -> None:
    address = sent_to(target(state=state))
    assert dict(parse_qsl(urlsplit(address).query))["state"] == state
    assert address.isascii()
    assert address.isprintable()
    assert " " not in address


@pytest.mark.parametrize(
    ("redirect_uri", "begins"),
    [
        ("https://rp.example/cb?tenant=7", "https://rp.example/cb?tenant=7&code=abc&"),
        ("com.example.rp:/cb", "com.example.rp:/cb?code=abc&"),
        ("http://[::1]:5000/cb", "http://[::1]:5000/cb?code=abc&"),
    ],
)
def test_the_redirect_uri_keeps_every_byte_it_has(redirect_uri: str, begins: str) -> None:
    assert sent_to(target(redirect_uri)).startswith(begins)
