"""The two cookies: their names and flags on http and https, when they change, and which of them are believed."""

import asyncio
import contextlib
import secrets
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
from pydantic import SecretStr
from starlette.types import ASGIApp, Message

from tests.login.doors import ask, fresh_email, ledger, page_of, post, rows
from tests.support.person import Person
from tests.support.provider import COMMAND, RunningProvider, free_port, provider_environment, stop
from tests.support.relying_party import RelyingParty, register
from tests.support.secrecy import log_file
from watchword.app import Provider
from watchword.prepare import prepare_store, upgrade_schema
from watchword.settings import Settings

FIXED = "asha@example.com"


def _set_cookies(answer: httpx2.Response) -> dict[str, tuple[str, set[str]]]:
    """Cookies by name: value and flags."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        pair, *flags = header.split("; ")
        name, _, value = pair.partition("=")
        found[name] = (value, set(flags))
    return found


def _names(provider: RunningProvider) -> tuple[str, str]:
    port = provider.issuer.rpartition(":")[2]
    return f"watchword_browser_{port}", f"watchword_session_{port}"


async def _signed_in(person: Person, party: RelyingParty, email: str) -> str:
    """Sign in and return the session cookie that came with the answer."""
    code = await ask(person, party, email, prompt="login")
    answer = await post(person, page_of(person).form_with("one_time_code"), one_time_code=code)
    await person.open(
        f"{party.provider.issuer}/authorize?{answer.text.partition('/authorize?')[2].partition(chr(34))[0]}"
    )
    value, _ = _set_cookies(answer)[_names(party.provider)[1]]
    return value


async def test_on_http_loopback_cookies_have_plain_names_with_the_port(party: RelyingParty) -> None:
    browser, session = _names(party.provider)
    async with Person() as person:
        first = await person.http.get(party.authorization_url())
        value, flags = _set_cookies(first)[browser]
        assert len(value) == 43
        assert flags == {"Path=/", "Max-Age=31536000", "HttpOnly", "SameSite=Lax"}
        code = await ask(person, party, fresh_email())
        answer = await post(person, page_of(person).form_with("one_time_code"), one_time_code=code)
        value, flags = _set_cookies(answer)[session]
        assert len(value) == 43
        assert flags == {"Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Lax"}
        device = session.replace("session", "device")
        value, flags = _set_cookies(answer)[device]
        assert len(value) == 43
        assert flags == {"Path=/", "Max-Age=5184000", "HttpOnly", "SameSite=Lax"}
        assert _set_cookies(answer).keys() == {session, device}


async def _silently(party: RelyingParty, **cookies: str) -> str:
    """What a client learns without a page, from a browser that sends these cookies alone."""
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    async with httpx2.AsyncClient() as raw:
        answer = await raw.get(party.authorization_url(prompt="none"), headers={"cookie": header})
    return "signed in" if "code=" in answer.headers["location"] else answer.headers["location"]


async def test_a_session_gets_a_new_secret_at_every_sign_in_and_the_old_one_is_dead(party: RelyingParty) -> None:
    email, name = fresh_email(), _names(party.provider)[1]
    async with Person() as person:
        first = await _signed_in(person, party, email)
        assert await _silently(party, **{name: first}) == "signed in"
        second = await _signed_in(person, party, email)
    assert first != second
    assert "error=login_required" in await _silently(party, **{name: first})
    assert await _silently(party, **{name: second}) == "signed in"
    with_secrets = rows(party.provider, "SELECT * FROM session WHERE instr(quote(token_hash), hex(:own))", own=second)
    assert with_secrets == []


async def test_a_session_secret_set_by_somebody_else_is_never_adopted(party: RelyingParty) -> None:
    name, planted = _names(party.provider)[1], "p" * 43
    async with Person() as person:
        person.http.headers["cookie"] = f"{name}={planted}"
        await person.open(party.authorization_url())
        del person.http.headers["cookie"]
        own = await _signed_in(person, party, fresh_email())
    assert own != planted
    assert "error=login_required" in await _silently(party, **{name: planted})


async def test_another_person_in_the_same_browser_ends_the_session_before(party: RelyingParty) -> None:
    async with Person() as person:
        await _signed_in(person, party, fresh_email())
        await _signed_in(person, party, fresh_email())
    last = ledger(party.provider).named("session.ended")[-1]
    assert '"replaced"' in last["detail"]


async def test_a_cookie_that_stands_twice_counts_as_absent(party: RelyingParty) -> None:
    browser, session = _names(party.provider)
    async with Person() as person, httpx2.AsyncClient() as raw:
        own = await _signed_in(person, party, fresh_email())
        assert await _silently(party, **{session: own}) == "signed in"
        for other in (own, "x", ""):
            assert "error=login_required" in await _silently(party, **{session: f"{own}; {session}={other}"})
        await person.open(party.authorization_url(prompt="login"))
        secret = next(cookie.value for cookie in person.http.cookies.jar if cookie.name == browser)
        page = await raw.get(page_of(person).url, headers={"cookie": f"{browser}={secret}; {browser}=x"})
        assert "Cookies are blocked" in page.text


@pytest.mark.parametrize("value", ["", "x", "x" * 42, "x" * 44, "\u00e9" * 43, '"', "=" * 43, "x" * 4000])
async def test_a_cookie_that_cannot_be_ours_is_no_cookie(party: RelyingParty, value: str) -> None:
    browser, session = _names(party.provider)
    async with httpx2.AsyncClient() as raw:
        header = f"{browser}={value}; {session}={value}; __Host-watchword_session={value}".encode()
        answer = await raw.get(party.authorization_url(prompt="none"), headers={b"cookie": header})
        assert "error=login_required" in answer.headers["location"]


async def test_signing_out_removes_the_cookie_and_the_session(party: RelyingParty) -> None:
    name = _names(party.provider)[1]
    async with Person() as person, httpx2.AsyncClient() as raw:
        own = await _signed_in(person, party, fresh_email())
        await person.open(f"{party.provider.issuer}/logout")
        answer = await post(person, page_of(person).forms[0], decision="sign_out")
        value, flags = _set_cookies(answer)[name]
        assert (value, "Max-Age=0" in flags) == ("", True)
        replayed = await raw.get(party.authorization_url(prompt="none"), headers={"cookie": f"{name}={own}"})
        assert "error=login_required" in replayed.headers["location"]


async def test_a_session_ends_when_it_was_not_used_for_a_day(party: RelyingParty) -> None:
    async with Person() as person:
        await _signed_in(person, party, fresh_email())
        party.provider.advance(23 * 3600)
        await person.open(party.authorization_url(prompt="none"))
        assert "code" in person.answer()
        party.provider.advance(24 * 3600 + 1)
        await person.open(party.authorization_url(prompt="none"))
        assert person.answer()["error"] == "login_required"


async def test_a_session_is_over_after_thirty_days_however_much_it_is_used(party: RelyingParty) -> None:
    name, days = _names(party.provider)[1], 0.0
    async with Person() as person:
        own = await _signed_in(person, party, fresh_email())
    while await _silently(party, **{name: own}) == "signed in":
        party.provider.advance(20 * 3600)
        days += 20 / 24
    assert 29 < days < 31


@pytest.fixture(scope="module")
def https_provider() -> Iterator[tuple[RunningProvider, ssl.SSLContext]]:
    """A provider that serves HTTPS itself, under a certificate of a throw-away authority."""
    authority, port = trustme.CA(), free_port()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with tempfile.TemporaryDirectory(prefix="watchword-tls-") as name:
        folder = Path(name)
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        issued = authority.issue_cert("localhost")
        issued.private_key_pem.write_to_path(key)
        for index, part in enumerate(issued.cert_chain_pems):
            part.write_to_path(certificate, append=index > 0)
        issuer = f"https://localhost:{port}"
        environment = provider_environment(
            folder, port, issuer=issuer, test_identifiers=f"{FIXED}:123456", test_limits="off"
        )
        log = log_file(f"provider-https-{port}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*COMMAND, "serve", "--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)],
                env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            _wait_for(issuer, trusting)
            yield RunningProvider(issuer, environment, process, folder, log), trusting
        finally:
            stop(process)


def _wait_for(issuer: str, trusting: ssl.SSLContext) -> None:
    transport = httpx2.HTTPTransport(verify=trusting, retries=30)  # each connect backs off a little longer
    with httpx2.Client(transport=transport, timeout=20) as http:
        assert http.get(f"{issuer}/readyz").status_code == 200


@contextlib.asynccontextmanager
async def _person(trusting: ssl.SSLContext) -> AsyncIterator[Person]:
    async with Person() as person:
        person.http = httpx2.AsyncClient(verify=trusting, headers={"accept": "text/html"})
        yield person


async def test_on_https_cookies_are_host_bound_and_secure(https_provider: Any) -> None:
    provider, trusting = https_provider
    party = register(provider)
    async with _person(trusting) as person:
        first = await person.http.get(party.authorization_url())
        assert _set_cookies(first).keys() == {"__Host-watchword_browser"}
        _, flags = _set_cookies(first)["__Host-watchword_browser"]
        assert flags == {"Path=/", "Max-Age=31536000", "HttpOnly", "SameSite=Lax", "Secure"}
        await person.open(first.headers["location"])
        await person.type_identifier(FIXED)
        answer = await post(person, page_of(person).form_with("one_time_code"), one_time_code="123456")
        _, flags = _set_cookies(answer)["__Host-watchword_session"]
        assert flags == {"Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Lax", "Secure"}
        _, flags = _set_cookies(answer)["__Host-watchword_device"]
        assert flags == {"Path=/", "Max-Age=5184000", "HttpOnly", "SameSite=Lax", "Secure"}
        assert "Domain" not in answer.headers["set-cookie"]


async def test_on_loopback_browsers_are_not_told_to_stay_on_https(https_provider: Any) -> None:
    provider, trusting = https_provider
    async with _person(trusting) as person:
        for path in ("/.well-known/openid-configuration", "/login", "/nowhere"):
            answer = await person.http.get(provider.issuer + path)
            assert "strict-transport-security" not in answer.headers


@contextlib.asynccontextmanager
async def started(application: ASGIApp) -> AsyncIterator[None]:
    """Start an application as a server would, and stop it."""
    heard: asyncio.Queue[Message] = asyncio.Queue()
    said: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
    running = asyncio.ensure_future(application(scope, heard.get, said.put))
    await heard.put({"type": "lifespan.startup"})
    assert (await said.get())["type"] == "lifespan.startup.complete"
    yield
    await heard.put({"type": "lifespan.shutdown"})
    await running


async def test_elsewhere_browsers_are_told_to_stay_on_https(tmp_path: Path) -> None:
    settings = Settings(
        issuer="https://id.example.com",
        secret_key=SecretStr(secrets.token_urlsafe(48)),
        database_url=f"sqlite:///{tmp_path}/watchword.sqlite3",
        ephemeral_url=f"sqlite:///{tmp_path}/ephemeral.sqlite3",
    )
    await asyncio.to_thread(upgrade_schema, settings, on_request=False)  # it runs a loop of its own
    await prepare_store(settings)
    application = Provider(settings).build()
    transport = httpx2.ASGITransport(application)
    async with started(application), httpx2.AsyncClient(transport=transport) as http:
        for path in ("/.well-known/openid-configuration", "/login", "/nowhere"):
            answer = await http.get(f"https://id.example.com{path}")
            assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"


async def test_on_https_a_plain_named_cookie_is_not_believed(https_provider: Any) -> None:
    provider, trusting = https_provider
    party = register(provider)
    async with _person(trusting) as person:
        await person.open(party.authorization_url())
        await person.type_identifier(FIXED)
        answer = await post(person, page_of(person).form_with("one_time_code"), one_time_code="123456")
        value, _ = _set_cookies(answer)["__Host-watchword_session"]
        port = provider.issuer.rpartition(":")[2]
        async with httpx2.AsyncClient(verify=trusting) as raw:
            for name in ("watchword_session", f"watchword_session_{port}", "__host-watchword_session"):
                silent = await raw.get(party.authorization_url(prompt="none"), headers={"cookie": f"{name}={value}"})
                assert "error=login_required" in silent.headers["location"]
