"""Limits on sending: by identifier, by network, by browser, by channel; a refusal charges nothing and sends nothing."""

import asyncio
import json
import re
from collections import Counter

import pytest

from tests.login.doors import (
    ask,
    durable_file,
    fresh_email,
    fresh_phone,
    knock,
    ledger,
    messages,
    newest_id,
    page_of,
    post,
    register_trusted,
    resend,
    rows,
    until,
)
from tests.support.person import Person, fresh_address
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty

DAY = 24 * 60


@pytest.fixture
async def party(limited: RunningProvider) -> RelyingParty:
    """A client of this test's own, so that its events can be told apart."""
    return await register_trusted(limited)


def sent(party: RelyingParty) -> int:
    """How many codes this test's client had sent."""
    return len(ledger(party.provider, party.client_id).named("otp.requested"))


def reasons(party: RelyingParty) -> list[str]:
    """Why codes were refused, in order."""
    refused = ledger(party.provider, party.client_id).named("otp.refused")
    return [json.loads(event["detail"])["reason"] for event in refused]


async def test_an_identifier_gets_ten_codes_a_day_whoever_asks_from_wherever(party: RelyingParty) -> None:
    """C-01, T29: every twenty minutes for a day, each time another browser at another address."""
    email = fresh_email()
    for _ in range(DAY // 20):
        assert (await knock(party, email)).status_code in {303, 429}
        party.provider.advance(1200)
    assert 5 <= sent(party) <= 10
    assert set(reasons(party)) == {"sends_per_identifier"}


async def test_a_second_browser_waits_out_the_cool_down_of_the_first(party: RelyingParty) -> None:
    """C-01."""
    email = fresh_email()
    assert (await knock(party, email)).status_code == 303
    refused = await knock(party, email)
    assert refused.status_code == 429
    found = re.search(r"A code was just sent to this email or number\. Ask again in (\d+) s\.", refused.text)
    assert found is not None
    assert refused.headers["retry-after"] == found[1]
    party.provider.advance(int(found[1]))
    assert (await knock(party, email)).status_code == 303


async def test_spellings_of_one_mailbox_are_one_mailbox(party: RelyingParty) -> None:
    email = fresh_email()
    assert (await knock(party, email)).status_code == 303
    for spelling in (email.upper(), email.replace("@", "+news@"), f"{email[0]}.{email[1:]}"):
        assert (await knock(party, spelling)).status_code == 429


async def test_one_network_asks_for_so_many_people_and_no_more(party: RelyingParty) -> None:
    """C-02, T31: half of ten at once, the others over ten minutes; another network is not concerned."""
    address = fresh_address()
    answers = [await knock(party, fresh_email(), address=address) for _ in range(7)]
    assert Counter(answer.status_code for answer in answers) == {303: 5, 429: 2}
    assert "Too many codes asked for from your network. Ask again in 2 min." in answers[-1].text
    assert set(reasons(party)) == {"sends_per_network"}
    assert (await knock(party, fresh_email())).status_code == 303
    party.provider.advance(int(answers[-1].headers["retry-after"]))
    assert (await knock(party, fresh_email(), address=address)).status_code == 303


async def test_a_network_has_all_of_its_windows() -> None:
    """C-02: with the day's window made small, the hours after are refused by it."""
    with running_provider(sends_per_network="10/10m,30/1h,12/24h") as running:
        party, address = await register_trusted(running), fresh_address()
        for _ in range(24):
            await knock(party, fresh_email(), address=address)
            running.advance(3600)
        assert 6 <= sent(party) <= 12


@pytest.mark.parametrize(
    ("addresses", "most"),
    [
        ([f"2001:db8:1:100::{host:x}" for host in range(1, 9)], 5),
        ([f"2001:db8:2:1{net:02x}::1" for net in range(12)], 10),
        ([f"2001:db8:3:{net:x}00::1" for net in range(24)], 20),
    ],
)
async def test_ipv6_networks_are_one_caller_by_64_56_and_48(
    party: RelyingParty, addresses: list[str], most: int
) -> None:
    """B-11, T31: half of 10, 20 and 40 at once."""
    statuses = [(await knock(party, fresh_email(), address=address)).status_code for address in addresses]
    assert Counter(statuses) == {303: most, 429: len(addresses) - most}


@pytest.mark.parametrize("garbage", ["garbage", "", "1.2.3.4.5", "unknown, for=1.2.3.4", "9" * 9000, "1.2.3.4:99"])
async def test_a_header_that_is_no_address_never_lifts_a_limit(party: RelyingParty, garbage: str) -> None:
    """C-09, T33: the peer is the caller then, for everybody who tries."""
    party.provider.advance(DAY * 60)
    statuses = [(await knock(party, fresh_email(), address=garbage)).status_code for _ in range(6)]
    assert statuses == [303] * 5 + [429]


async def test_an_address_counts_from_the_right_past_trusted_proxies_alone(party: RelyingParty) -> None:
    """C-09, T32: what stands left of the first untrusted hop is anybody's invention."""
    hop = fresh_address()
    chains = [f"{fresh_address()}, {hop}, 127.0.0.2" for _ in range(7)]
    statuses = [(await knock(party, fresh_email(), address=chain)).status_code for chain in chains]
    assert statuses == [303] * 5 + [429] * 2


async def test_a_forwarded_header_is_ignored_where_no_proxy_is_trusted() -> None:
    """C-09, T32."""
    with running_provider(trusted_proxies="") as untrusting:
        party = await register_trusted(untrusting)
        statuses = [(await knock(party, fresh_email())).status_code for _ in range(6)]
    assert statuses == [303] * 5 + [429]


async def test_a_full_network_charges_no_identifier(party: RelyingParty) -> None:
    """C-08, T34: all or nothing."""
    address, email = fresh_address(), fresh_email()
    for _ in range(5):
        await knock(party, fresh_email(), address=address)
    for _ in range(3):
        assert (await knock(party, email, address=address)).status_code == 429
    assert (await knock(party, email)).status_code == 303


async def test_a_refused_identifier_charges_no_network(party: RelyingParty) -> None:
    """C-08, T34."""
    address, email = fresh_address(), fresh_email()
    await knock(party, email)
    for _ in range(8):
        assert (await knock(party, email, address=address)).status_code == 429
    statuses = [(await knock(party, fresh_email(), address=address)).status_code for _ in range(5)]
    assert statuses == [303] * 5


async def test_a_refused_request_leaves_no_challenge_and_no_message(party: RelyingParty) -> None:
    """C-08."""
    email = fresh_email()
    await knock(party, email)
    async with Person() as person:
        before = len(await messages(person, party.provider, email))
        await person.open(party.authorization_url())
        await person.type_identifier(email)
        assert page_of(person).status == 429
        interaction = page_of(person).form_with("identifier").fields["interaction"]
        shown = await person.open(f"{party.provider.issuer}/login/code?interaction={interaction}")
        assert shown is not None
        assert "one_time_code" not in {name for form in shown.forms for name in form.fields}
        await until(lambda: not rows(party.provider, "SELECT 1 FROM outbox"))
        assert len(await messages(person, party.provider, email)) == max(before, 1)


async def test_of_ten_presses_at_once_one_sends_and_all_are_told_so(party: RelyingParty) -> None:
    """C-08, T37: for the first code and for a resend."""
    email = fresh_email()
    async with Person() as person:
        await person.open(party.authorization_url())
        first = page_of(person).form_with("identifier")
        asked = await asyncio.gather(*(post(person, first, identifier=email) for _ in range(10)))
        assert Counter(answer.status_code for answer in asked) == {303: 10}
        assert sent(party) == 1
        party.provider.advance(31)
        await person.open(asked[0].headers["location"])
        again = page_of(person).form_with("resend")
        resent = await asyncio.gather(*(post(person, again) for _ in range(10)))
        assert Counter(answer.status_code for answer in resent) == {303: 10}
        assert sent(party) == 2
        await until(lambda: not rows(party.provider, "SELECT 1 FROM outbox"))
        assert len(await messages(person, party.provider, email)) == 2


async def test_a_press_within_two_seconds_is_the_same_press(party: RelyingParty) -> None:
    """C-08, T37."""
    email = fresh_email()
    async with Person() as person:
        await ask(person, party, email)
        assert (await resend(person)).status == 200
        assert sent(party) == 1
        party.provider.advance(3)
        assert (await resend(person)).status == 429


async def test_another_browser_neither_ends_a_challenge_nor_gets_a_sixth() -> None:
    """A-12, T14: five wait for a code, the sixth is refused, and the first can still be used."""
    with running_provider(sends_per_identifier="1000/1m", cool_downs="10") as generous:
        party, email = await register_trusted(generous), fresh_email()
        async with Person() as owner:
            code = await ask(owner, party, email)
            for _ in range(4):
                generous.advance(10)
                assert (await knock(party, email)).status_code == 303
            generous.advance(10)
            assert (await knock(party, email)).status_code == 429
            assert reasons(party) == ["live_challenges"]
            await owner.type_code(code)
            assert "code" in owner.answer()
            generous.advance(550)
            assert (await knock(party, email)).status_code == 303


async def test_a_remembered_browser_is_sent_codes_whatever_strangers_used_up(party: RelyingParty) -> None:
    """B-07, C-01: strangers spent the identifier's sends and this network's."""
    email = fresh_email()
    async with Person() as owner:
        await owner.type_code(await ask(owner, party, email))
        for _ in range(6):
            await knock(party, fresh_email(), address=owner.address)
        await knock(party, email)
        assert (await knock(party, email)).status_code == 429
        code = await ask(owner, party, email, prompt="login")
        await owner.type_code(code)
        assert "code" in owner.answer()


async def test_a_remembered_browser_has_limits_of_its_own(party: RelyingParty) -> None:
    email = fresh_email()
    async with Person() as owner:
        await owner.type_code(await ask(owner, party, email))
        for _ in range(2):
            await owner.type_code(await ask(owner, party, email, prompt="login"))
        await owner.open(party.authorization_url(prompt="login"))
        await owner.type_identifier(email)
        assert page_of(owner).status == 429


async def test_whoever_typed_a_code_need_not_wait_for_the_next_but_gets_no_more_in_an_hour(party: RelyingParty) -> None:
    """Signed out at once, or in another browser: the waits are against codes that nobody asked for."""
    email = fresh_email()
    for _ in range(2):
        async with Person() as owner:
            await owner.type_code(await ask(owner, party, email))
            assert "code" in owner.answer()
    assert (await knock(party, email)).status_code == 429
    assert reasons(party) == ["sends_per_identifier"]


async def test_one_channel_never_closes_another(party: RelyingParty) -> None:
    address = fresh_address()
    for _ in range(5):
        assert (await knock(party, fresh_email(), address=address)).status_code == 303
    assert (await knock(party, fresh_email(), address=address)).status_code == 429
    assert (await knock(party, fresh_phone(), address=address)).status_code == 303


async def test_a_refusal_says_the_same_of_people_nobody_knows(party: RelyingParty) -> None:
    """D-01: the limit, whose it is and when it lifts, in the same words."""
    known, unknown = fresh_email(), fresh_email()
    async with Person() as owner:
        await owner.type_code(await ask(owner, party, known))
    party.provider.advance(31)
    said = []
    for email in (known, unknown):
        await knock(party, email)
        refused = await knock(party, email)
        said.append((refused.status_code, re.sub(r"\d", "0", refused.headers["retry-after"]), len(refused.content)))
    assert said[0][0] == said[1][0] == 429
    assert said[0][1:] == said[1][1:] or abs(said[0][2] - said[1][2]) <= 1


async def test_a_locked_database_gives_the_charge_back(party: RelyingParty) -> None:
    """C-08: what could not be ordered was not sent, so it may be asked for at once."""

    email = fresh_email()
    async with Person() as person:
        await person.open(party.authorization_url())
        form = page_of(person).form_with("identifier")
        with durable_file(party.provider) as connection:
            connection.execute("BEGIN IMMEDIATE")
            assert (await post(person, form, identifier=email)).status_code == 503
            connection.execute("ROLLBACK")
        assert await newest_id(person, party.provider, email) is None
    assert (await knock(party, email)).status_code == 303
