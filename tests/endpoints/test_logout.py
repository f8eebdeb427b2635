"""RP-initiated logout."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.endpoints.conftest import BYE
from tests.endpoints.people import BEN, authorized, some_tokens
from tests.endpoints.telling import client_told, signed_in
from tests.support.jwt import claims_of, header_of
from tests.support.person import Person
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty


class SignedIn:
    """A person with a browser that is signed in at one relying party."""

    def __init__(self, person: Person, party: RelyingParty, tokens: dict[str, Any]) -> None:
        self.person, self.party, self.tokens = person, party, tokens
        self.hint: str = tokens["id_token"]

    async def sign_out(self, **parameters: str) -> httpx2.Response:
        return await self.person.http.get(f"{self.party.provider.issuer}/logout", params=parameters)

    async def still_in(self) -> bool:
        """Ask in silence, and see whether the token still works: both or neither."""
        await self.person.open(self.party.authorization_url(prompt="none"))
        silent = "code" in self.person.answer()
        alive = (await self.party.userinfo(self.tokens["access_token"])).status_code == 200
        assert silent == alive
        return silent


@pytest.fixture
async def asha(party: RelyingParty) -> AsyncIterator[SignedIn]:
    async with Person() as person:
        answer = await authorized(person, party.authorization_url())
        yield SignedIn(person, party, (await party.exchange(answer["code"])).json())


async def test_a_hint_about_this_session_ends_it_and_leads_back_with_exactly_the_state(asha: SignedIn) -> None:
    state = "s" * 100 + " &=é"
    answer = await asha.sign_out(id_token_hint=asha.hint, post_logout_redirect_uri=BYE, state=state)
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith(BYE + "?")
    assert parse_qs(urlsplit(location).query) == {"state": [state]}
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert not await asha.still_in()


async def test_without_a_state_nothing_is_appended(asha: SignedIn) -> None:
    answer = await asha.sign_out(id_token_hint=asha.hint, post_logout_redirect_uri=BYE)
    assert answer.headers["location"] == BYE


async def test_without_an_address_there_is_a_page_of_ours(provider: RunningProvider, asha: SignedIn) -> None:
    page = await asha.person.open(f"{provider.issuer}/logout?id_token_hint={asha.hint}")
    assert page is not None
    assert (page.status, page.url) == (200, f"{provider.issuer}/logout/done")
    assert not await asha.still_in()


async def test_an_expired_hint_is_good(provider: RunningProvider, asha: SignedIn) -> None:
    provider.advance(3600)
    answer = await asha.sign_out(id_token_hint=asha.hint, post_logout_redirect_uri=BYE)
    assert answer.headers["location"] == BYE


@pytest.mark.parametrize("parameters", [{}, {"state": "x"}, {"client_id": "c_nobody"}])
async def test_without_a_hint_the_person_is_asked(
    provider: RunningProvider, asha: SignedIn, parameters: dict[str, str]
) -> None:
    answer = await asha.sign_out(**parameters)
    assert answer.headers["location"].startswith(f"{provider.issuer}/logout/confirm?request=")
    assert await asha.still_in()
    page = await asha.person.open(answer.headers["location"])
    assert page is not None
    form = next(form for form in page.forms if form.method == "POST")
    await asha.person.submit(form, decision="sign_out")
    assert not await asha.still_in()


async def test_who_is_asked_may_stay(asha: SignedIn) -> None:
    answer = await asha.sign_out()
    page = await asha.person.open(answer.headers["location"])
    assert page is not None
    form = next(form for form in page.forms if form.method == "POST")
    await asha.person.http.post(form.action, data=form.fields | {"decision": "stay"})
    assert await asha.still_in()


async def test_a_hint_about_somebody_else_asks(provider: RunningProvider, party: RelyingParty, asha: SignedIn) -> None:
    ben = (await some_tokens(party, identifier=BEN))["id_token"]
    answer = await asha.sign_out(id_token_hint=ben, post_logout_redirect_uri=BYE)
    assert answer.headers["location"].startswith(f"{provider.issuer}/logout/confirm?")
    assert await asha.still_in()


async def test_a_hint_of_an_earlier_session_of_the_same_person_asks(
    provider: RunningProvider, party: RelyingParty, asha: SignedIn
) -> None:
    earlier = (await some_tokens(party))["id_token"]
    answer = await asha.sign_out(id_token_hint=earlier)
    assert answer.headers["location"].startswith(f"{provider.issuer}/logout/confirm?")
    assert await asha.still_in()


def bent(token: str) -> list[str]:
    header, payload, signature = token.split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    return [f"{unsigned}.{payload}.", f"{header}.{payload}.{signature[:-6]}AAAAAA", "x", f"{unsigned}.e30.{signature}"]


async def test_a_hint_that_is_not_ours_is_a_page_and_ends_nothing(asha: SignedIn) -> None:
    for hint in (*bent(asha.hint), asha.tokens["access_token"], asha.tokens["refresh_token"]):
        answer = await asha.sign_out(id_token_hint=hint, post_logout_redirect_uri=BYE, state="x")
        assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert await asha.still_in()


@pytest.mark.parametrize(
    "address",
    [BYE + "/", BYE + "?x=1", BYE + "#", BYE.upper(), "https://evil.example/", "//evil.example", "/\\evil.example",
     "http://127.0.0.1:8998/bye", "javascript:alert(1)"],
)  # fmt: skip
async def test_an_address_that_is_not_registered_is_a_page_and_ends_nothing(asha: SignedIn, address: str) -> None:
    answer = await asha.sign_out(id_token_hint=asha.hint, post_logout_redirect_uri=address)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert await asha.still_in()


async def test_requests_that_contradict_themselves_are_pages(public: RelyingParty, asha: SignedIn) -> None:
    url = f"{public.provider.issuer}/logout?id_token_hint={asha.hint}"
    for more in (f"&client_id={public.client_id}", f"&id_token_hint={asha.hint}", "&state=a&state=b", "&state=%ff"):
        answer = await asha.person.http.get(url + more)
        assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert await asha.still_in()


async def test_an_address_without_a_hint_needs_its_client(party: RelyingParty, http: httpx2.Client) -> None:
    assert http.get("/logout", params={"post_logout_redirect_uri": BYE}).status_code == 400
    named = http.get("/logout", params={"post_logout_redirect_uri": BYE, "client_id": party.client_id})
    assert (named.status_code, named.headers["location"]) == (303, BYE)


async def test_a_post_from_another_site_really_signs_out(provider: RunningProvider, asha: SignedIn) -> None:
    """It carries no cookies, so it must not pretend: it goes on with a GET, which does."""
    form = {"id_token_hint": asha.hint, "post_logout_redirect_uri": BYE, "state": "x"}
    kept = httpx2.post(f"{provider.issuer}/logout", data=form, headers={"origin": "https://rp.example"})
    assert kept.status_code == 303
    assert kept.headers["location"].startswith(f"{provider.issuer}/logout?interaction=")
    assert asha.hint not in kept.headers["location"]
    assert "set-cookie" not in kept.headers
    await asha.person.open(kept.headers["location"])
    assert asha.person.landed == f"{BYE}?state=x"
    assert not await asha.still_in()


async def test_a_post_from_the_same_site_signs_out_at_once(provider: RunningProvider, asha: SignedIn) -> None:
    form = {"id_token_hint": asha.hint, "post_logout_redirect_uri": BYE}
    answer = await asha.person.http.post(f"{provider.issuer}/logout", data=form)
    assert answer.headers["location"] == BYE
    assert not await asha.still_in()


def test_a_post_with_a_bad_hint_and_a_lost_request_are_pages(http: httpx2.Client) -> None:
    assert http.post("/logout", data={"id_token_hint": "x"}).status_code == 400
    assert http.get("/logout", params={"interaction": "x" * 22}).status_code == 400


def test_a_browser_that_posts_without_a_session_is_told_it_is_signed_out(
    provider: RunningProvider, http: httpx2.Client
) -> None:
    kept = http.post("/logout", data={"state": "x"})
    answer = http.get(kept.headers["location"])
    assert (answer.status_code, answer.headers["location"]) == (303, f"{provider.issuer}/logout/done")


async def test_a_client_with_names_of_its_own_for_people_signs_out_without_a_question(
    provider: RunningProvider,
) -> None:
    party = client_told(provider, "Pairwise", subject_type="pairwise", post_logout_redirect_uris=[BYE])
    async with Person() as person:
        (tokens,) = await signed_in(person, party)
        mine = SignedIn(person, party, tokens)
        answer = await mine.sign_out(id_token_hint=mine.hint, post_logout_redirect_uri=BYE)
        assert answer.headers["location"] == BYE
        assert not await mine.still_in()


async def test_a_hint_of_another_client_about_the_same_session_signs_out_too(
    public: RelyingParty, asha: SignedIn
) -> None:
    answer = await authorized(asha.person, public.authorization_url())
    hint = (await public.exchange(answer["code"])).json()["id_token"]
    assert (await asha.sign_out(id_token_hint=hint, post_logout_redirect_uri=BYE)).headers["location"] == BYE
    assert not await asha.still_in()


async def test_a_hint_signed_by_the_client_itself_is_a_page_and_ends_nothing(asha: SignedIn) -> None:
    """With its secret, or with a key of its own that it names in the header as ours is."""
    assert asha.party.secret is not None
    own = OctKey.import_key(asha.party.secret)
    stolen = {"kid": header_of(asha.hint)["kid"], "typ": "JWT"}
    key = RSAKey.generate_key(2048)
    for hint in (
        jwt.encode({"alg": "HS256"} | stolen, claims_of(asha.hint), own, algorithms=["HS256"]),
        jwt.encode({"alg": "RS256"} | stolen, claims_of(asha.hint), key, algorithms=["RS256"]),
    ):
        answer = await asha.sign_out(id_token_hint=hint, post_logout_redirect_uri=BYE, state="x")
        assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert await asha.still_in()


async def test_another_session_of_the_same_person_goes_on(party: RelyingParty, asha: SignedIn) -> None:
    elsewhere = await some_tokens(party)
    await asha.sign_out(id_token_hint=asha.hint)
    assert (await party.userinfo(elsewhere["access_token"])).status_code == 200
