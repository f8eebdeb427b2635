from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword_asgi.browser.return_to import safe_return_to

HOSTILE = [
    "",
    "https://evil.test",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "/ /evil.test",
    "\t//evil.test",
    " //evil.test",
    "javascript:alert(1)",
    "/x\r\nSet-Cookie: a=b",
    "/x\0",
    "/path\\..\\evil",
    "/ü",
    "/x#fragment",
    "evil.test",
    "?x=1",
    "@evil.test",
    "/auth/login",
    "/auth/logout?x=1",
    "/auth",
    "/" + "a" * 2000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_not_a_plain_path_of_this_app_leads_home(text: str) -> None:
    assert safe_return_to(text, never_below="/auth") == "/"


@pytest.mark.parametrize(
    "text", ["/", "/a", "/a/b?c=d&e=%20", "/a?next=https://x.test//y", "/authors", "/a%2F%2Fb", "/a;b", "/x?"]
)
def test_a_plain_path_is_kept(text: str) -> None:
    assert safe_return_to(text, never_below="/auth") == text


@given(st.text(max_size=40))
def test_nothing_leads_to_another_site(text: str) -> None:
    target = urlsplit(urljoin("https://app.test/auth/callback", safe_return_to(text, never_below="/auth")))
    assert (target.scheme, target.netloc) == ("https", "app.test")
