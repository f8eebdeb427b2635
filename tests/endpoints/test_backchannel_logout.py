"""Back-channel logout: whoever took part in a session hears of its end, once, and nobody waits for whoever does not."""

import asyncio
import json
import time
from collections.abc import Iterator

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.endpoints.people import ASHA, BEN, CHITRA, CODE, PEOPLE, prove
from tests.endpoints.telling import client_told, events, jobs, multiply, sign_out, signed_in
from tests.support.jwt import claims_of, header_of
from tests.support.logout_sink import HANG, Sink, running_sink, until
from tests.support.person import Person
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty

EVENT = "http://schemas.openid.net/event/backchannel-logout"
NEWCOMER = "newcomer@people.example"
KNOWN = ",".join(f"{identifier}:{CODE}" for identifier in PEOPLE)


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """A provider that may post to this machine."""
    with running_provider(test_limits="off", test_identifiers=KNOWN, test_loopback_fetch="on") as running:
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@pytest.fixture
def sink(site: Sink) -> Sink:
    """Where all clients hear of it, as if nothing was posted before."""
    site.posts.clear()
    site.answers.clear()
    return site


@pytest.fixture(scope="module")
def notes(provider: RunningProvider, site: Sink) -> RelyingParty:
    return client_told(provider, "Notes", backchannel_logout_uri=site.address("/notes?tenant=a"))


@pytest.fixture(scope="module")
def mail(provider: RunningProvider, site: Sink) -> RelyingParty:
    """A client at another host, whose tokens have another algorithm and whose people other names."""
    return client_told(
        provider,
        "Mail",
        backchannel_logout_uri=site.address("/mail", host="localhost"),
        backchannel_logout_session_required=True,
        id_token_signed_response_alg="ES256",
        subject_type="pairwise",
    )


@pytest.fixture(scope="module")
def quiet(provider: RunningProvider) -> RelyingParty:
    """A client that wants to hear nothing."""
    return client_told(provider, "Quiet")


async def is_signed_in(person: Person, party: RelyingParty) -> bool:
    await person.open(party.authorization_url(prompt="none"))
    return "code" in person.answer()


async def test_every_client_of_the_session_gets_one_token_in_its_own_way(
    provider: RunningProvider, notes: RelyingParty, mail: RelyingParty, quiet: RelyingParty, sink: Sink
) -> None:
    keys = KeySet.import_key_set(httpx2.get(f"{provider.issuer}/jwks").json())
    async with Person() as person:
        tokens = await signed_in(person, notes, mail, quiet)
        assert (await sign_out(person, notes, tokens[0])).status_code == 303
        assert not await is_signed_in(person, notes)
    for party, path, algorithm, answered in ((notes, "/notes?tenant=a", "RS256", 0), (mail, "/mail", "ES256", 1)):
        (token,) = await sink.has(path)
        header, claims, known = header_of(token), claims_of(token), claims_of(tokens[answered]["id_token"])
        assert (header["typ"], header["alg"]) == ("logout+jwt", algorithm)
        assert jwt.decode(token, keys, algorithms=[algorithm]).claims == claims
        assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
        assert (claims["iss"], claims["aud"]) == (provider.issuer, party.client_id)
        assert (claims["sub"], claims["sid"]) == (known["sub"], known["sid"])
        assert claims["events"] == {EVENT: {}}
        assert claims["exp"] - claims["iat"] == 120
        assert len(claims["jti"]) >= 22
    assert claims_of(tokens[0]["id_token"])["sub"] != claims_of(tokens[1]["id_token"])["sub"]
    for post in sink.posts:
        assert [name for name, _ in post.fields] == ["logout_token"]
        assert post.content_type == "application/x-www-form-urlencoded"
    await until(lambda: jobs(provider, "ready") == 0)
    assert len(sink.posts) == 2
    assert events(provider, notes)[-1] == ("logout.told", {"attempt": 1})


async def test_only_clients_of_this_very_session_hear_of_it(
    notes: RelyingParty, mail: RelyingParty, quiet: RelyingParty, sink: Sink
) -> None:
    async with Person() as person, Person() as elsewhere:
        await signed_in(elsewhere, mail)
        (tokens,) = await signed_in(person, notes)
        await sign_out(person, notes, tokens)
        assert await is_signed_in(elsewhere, mail)
        await sink.has("/notes?tenant=a")
        (silent,) = await signed_in(person, quiet)
        await sign_out(person, quiet, silent)
    await until(lambda: jobs(quiet.provider, "ready") == 0)
    assert [post.path for post in sink.posts] == ["/notes?tenant=a"]


async def test_a_client_that_keeps_offline_access_is_told_all_the_same(
    provider: RunningProvider, site: Sink, sink: Sink
) -> None:
    grants = ["authorization_code", "refresh_token"]
    party = client_told(provider, "Sync", grant_types=grants, backchannel_logout_uri=site.address("/sync"))
    async with Person() as person:
        (tokens,) = await signed_in(person, party, scope="openid offline_access", prompt="consent")
        await sign_out(person, party, tokens)
    await sink.has("/sync")
    assert (await party.refresh(tokens["refresh_token"])).status_code == 200


async def test_without_offline_access_the_refresh_token_is_dead(
    provider: RunningProvider, site: Sink, sink: Sink
) -> None:
    grants = ["authorization_code", "refresh_token"]
    party = client_told(provider, "Bound", grant_types=grants, backchannel_logout_uri=site.address("/bound"))
    async with Person() as person:
        (tokens,) = await signed_in(person, party, scope="openid")
        await sign_out(person, party, tokens)
    await sink.has("/bound")
    refused = await party.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (await party.userinfo(tokens["access_token"])).status_code == 401


async def test_who_confirms_the_sign_out_has_clients_told_too(notes: RelyingParty, sink: Sink) -> None:
    async with Person() as person:
        await signed_in(person, notes)
        await person.open(f"{notes.provider.issuer}/logout")
        assert person.page is not None
        await person.submit(person.page.form_with("continue"), "continue")
        assert person.page is not None
        assert "Notes" in person.page.text  # the page says who was told
    await sink.has("/notes?tenant=a")


async def test_another_accounts_sign_in_in_the_browser_ends_the_session_and_tells(
    notes: RelyingParty, quiet: RelyingParty, sink: Sink
) -> None:
    async with Person() as person:
        (tokens,) = await signed_in(person, notes)
        await person.open(quiet.authorization_url(prompt="login"))
        await prove(person, BEN)
        assert "code" in person.answer()
    (token,) = await sink.has("/notes?tenant=a")
    assert claims_of(token)["sid"] == claims_of(tokens["id_token"])["sid"]
    assert (await notes.userinfo(tokens["access_token"])).status_code == 401


async def test_signing_in_again_as_the_same_person_ends_nothing(notes: RelyingParty, sink: Sink) -> None:
    async with Person() as person:
        (before,) = await signed_in(person, notes)
        await person.open(notes.authorization_url(prompt="login"))
        await prove(person, ASHA)
        after = (await notes.exchange(person.answer()["code"])).json()
        assert claims_of(after["id_token"])["sid"] == claims_of(before["id_token"])["sid"]
        assert jobs(notes.provider, "ready") == 0
        assert sink.posts == []
        await sign_out(person, notes, after)
    (token,) = await sink.has("/notes?tenant=a")
    assert claims_of(token)["sid"] == claims_of(before["id_token"])["sid"]


async def test_disabling_an_account_ends_each_of_its_sessions_and_tells(
    provider: RunningProvider, notes: RelyingParty, mail: RelyingParty, sink: Sink
) -> None:
    async with Person() as person, Person() as elsewhere:
        (first,) = await signed_in(person, notes, identifier=CHITRA)
        (second,) = await signed_in(elsewhere, mail, identifier=CHITRA)
        done = provider.command("accounts", "disable", CHITRA)
        assert done.returncode == 0, done.stderr
        for path, tokens in (("/notes?tenant=a", first), ("/mail", second)):
            (token,) = await sink.has(path)
            assert claims_of(token)["sid"] == claims_of(tokens["id_token"])["sid"]
        assert not await is_signed_in(person, notes)
    account = claims_of(first["id_token"])["sub"]
    query = "SELECT detail FROM audit_event WHERE name = 'session.ended' AND account_id = :account"
    reasons = [json.loads(row["detail"])["reason"] for row in provider.rows(query, account=account)]
    assert reasons == ["disabled"] * 2
    open_ones = provider.rows("SELECT 1 FROM session WHERE account_id = :a AND ended_at IS NULL", a=account)
    assert open_ones == []


async def test_204_is_as_good_as_200(provider: RunningProvider, notes: RelyingParty, sink: Sink) -> None:
    sink.answers["/notes?tenant=a"] = 204
    async with Person() as person:
        (tokens,) = await signed_in(person, notes)
        await sign_out(person, notes, tokens)
    await sink.has("/notes?tenant=a")
    await until(lambda: jobs(provider, "ready") == 0)
    assert events(provider, notes)[-1][0] == "logout.told"


async def test_a_client_that_refuses_is_not_asked_again(
    provider: RunningProvider, notes: RelyingParty, sink: Sink
) -> None:
    sink.answers["/notes?tenant=a"] = 400
    dead = jobs(provider, "dead")
    async with Person() as person:
        (tokens,) = await signed_in(person, notes)
        await sign_out(person, notes, tokens)
    await until(lambda: jobs(provider, "dead") == dead + 1)
    assert events(provider, notes)[-1] == (
        "logout.tell_failed",
        {"failure": "client_refused", "attempt": 1, "final": True},
    )
    assert len(sink.posts) == 1


async def test_an_address_that_leads_elsewhere_is_given_up(
    provider: RunningProvider, notes: RelyingParty, sink: Sink
) -> None:
    sink.answers["/notes?tenant=a"] = 302
    dead = jobs(provider, "dead")
    async with Person() as person:
        (tokens,) = await signed_in(person, notes)
        await sign_out(person, notes, tokens)
    await until(lambda: jobs(provider, "dead") == dead + 1)
    assert events(provider, notes)[-1][1]["failure"] == "address_refused"


async def test_a_client_that_fails_is_told_again_by_a_fresh_token_and_given_up_within_a_day(
    provider: RunningProvider, site: Sink, sink: Sink
) -> None:
    sink.answers["/flaky"] = 503
    party = client_told(provider, "Flaky", backchannel_logout_uri=site.address("/flaky"))
    dead, moved = jobs(provider, "dead"), 0
    async with Person() as person:
        (tokens,) = await signed_in(person, party)
        await sign_out(person, party, tokens)
    for attempt, pause in enumerate((5, 30, 180, 900, 3600, 14_400, 43_200), start=1):
        await sink.has("/flaky", attempt)
        await until(lambda count=attempt: len(events(provider, party)) == count)  # type: ignore[misc]
        provider.advance(pause + 1)
        moved += pause + 1
    posted = await sink.has("/flaky", 8)
    await until(lambda: jobs(provider, "dead") == dead + 1)
    assert moved < 24 * 3600
    assert len({claims_of(token)["jti"] for token in posted}) == 8
    assert [claims_of(token)["iat"] for token in posted] == sorted(claims_of(token)["iat"] for token in posted)
    assert [detail for _, detail in events(provider, party)] == [
        {"failure": "status_503", "attempt": attempt, "final": attempt == 8} for attempt in range(1, 9)
    ]


async def test_a_client_that_is_back_hears_of_it(provider: RunningProvider, notes: RelyingParty, sink: Sink) -> None:
    sink.answers["/notes?tenant=a"] = 500
    async with Person() as person:
        (tokens,) = await signed_in(person, notes)
        await sign_out(person, notes, tokens)
    await sink.has("/notes?tenant=a")
    await until(lambda: events(provider, notes)[-1][0] == "logout.tell_failed")
    sink.answers["/notes?tenant=a"] = 200
    provider.advance(6)
    await sink.has("/notes?tenant=a", 2)
    await until(lambda: jobs(provider, "ready") == 0)
    assert events(provider, notes)[-1] == ("logout.told", {"attempt": 2})


async def test_a_client_that_was_removed_meanwhile_hears_nothing(
    provider: RunningProvider, site: Sink, sink: Sink
) -> None:
    party = client_told(provider, "Gone", backchannel_logout_uri=site.address("/gone"))
    sink.answers["/gone"] = 500
    async with Person() as person:
        (tokens,) = await signed_in(person, party)
        await sign_out(person, party, tokens)
    await until(lambda: events(provider, party))
    assert provider.command("clients", "remove", party.client_id).returncode == 0
    provider.advance(6)
    await until(lambda: jobs(provider, "ready") == 0)
    assert len(sink.posts) == 1


async def test_a_logout_token_is_neither_a_hint_nor_an_access_token(notes: RelyingParty, sink: Sink) -> None:
    async with Person() as person:
        (tokens,) = await signed_in(person, notes)
        await sign_out(person, notes, tokens)
        (token,) = await sink.has("/notes?tenant=a")
        await signed_in(person, notes)
        refused = await sign_out(person, notes, {"id_token": token})
        assert refused.status_code == 400
        assert await is_signed_in(person, notes)
    assert (await notes.userinfo(token)).status_code == 401


async def test_a_sink_that_hangs_delays_no_sign_out_no_sign_in_and_no_other_host(
    provider: RunningProvider, mail: RelyingParty, site: Sink, sink: Sink
) -> None:
    party = client_told(provider, "Hanging", backchannel_logout_uri=site.address("/hang"))
    sink.answers["/hang"] = HANG
    async with Person() as person:
        first, _ = await signed_in(person, party, mail)
        multiply(provider, party, 40)  # more than there are places in the outbox
        began = time.monotonic()
        await sign_out(person, party, first)
        assert time.monotonic() - began < 2
    await sink.has("/mail")
    assert jobs(provider, "ready") > 32
    async with Person() as newcomer, asyncio.timeout(4):  # less than the sink hangs
        assert "code" in await newcomer.sign_in(provider, mail.authorization_url(), NEWCOMER)
    assert jobs(provider, "ready") > 32
    assert sink.most_hanging == 2
    sink.release.set()
    await until(lambda: jobs(provider, "ready") == 0)
    assert len(sink.tokens("/hang")) == 41
