"""A person with a browser that only speaks HTML: reads pages, fills forms, follows links, keeps cookies.

Nothing here knows the provider's internals: it parses what any browser would, so it also proves that the pages work
without JavaScript.
"""

import ipaddress
import re
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

from tests.support.provider import RunningProvider, http_client
from tests.support.secrecy import remember_secret

_REFRESH = re.compile(r"\s*\d+\s*;\s*url=(.+)", re.IGNORECASE)


@dataclass
class Form:
    """A form as it stands on a page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Page:
    """A page as a person meets it."""

    url: str
    status: int
    text: str
    headers: httpx2.Headers
    forms: list[Form] = field(default_factory=list)
    refresh: str | None = None
    title: str = ""

    def form_with(self, name: str) -> Form:
        """Return the form that has a field or a button of that name or id."""
        for form in self.forms:
            if name in form.fields or name in form.buttons:
                return form
        raise AssertionError(f"no form with {name} on {self.url} ({self.status}): {self.text[:2000]}")


def fresh_address() -> str:
    """An address that nobody came from before; providers of tests believe whoever forwards it."""
    return str(ipaddress.IPv4Address(int(ipaddress.IPv4Address("10.0.0.0")) + secrets.randbelow(2**24)))


class Person:
    """One browser, at an address of its own. `language` is its Accept-Language."""

    def __init__(self, *, language: str = "en", address: str | None = None) -> None:
        self.address = fresh_address() if address is None else address
        self.http = http_client(
            headers={"accept": "text/html", "accept-language": language, "x-forwarded-for": self.address}
        )
        self.page: Page | None = None
        self.landed: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def open(self, url: str) -> Page | None:
        """Go to an address. Returns None when the browser was sent to a relying party (`landed` says where)."""
        return await self._follow("GET", url, None)

    async def submit(self, form: Form, button: str | None = None, **values: str) -> Page | None:
        """Fill a form and press a button."""
        assert self.page is not None
        pressed = form.buttons.get(button, {}) if button else {}
        fields = form.fields | values
        if pressed.get("name"):
            fields[pressed["name"]] = pressed.get("value", "")
        action = urljoin(self.page.url, pressed.get("formaction") or form.action)
        return await self._follow(form.method, action, fields)

    async def type_identifier(self, identifier: str, **values: str) -> Page | None:
        """Type who you are and continue."""
        assert self.page is not None
        remember_secret(identifier)
        return await self.submit(self.page.form_with("identifier"), "continue", identifier=identifier, **values)

    async def type_code(self, one_time_code: str) -> Page | None:
        """Type the code and continue."""
        assert self.page is not None
        return await self.submit(self.page.form_with("one_time_code"), "continue", one_time_code=one_time_code)

    async def sign_in(self, provider: RunningProvider, url: str, identifier: str) -> dict[str, str]:
        """Open an authorization request and sign in; returns the answer at the redirect URI."""
        await self.walk(provider, url, identifier)
        return self.answer()

    async def walk(self, provider: RunningProvider, url: str, identifier: str) -> None:
        """Open an address, and sign in and agree where that is asked; wherever it leads then."""
        await self.open(url)
        if self.page is not None and any("identifier" in form.fields for form in self.page.forms):
            before = await self._newest_id(provider, identifier)
            await self.type_identifier(identifier)
            message = await provider.newest_message(identifier, after=before)
            await self.type_code(message["one_time_code"])
        if self.page is not None and any(
            "decision" in b.get("name", "") for f in self.page.forms for b in f.buttons.values()
        ):
            await self.submit(self.page.form_with("continue"), "continue")

    def answer(self) -> dict[str, str]:
        """Return the parameters the relying party was sent."""
        assert self.landed is not None, self.page and (self.page.status, self.page.url, self.page.text[:1500])
        answer = {name: values[0] for name, values in parse_qs(urlsplit(self.landed).query).items()}
        if "code" in answer:
            remember_secret(answer["code"])
        return answer

    async def _newest_id(self, provider: RunningProvider, to: str) -> str | None:
        answer = await self.http.get(f"{provider.issuer}/dev/mailbox.json", params={"to": to})
        messages = answer.json()["messages"]
        return messages[0]["id"] if messages else None

    async def _follow(self, method: str, url: str, fields: dict[str, str] | None) -> Page | None:
        home = self._origin(self.page.url if self.page else url)
        self.page, self.landed = None, None
        for _ in range(20):
            answer = await self._request(method, url, fields, home)
            for cookie in answer.cookies.jar:
                remember_secret(cookie.value or "")
            if answer.status_code == 303:
                method, fields, url = "GET", None, urljoin(url, answer.headers["location"])
            else:
                page = read_page(answer)
                self.page = page
                if page.refresh is None:
                    return page
                method, fields, url = "GET", None, urljoin(url, page.refresh)
            if self._origin(url) != home:
                self.page, self.landed = None, url
                return None
        raise AssertionError("too many redirects")

    async def _request(self, method: str, url: str, fields: dict[str, str] | None, origin: str) -> httpx2.Response:
        if method.upper() == "POST":
            headers = {"origin": origin, "sec-fetch-site": "same-origin"}
            return await self.http.post(url, data=fields, headers=headers)
        return await self.http.get(url)

    @staticmethod
    def _origin(url: str) -> str:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}"


def read_page(answer: httpx2.Response) -> Page:
    """Read an HTML answer."""
    reader = _Reader()
    reader.feed(answer.text)
    return Page(
        str(answer.url), answer.status_code, answer.text, answer.headers, reader.forms, reader.refresh, reader.title
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.refresh: str | None = None
        self.title = ""
        self._inside: Form | None = None
        self._select: str | None = None
        self._in_title = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values: dict[str, Any] = {name: value if value is not None else "" for name, value in attributes}
        if tag == "title":
            self._in_title = True
        elif tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            match = _REFRESH.match(values["content"])
            self.refresh = match[1] if match else None
        elif tag == "form":
            self._inside = Form(values.get("action", ""), values.get("method", "get").upper())
            self.forms.append(self._inside)
        elif self._inside is not None:
            self._control(tag, values)

    def _control(self, tag: str, values: dict[str, Any]) -> None:
        assert self._inside is not None
        if tag == "input" and values.get("name"):
            self._inside.fields[values["name"]] = values.get("value", "")
        elif tag == "select":
            self._select = values.get("name")
        elif tag == "option" and self._select and ("selected" in values or self._select not in self._inside.fields):
            self._inside.fields[self._select] = values.get("value", "")
        elif tag == "button":
            self._inside.buttons[values.get("id") or values.get("name", "")] = values

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = None
        elif tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
