"""What asking for a code and checking one cost: steps of the ephemeral store, statements of the durable one."""

import ast
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import watchword
from tests.login.doors import fresh_email, wrong
from tests.login.opened import CountedStore, opened_services
from watchword.accounts import Identifier
from watchword.clock import Clock
from watchword.delivery.message import Channel
from watchword.events import Caller
from watchword.login.asking import CodeRequest, request_code
from watchword.login.budget import charge_guess, terms_for
from watchword.login.challenge import Challenge
from watchword.login.guessing import CodeIncorrect, expected_code, verify_code
from watchword.login.limits import RateLimited, charge, guessing, sending
from watchword.login.signing_in import SignedIn, sign_in
from watchword.protocol.client import Client
from watchword.services import Services

CALLER = Caller("203.0.113.7", "a browser", "r1")


@dataclass(slots=True)
class Counted:
    """Services whose stores count, and one person at one client."""

    services: Services
    store: CountedStore
    client: Client
    identifier: Identifier

    async def ask(self, device: str | None = None, binding: str = "b" * 43) -> Challenge:
        asked = CodeRequest(self.identifier, self.client, binding, "en", CALLER, device=device)
        return await request_code(self.services, asked)

    async def sign_in(self, challenge: Challenge, typed: str | None = None, device: str | None = None) -> SignedIn:
        code = typed or expected_code(self.services, challenge)
        proof = await verify_code(self.services, challenge.id, code, client_id=self.client.id, caller=CALLER)
        return await sign_in(self.services, proof, client_id=self.client.id, caller=CALLER, current=None, device=device)

    async def cost(self, asked: Any) -> tuple[dict[str, int], int]:
        """The verbs and the statements that something took."""
        self.store.verbs.clear()
        before = self.services.database.statements
        with suppress(CodeIncorrect, RateLimited):
            await asked
        return dict(self.store.verbs), self.services.database.statements - before


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Counted]:
    async with opened_services(tmp_path) as services:
        store = CountedStore(services.ephemeral)
        email = fresh_email()
        client = Client(id="c_notes", name="Notes", redirect_uris=("https://notes.example/back",))
        counting: Any = replace(services, ephemeral=store)
        yield Counted(counting, store, client, Identifier("email", email, email))


async def test_a_new_challenge_takes_three_steps_and_three_statements(counted: Counted) -> None:
    assert await counted.cost(counted.ask()) == ({"get_all": 1, "add": 1, "charge": 1}, 3)


async def test_a_resend_takes_three_steps_and_two_statements(counted: Counted) -> None:
    await counted.ask()
    counted.services.clock.offset += counted.services.settings.cool_downs[0]
    assert await counted.cost(counted.ask()) == ({"get_all": 1, "swap": 1, "charge": 1}, 2)


async def test_a_refusal_takes_one_step_more_and_one_event(counted: Counted) -> None:
    await counted.ask()
    refused = await counted.cost(counted.ask(binding="c" * 43))
    assert refused == ({"get_all": 1, "add": 1, "charge": 1, "delete": 1}, 2)


async def test_known_and_unknown_people_cost_the_same(counted: Counted) -> None:
    """D-02: the same steps and the same statements, so that no clock tells them apart."""
    costs: list[tuple[Any, Any]] = []
    for email in (counted.identifier.value, fresh_email()):
        counted.identifier = Identifier("email", email, email)
        if not costs:
            await counted.sign_in(await counted.ask(binding="a" * 43))
            counted.services.clock.offset += counted.services.settings.cool_downs[0]
        asked = await counted.cost(counted.ask())
        challenge = await counted.ask()  # at once, so the same one
        code = wrong(expected_code(counted.services, challenge))
        costs.append((asked, await counted.cost(counted.sign_in(challenge, code))))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("shift", [timedelta(days=1), timedelta(days=-1)])
async def test_another_clock_than_the_stores_decides_nothing(counted: Counted, shift: timedelta) -> None:
    """B-14, T75: a node whose clock is a day off finds budgets and rates as they are."""
    challenge = await counted.ask()
    for _ in range(10):
        await charge_guess(counted.services, challenge)
    skewed = replace(counted.services, clock=Clock(shift))
    with pytest.raises(RateLimited, match="failures_per_identifier") as refused:
        await terms_for(skewed, counted.identifier, None)
    assert timedelta(minutes=59) < refused.value.retry_after <= timedelta(hours=1)
    with pytest.raises(RateLimited, match="failures_per_identifier"):
        await charge_guess(skewed, challenge)
    sent = sending(skewed, counted.identifier, Channel.EMAIL, device=None, address=CALLER.address, begins=True)
    with pytest.raises(RateLimited, match="cool_down"):
        await charge(skewed, sent)


async def test_guarded_mode_leaves_networks_a_quarter(counted: Counted) -> None:
    """T05."""
    services, identifier = counted.services, counted.identifier

    def bursts() -> tuple[list[int], list[int]]:
        sent = sending(services, identifier, Channel.EMAIL, device=None, address=CALLER.address, begins=False)
        guessed = guessing(services, device=None, address=CALLER.address)
        return [limit.burst for limit in sent[1].charge.limits], [limit.burst for limit in guessed[0].charge.limits]

    assert bursts() == ([5, 15, 50], [15, 50])
    services.condition.guarded = True
    assert bursts() == ([1, 4, 13], [4, 13])


def test_codes_are_compared_in_one_place_and_by_one_route() -> None:
    """B-05: whoever adds a route that takes a code adds it here, and its tests with it."""
    package = Path(watchword.__file__).parent
    calls = {name: set[str]() for name in ("verify_code", "is_right", "derive_one_time_code")}
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls:
                calls[node.func.id].add(file.relative_to(package).as_posix())
    assert calls == {
        "verify_code": {"pages/login.py"},
        "is_right": {"login/guessing.py"},
        "derive_one_time_code": {"login/guessing.py"},
    }


async def test_a_right_code_takes_four_turns_and_two_transactions(counted: Counted) -> None:
    """Counted with two statements before the comparison; then account, session, device, events and the guess."""
    verbs = Counter(get_all=1, increment=1, charge=1, take=1, delete=1, refund=1)
    challenge = await counted.ask()
    newcomer = await counted.cost(counted.sign_in(challenge))
    assert newcomer == (verbs, 2 + 10)
    counted.services.clock.offset += counted.services.settings.session_idle
    known = await counted.sign_in(await counted.ask())
    counted.services.clock.offset += counted.services.settings.session_idle
    again = await counted.cost(counted.sign_in(await counted.ask(known.device), device=known.device))
    assert again == (verbs - Counter(charge=1), 2 + 6)


async def test_a_wrong_code_takes_two_turns_and_three_statements(counted: Counted) -> None:
    challenge = await counted.ask()
    code = wrong(expected_code(counted.services, challenge))
    assert await counted.cost(counted.sign_in(challenge, code)) == ({"get_all": 1, "increment": 1, "charge": 1}, 3)
