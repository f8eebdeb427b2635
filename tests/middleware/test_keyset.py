import asyncio
import logging

import pytest

from tests.middleware.support import GatedTransport, TurnableClock, fetches, get, protect, settle
from watchword_asgi import Reason, Refused, Unavailable, Verifier
from watchword_asgi.testing import LocalIssuer, generate_signing_key

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def verifier(issuer: LocalIssuer, clock: TurnableClock) -> Verifier:
    return Verifier(issuer=issuer.issuer, audience=issuer.audience, http=issuer.transport, clock=clock.clock)


async def reason_of(verifier: Verifier, token: str) -> Reason:
    with pytest.raises(Refused) as caught:
        await verifier.verify(token)
    return caught.value.reason


async def test_fifty_cold_requests_cost_one_discovery_and_one_key_fetch(
    issuer: LocalIssuer, clock: TurnableClock
) -> None:
    slow = GatedTransport(issuer)
    app = protect(issuer, http=slow, clock=clock.clock)
    waiting = [asyncio.create_task(get(app, headers=issuer.bearer())) for _ in range(50)]
    await slow.arrived.wait()
    slow.gate.set()
    answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {200}
    assert issuer.requests == [("GET", DISCOVERY), ("GET", "/jwks")]


async def test_a_waiter_who_gives_up_does_not_take_the_fetch_along(issuer: LocalIssuer, clock: TurnableClock) -> None:
    slow = GatedTransport(issuer)
    verifier = Verifier(issuer=issuer.issuer, audience=issuer.audience, http=slow, clock=clock.clock)
    first = asyncio.create_task(verifier.verify(issuer.token()))
    await slow.arrived.wait()
    second = asyncio.create_task(verifier.verify(issuer.token()))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    slow.gate.set()
    assert (await second).subject == "ada"
    assert fetches(issuer) == 1


async def test_a_thousand_unknown_kids_cost_at_most_four_fetches(issuer: LocalIssuer, verifier: Verifier) -> None:
    await verifier.verify(issuer.token())
    for number in range(1000):
        token = issuer.token(header={"kid": f"forged-{number}"})
        assert await reason_of(verifier, token) is Reason.UNKNOWN_KEY
    assert fetches(issuer) <= 4


async def test_a_wrong_signature_under_a_known_kid_costs_no_fetch(issuer: LocalIssuer, verifier: Verifier) -> None:
    await verifier.verify(issuer.token())
    forger = generate_signing_key("ES256", issuer.keys[0].kid)
    for _ in range(10):
        assert await reason_of(verifier, issuer.token(key=forger)) is Reason.SIGNATURE
    assert fetches(issuer) == 1


async def test_a_new_key_works_right_after_warm_up(issuer: LocalIssuer, verifier: Verifier) -> None:
    await verifier.verify(issuer.token())
    issuer.keys.insert(0, generate_signing_key("ES256"))
    assert (await verifier.verify(issuer.token())).subject == "ada"
    assert fetches(issuer) == 2


async def test_fifty_requests_with_a_new_key_share_one_fetch(issuer: LocalIssuer, clock: TurnableClock) -> None:
    slow = GatedTransport(issuer)
    slow.gate.set()
    verifier = Verifier(issuer=issuer.issuer, audience=issuer.audience, http=slow, clock=clock.clock)
    await verifier.verify(issuer.token())
    slow.gate.clear()
    slow.arrived.clear()
    issuer.keys.insert(0, generate_signing_key("ES256"))
    waiting = [asyncio.create_task(verifier.verify(issuer.token())) for _ in range(50)]
    await slow.arrived.wait()
    slow.gate.set()
    assert len(await asyncio.gather(*waiting)) == 50
    assert fetches(issuer) == 2


async def test_a_kid_that_was_unknown_is_asked_for_again_a_little_later(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    await verifier.verify(issuer.token())
    late = generate_signing_key("ES256")
    token = issuer.token(key=late)
    assert await reason_of(verifier, token) is Reason.UNKNOWN_KEY
    issuer.keys.append(late)
    assert await reason_of(verifier, token) is Reason.UNKNOWN_KEY
    assert fetches(issuer) == 2
    clock.turn(2)
    assert (await verifier.verify(token)).subject == "ada"


async def test_the_allowance_for_unknown_kids_grows_back(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    await verifier.verify(issuer.token())
    for number in range(10):
        await reason_of(verifier, issuer.token(header={"kid": f"a{number}"}))
    assert fetches(issuer) == 4
    clock.turn(31)
    for number in range(10):
        await reason_of(verifier, issuer.token(header={"kid": f"b{number}"}))
    assert fetches(issuer) == 5


async def test_a_cold_outage_is_503_and_no_fault_of_the_token(issuer: LocalIssuer, clock: TurnableClock) -> None:
    issuer.outage = 503
    app = protect(issuer, clock=clock.clock)
    answer = await get(app, headers=issuer.bearer())
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "www-authenticate" not in answer.headers
    assert answer.json()["error"] == "temporarily_unavailable"


async def test_during_an_outage_the_issuer_is_asked_ever_more_rarely(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    issuer.outage = 503
    for _ in range(1200):  # ten minutes, two requests a second
        with pytest.raises(Unavailable):
            await verifier.verify(issuer.token())
        clock.turn(0.5)
    assert len(issuer.requests) < 30
    issuer.outage = None
    clock.turn(30)
    assert (await verifier.verify(issuer.token())).subject == "ada"


async def test_a_failure_is_over_as_soon_as_its_pause_is(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    issuer.outage = 500
    with pytest.raises(Unavailable) as caught:
        await verifier.verify(issuer.token())
    issuer.outage = None
    clock.turn(caught.value.retry_after)
    assert (await verifier.verify(issuer.token())).subject == "ada"


async def test_known_keys_serve_through_an_outage_without_anybody_waiting(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    await verifier.verify(issuer.token())
    issuer.outage = 503
    for seconds in (400, 3600, 80000):
        clock.turn(seconds)
        with caplog.at_level(logging.WARNING, "watchword_asgi"):
            assert (await verifier.verify(issuer.token())).subject == "ada"
            await settle()
        assert "the remembered one serves on" in caplog.text
    clock.turn(86400)
    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())


async def test_an_outage_behind_known_keys_is_not_answered_with_a_storm(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    await verifier.verify(issuer.token())
    issuer.outage = 503
    clock.turn(301)
    for _ in range(600):  # one minute
        await verifier.verify(issuer.token())
        await settle()
        clock.turn(0.1)
    assert fetches(issuer) <= 9


async def test_an_unknown_kid_during_an_outage_gets_no_verdict(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    await verifier.verify(issuer.token())
    issuer.outage = 503
    for number in range(5):
        with pytest.raises(Unavailable):
            await verifier.verify(issuer.token(header={"kid": f"new-{number}"}))
    assert fetches(issuer) == 2


async def test_a_withdrawn_key_dies_for_tokens_already_seen_too(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    issuer.lifetime *= 100
    token = issuer.token()
    await verifier.verify(token)
    issuer.keys[:] = [generate_signing_key("ES256")]
    assert (await verifier.verify(token)).subject == "ada"
    clock.turn(301)
    await verifier.verify(token)  # served once more while the refresh runs behind it
    await settle()
    assert await reason_of(verifier, token) is Reason.UNKNOWN_KEY


async def test_after_a_long_silence_a_withdrawn_key_is_not_served_once_more(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    issuer.lifetime *= 100
    token = issuer.token()
    await verifier.verify(token)
    issuer.keys[:] = [generate_signing_key("ES256")]
    clock.turn(601)
    assert await reason_of(verifier, token) is Reason.UNKNOWN_KEY


async def test_a_key_that_stays_keeps_its_verified_tokens_through_a_rotation(
    issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock
) -> None:
    issuer.lifetime *= 100
    token = issuer.token()
    before = await verifier.verify(token)
    issuer.keys.append(generate_signing_key("ES256"))
    clock.turn(601)
    await verifier.verify(issuer.token())
    assert await verifier.verify(token) is before


async def test_a_token_seen_before_still_expires(issuer: LocalIssuer, verifier: Verifier, clock: TurnableClock) -> None:
    token = issuer.token(exp=int(clock.monotonic()) + 60)
    assert await verifier.verify(token) is await verifier.verify(token)
    clock.turn(60 + 30)
    assert await reason_of(verifier, token) is Reason.EXPIRED
    assert fetches(issuer) == 1


def test_one_verifier_serves_several_event_loops(issuer: LocalIssuer, verifier: Verifier) -> None:
    for _ in range(3):
        assert asyncio.run(verifier.verify(issuer.token())).subject == "ada"
    assert fetches(issuer) == 1
