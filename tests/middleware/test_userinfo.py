import asyncio
from typing import Any

import httpx2
import pytest

from tests.middleware.support import GatedTransport, TurnableClock, fetches
from watchword_asgi import Identity, Reason, Refused, Unavailable, Verifier
from watchword_asgi.testing import LocalIssuer


@pytest.fixture
def issuer(clock: TurnableClock) -> LocalIssuer:
    issuer = LocalIssuer(now=clock.now)
    issuer.profiles["ada"] = {"email": "ada@example.test"}
    return issuer


def verifier_of(issuer: LocalIssuer, clock: TurnableClock, http: Any = None) -> Verifier:
    return Verifier(issuer=issuer.issuer, audience=issuer.audience, http=http or issuer.transport, clock=clock.clock)


async def test_the_profile_is_fetched_with_the_token_and_kept(issuer: LocalIssuer, clock: TurnableClock) -> None:
    identity = await verifier_of(issuer, clock).verify(issuer.token())
    for _ in range(3):
        assert (await identity.userinfo())["email"] == "ada@example.test"
    assert fetches(issuer, "/userinfo") == 1


async def test_the_profile_is_fetched_anew_after_five_minutes(issuer: LocalIssuer, clock: TurnableClock) -> None:
    identity = await verifier_of(issuer, clock).verify(issuer.token())
    await identity.userinfo()
    issuer.profiles["ada"]["email"] = "new@example.test"
    clock.turn(301)
    assert (await identity.userinfo())["email"] == "new@example.test"


async def test_the_profile_is_kept_no_longer_than_the_token_lives(issuer: LocalIssuer, clock: TurnableClock) -> None:
    token = issuer.token(exp=int(clock.monotonic()) + 60)
    identity = await verifier_of(issuer, clock).verify(token)
    await identity.userinfo()
    clock.turn(61)
    with pytest.raises(Refused, match=Reason.EXPIRED):
        await identity.userinfo()


async def test_parallel_calls_share_one_fetch(issuer: LocalIssuer, clock: TurnableClock) -> None:
    slow = GatedTransport(issuer)
    slow.gate.set()
    identity = await verifier_of(issuer, clock, slow).verify(issuer.token())
    slow.gate.clear()
    slow.arrived.clear()
    waiting = [asyncio.create_task(identity.userinfo()) for _ in range(20)]
    await slow.arrived.wait()
    slow.gate.set()
    assert len(await asyncio.gather(*waiting)) == 20
    assert fetches(issuer, "/userinfo") == 1


async def test_the_profiles_of_two_tokens_are_never_mixed_up(issuer: LocalIssuer, clock: TurnableClock) -> None:
    verifier = verifier_of(issuer, clock)
    issuer.profiles["bob"] = {"email": "bob@example.test"}
    ada, bob = await verifier.verify(issuer.token()), await verifier.verify(issuer.token(subject="bob"))
    profiles = await asyncio.gather(ada.userinfo(), bob.userinfo())
    assert [profile["email"] for profile in profiles] == ["ada@example.test", "bob@example.test"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx2.Response(401), Reason.REVOKED),
        (httpx2.Response(403), Reason.INSUFFICIENT_SCOPE),
        (httpx2.Response(200, json={"sub": "eve", "email": "eve@example.test"}), Reason.WRONG_SUBJECT),
        (httpx2.Response(200, json={"email": "ada@example.test"}), Reason.WRONG_SUBJECT),
    ],
)
async def test_a_refusal_of_the_endpoint_is_a_refusal_here(
    issuer: LocalIssuer, clock: TurnableClock, answer: httpx2.Response, reason: Reason
) -> None:
    async def respond(request: httpx2.Request) -> httpx2.Response:
        return answer if request.url.path == "/userinfo" else await issuer.respond(request)

    identity = await verifier_of(issuer, clock, httpx2.MockTransport(respond)).verify(issuer.token())
    with pytest.raises(Refused, match=reason):
        await identity.userinfo()


@pytest.mark.parametrize("answer", [httpx2.Response(500), httpx2.Response(200, text="x"), httpx2.Response(302)])
async def test_no_usable_answer_is_unavailable_and_not_kept(
    issuer: LocalIssuer, clock: TurnableClock, answer: httpx2.Response
) -> None:
    broken = True

    async def respond(request: httpx2.Request) -> httpx2.Response:
        return answer if broken and request.url.path == "/userinfo" else await issuer.respond(request)

    identity = await verifier_of(issuer, clock, httpx2.MockTransport(respond)).verify(issuer.token())
    with pytest.raises(Unavailable):
        await identity.userinfo()
    broken = False
    assert (await identity.userinfo())["email"] == "ada@example.test"


async def test_a_provider_without_userinfo_is_unavailable(issuer: LocalIssuer, clock: TurnableClock) -> None:
    issuer.metadata = {"userinfo_endpoint": None}
    identity = await verifier_of(issuer, clock).verify(issuer.token())
    with pytest.raises(Unavailable):
        await identity.userinfo()


async def test_an_identity_made_by_hand_has_no_provider_to_ask() -> None:
    with pytest.raises(RuntimeError, match="not made by the middleware"):
        await Identity("ada", "client", frozenset()).userinfo()


async def test_the_token_does_not_show_in_the_identity(issuer: LocalIssuer, clock: TurnableClock) -> None:
    token = issuer.token(email="ada@example.test")
    identity = await verifier_of(issuer, clock).verify(token)
    assert identity.access_token == token
    assert token not in repr(identity)
    assert "ada@example.test" not in repr(identity)
