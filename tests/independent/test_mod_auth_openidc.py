"""Apache's mod_auth_openidc as a relying party, configured as its recipe page says."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2
import pytest

from tests.independent.apache import running_apache
from tests.independent.recipes import Recipe
from tests.support.certificates import Certificate
from tests.support.person import Person
from tests.support.provider import RunningProvider, free_port
from tests.support.relying_party import REDIRECT_URI, RelyingParty, register
from tests.support.secrecy import remember_secret

EDO = "edo@example.com"
SECONDS = 15


@dataclass
class Site:
    """What Apache guards, as people come to it."""

    provider: RunningProvider
    address: str

    async def look(self, person: Person, path: str = "/") -> httpx2.Response:
        """Ask for a page as the person's browser does, without following where it is sent."""
        return await person.http.get(self.address + path)

    async def enter(self, person: Person, path: str = "/") -> dict[str, str]:
        """Ask for a page and go through the login it wants; returns the headers the app behind was given."""
        sent = await self.look(person, path)
        assert sent.status_code == 302, sent.text
        await person.walk(self.provider, sent.headers["location"], EDO)
        remember_secret(person.answer()["code"])
        assert person.landed is not None
        back = await person.http.get(person.landed)
        assert back.status_code == 302, back.text
        assert back.headers["location"] == self.address + path
        return headers_of(await self.look(person, path))

    async def wait_until_closed(self, person: Person) -> httpx2.Response:
        """Ask until the person has to sign in again: a sign-out elsewhere is told soon, not at once."""
        async with asyncio.timeout(SECONDS):
            while True:
                answer = await self.look(person)
                if answer.status_code != 200:
                    return answer
                await asyncio.sleep(0.02)


def headers_of(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    headers = {name.lower(): value for name, value in answer.json().items()}
    remember_secret(headers["oidc_access_token"])
    return headers


@pytest.fixture(scope="module")
def site(provider: RunningProvider, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One Apache; everybody who comes to it has a browser of their own."""
    with running_site(provider, certificate, tmp_path_factory.mktemp("apache")) as site:
        yield site


@contextlib.contextmanager
def running_site(provider: RunningProvider, certificate: Certificate, folder: Path, more: str = "") -> Iterator[Site]:
    """Run an Apache as its recipe says, with more directives."""
    port, recipe = free_port(), Recipe("mod-auth-openidc")
    address, page = f"http://127.0.0.1:{port}", "https://app.example.com"
    (folder / "passphrase").write_text("of-the-suite-alone")
    client = recipe.register(provider, **{page: address})
    directives = recipe.text(
        "apache",
        provider,
        **{
            page: address,
            "CLIENT_ID": client["client_id"],
            "CLIENT_SECRET": client["client_secret"],
            "/etc/apache2/oidc-passphrase": str(folder / "passphrase"),
            "BeforeExpiry 60": "BeforeExpiry 3600",  # so that each request refreshes
        },
    )
    with running_apache(port, f"{directives}\n{more}", certificate.authority):
        yield Site(provider, address)


async def test_a_person_signs_in_and_the_app_behind_reads_who_it_is(site: Site) -> None:
    async with Person() as person:
        headers = await site.enter(person, "/notes?x=1")
    assert headers["oidc_claim_email"] == EDO
    assert headers["oidc_claim_email_verified"] == "1"
    assert str(UUID(headers["oidc_claim_sub"])) == headers["oidc_claim_sub"]
    assert headers["oidc_claim_iss"] == site.provider.issuer


async def test_a_forged_header_never_reaches_the_app(site: Site) -> None:
    async with Person() as person:
        await site.enter(person)
        forged = await person.http.get(site.address, headers={"OIDC_CLAIM_email": "root@example.com"})
    assert headers_of(forged)["oidc_claim_email"] == EDO


async def test_it_refreshes_again_and_again(site: Site) -> None:
    async with Person() as person:
        tokens = [(await site.enter(person))["oidc_access_token"]]
        tokens += [headers_of(await site.look(person))["oidc_access_token"] for _ in range(3)]
    assert len(set(tokens)) == 4


async def test_a_sign_out_here_ends_the_session_at_the_provider(site: Site) -> None:
    async with Person() as person:
        token = (await site.enter(person))["oidc_access_token"]
        goodbye = f"{site.address}/goodbye"
        sent = await site.look(person, f"/callback?logout={quote(goodbye, safe='')}")
        assert sent.status_code == 302
        await person.open(sent.headers["location"])
        assert person.landed == goodbye
        assert (await site.look(person, "/goodbye")).status_code == 200
        assert (await site.look(person)).status_code == 302
        party = RelyingParty(site.provider, "c_any")
        assert (await party.userinfo(token)).status_code == 401


async def test_a_sign_out_elsewhere_ends_the_session_here(site: Site) -> None:
    elsewhere = register(site.provider, "--post-logout-redirect-uri", REDIRECT_URI)
    async with Person() as person, Person() as other:
        await site.enter(person)
        await site.enter(other)
        answer = await person.sign_in(site.provider, elsewhere.authorization_url(), EDO)
        tokens = (await elsewhere.exchange(answer["code"])).json()
        await person.open(f"{site.provider.issuer}/logout?id_token_hint={tokens['id_token']}")
        sent = await site.wait_until_closed(person)
        assert sent.headers["location"].startswith(f"{site.provider.issuer}/authorize?")
        assert (await site.look(other)).status_code == 200


async def test_an_answer_that_is_posted_is_read_too(
    provider: RunningProvider, certificate: Certificate, tmp_path: Path
) -> None:
    with running_site(provider, certificate, tmp_path, "OIDCResponseMode form_post") as site:
        async with Person() as person:
            await person.walk(provider, (await site.look(person, "/notes")).headers["location"], EDO)
            assert person.page is not None
            form = person.page.form_with("continue")
            back = await person.http.post(form.action, data=form.fields)
            assert back.headers["location"] == f"{site.address}/notes"
            assert headers_of(await site.look(person, "/notes"))["oidc_claim_email"] == EDO
