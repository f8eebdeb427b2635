from typing import Any

import pytest

import watchword_asgi
from tests.middleware.support import echo_app
from watchword_asgi import ANY, Login, Rule, Verifier, Watchword

GOOD: dict[str, Any] = {"issuer": "https://id.test", "audience": "https://api.test"}
KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
LOGIN = Login(client_id="web", cookie_keys=[KEY])
BROWSER: dict[str, Any] = {"base_url": "https://app.test", "login": LOGIN}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"audience": None}, "audience is missing"),
        ({"audience": ""}, "audience is missing"),
        ({"audience": []}, "audience is missing"),
        ({"audience": None, **BROWSER, "rules": [Rule("/api")]}, "audience is missing"),
        ({"issuer": "https://id.test "}, "white space"),
        ({"issuer": "http://id.test"}, "https address"),
        ({"issuer": "id.test"}, "https address"),
        ({"issuer": "https://"}, "https address"),
        ({"issuer": "https://id.test?x=1"}, "query"),
        ({"issuer": "https://user@id.test"}, "https address"),
        ({"issuer": "https://id.test:port"}, "https address"),
        ({"login": LOGIN}, "base_url is missing"),
        ({"login": LOGIN, "base_url": "http://app.test"}, "base_url"),
        ({"login": LOGIN, "base_url": "https://app.test?x"}, "base_url"),
        ({"rules": [Rule("/x", login=True)]}, "no login"),
        ({**BROWSER, "login": Login(client_id="web")}, "cookie_keys"),
        ({**BROWSER, "login": Login(client_id="web", cookie_keys=KEY)}, "cookie_keys"),
        ({**BROWSER, "login": Login(client_id="web", cookie_keys=["short"])}, "32 random characters"),
        ({**BROWSER, "login": Login(client_id="web", cookie_keys=["a" * 40])}, "32 random characters"),
    ],
)
def test_a_wrong_argument_stops_the_start_with_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Watchword(echo_app, **{**GOOD, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"client_id": ""},
        {"scope": "profile"},
        {"prefix": "auth"},
        {"prefix": "/auth/"},
        {"prefix": "/"},
        {"after_logout": "//evil.test"},
        {"after_logout": "https://evil.test"},
    ],
)
def test_a_wrong_login_stops_the_start_with_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Login: "):
        Login(**{"client_id": "web", "cookie_keys": [KEY], **options})


@pytest.mark.parametrize("issuer", ["http://localhost:9000", "http://127.0.0.1:9000", "http://[::1]:9000"])
def test_http_is_fine_for_this_machine(issuer: str) -> None:
    Watchword(echo_app, issuer=issuer, audience=ANY)


def test_any_is_the_only_way_to_take_tokens_meant_for_others() -> None:
    Verifier(issuer="https://id.test", audience=ANY)
    with pytest.raises(ValueError, match="ANY"):
        Verifier(issuer="https://id.test", audience="")


def test_secrets_do_not_show_in_a_repr() -> None:
    login = Login(client_id="web", client_secret="s3cret", cookie_keys=[KEY])
    assert "s3cret" not in repr(login)
    assert KEY not in repr(login)


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert watchword_asgi.__all__ == sorted(watchword_asgi.__all__)
    assert all(hasattr(watchword_asgi, name) for name in watchword_asgi.__all__)
