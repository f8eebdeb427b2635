"""How many slow requests of one address a worker bears, and how long one may take."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from watchword.services import Services
from watchword.web.answers import json_answer
from watchword.web.dispatch import Dispatch
from watchword.web.endpoint import Access, Endpoint
from watchword.web.exchange import Exchange, Renderer
from watchword.web.under_way import UnderWay
from watchword.web.wire import Answer

MOST = UnderWay.most_slow_of_one_address


class Application:
    """A provider of three endpoints: one answers when it is let, one reads a form, one is for probes."""

    def __init__(self, **settings: Any) -> None:
        self.let = asyncio.Event()
        chosen: Any = SimpleNamespace(
            **{
                "issuer": "http://localhost",
                "secure": False,
                "development": False,
                "test_limits": "on",
                "trusted_proxies": (),
                **settings,
            }
        )
        services = cast("Services", SimpleNamespace(settings=chosen))
        endpoints = [
            Endpoint("/waits", {"GET": self._wait}, Access.PUBLIC),
            Endpoint("/form", {"POST": self._read}, Access.PUBLIC),
            Endpoint("/probe", {"POST": self._alive}, Access.PUBLIC, any_host=True),
        ]
        problem_page: Any = None
        self._dispatch = Dispatch(
            endpoints,
            settings=chosen,
            base_path="",
            renderer=cast("Renderer", None),
            locales=("en",),
            problem_page=problem_page,
            services=lambda: services,
        )

    async def _wait(self, _exchange: Exchange) -> Answer:
        await self.let.wait()
        return json_answer({"status": "let"})

    async def _alive(self, _exchange: Exchange) -> Answer:
        return json_answer({"status": "alive"})

    async def _read(self, exchange: Exchange) -> Answer:
        await exchange.form()
        return json_answer({"status": "read"})

    def ask(self, path: str = "/waits", *, address: str = "192.0.2.1", forwarded: str = "") -> "Asked":
        headers = [(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")]
        if forwarded:
            headers.append((b"x-forwarded-for", forwarded.encode()))
        asked = Asked()
        scope = {
            "type": "http", "method": "GET" if path == "/waits" else "POST", "path": path, "raw_path": path.encode(),
            "query_string": b"", "headers": headers, "client": (address, 1),
        }  # fmt: skip
        asked.task = asyncio.create_task(self._dispatch(scope, asked.receive, asked.send))
        return asked


class Asked:
    """A request under way."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.start: dict[str, Any] = {}
        self.body = b""

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()  # a body that never comes
        raise AssertionError

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body = message["body"]

    async def status(self) -> int:
        await asyncio.wait_for(self.task, 10)
        return int(self.start["status"])

    def header(self, name: bytes) -> bytes | None:
        return dict(self.start["headers"]).get(name)


class Looks:
    """Tells when a worker has looked at what is under way."""

    def __init__(self) -> None:
        self._looked = asyncio.Event()

    def note(self) -> None:
        self._looked.set()

    async def next(self) -> None:
        self._looked.clear()
        await asyncio.wait_for(self._looked.wait(), 10)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """Looks that come often, and take anything for slow that the one before has seen."""
    looks, look = Looks(), UnderWay._look

    def noted(under_way: UnderWay) -> None:
        look(under_way)
        looks.note()

    monkeypatch.setattr(UnderWay, "_look", noted)
    monkeypatch.setattr(UnderWay, "look_seconds", 0.02)
    monkeypatch.setattr(UnderWay, "slow_seconds", 0.01)
    return looks


async def full(application: Application, looks: Looks, number: int = MOST, **asking: str) -> list[Asked]:
    """Ask as often as may be and see all of it become slow."""
    waiting = [application.ask(**asking) for _ in range(number)]
    await looks.next()
    await looks.next()
    assert not any(asked.task.done() for asked in waiting)
    return waiting


async def test_a_burst_of_quick_requests_is_never_refused() -> None:
    application = Application()
    burst = [application.ask() for _ in range(20 * MOST)]
    await asyncio.sleep(0)
    application.let.set()
    assert {await asked.status() for asked in burst} == {200}


async def test_whoever_has_many_slow_requests_is_refused_until_they_are_answered(looks: Looks) -> None:
    application = Application()
    waiting = await full(application, looks)
    refused = application.ask()
    assert await refused.status() == 429
    assert json.loads(refused.body)["error"] == "rate_limited"
    assert refused.header(b"retry-after") == b"1"
    application.let.set()
    assert {await asked.status() for asked in waiting} == {200}
    await looks.next()
    assert await application.ask().status() == 200


async def test_one_slow_request_fewer_is_served(looks: Looks) -> None:
    application = Application()
    waiting = [*await full(application, looks, MOST - 1), application.ask()]
    application.let.set()
    assert {await asked.status() for asked in waiting} == {200}


async def test_another_address_is_served_meanwhile(looks: Looks) -> None:
    application = Application()
    waiting = await full(application, looks)
    other = application.ask(address="192.0.2.2")
    application.let.set()
    assert {await asked.status() for asked in [*waiting, other]} == {200}


async def test_every_spelling_of_an_address_counts_as_one(looks: Looks) -> None:
    application = Application()
    await full(application, looks, address="::ffff:192.0.2.1")
    assert await application.ask(address="192.0.2.1").status() == 429
    application.let.set()


async def test_behind_a_trusted_proxy_the_callers_are_counted(looks: Looks) -> None:
    application = Application(trusted_proxies=("192.0.2.1/32",))
    waiting = await full(application, looks, forwarded="198.51.100.1")
    assert await application.ask(forwarded="203.0.113.9, 198.51.100.1").status() == 429
    other = application.ask(forwarded="198.51.100.2")
    application.let.set()
    assert {await asked.status() for asked in [*waiting, other]} == {200}


async def test_a_proxy_nobody_trusts_speaks_for_itself_alone(looks: Looks) -> None:
    application = Application()
    await full(application, looks, forwarded="198.51.100.1")
    assert await application.ask(forwarded="198.51.100.2").status() == 429
    application.let.set()


async def test_a_probe_is_answered_by_a_busy_worker_too(looks: Looks) -> None:
    application = Application()
    await full(application, looks)
    assert await application.ask("/probe").status() == 200
    application.let.set()


async def test_limits_that_are_off_count_nothing(looks: Looks) -> None:
    application = Application(test_limits="off")
    waiting = [*await full(application, looks), application.ask()]
    application.let.set()
    assert {await asked.status() for asked in waiting} == {200}


async def test_whoever_leaves_makes_room_at_the_next_look(looks: Looks) -> None:
    application = Application()
    waiting = await full(application, looks)
    waiting[0].task.cancel()
    await looks.next()
    late = application.ask()
    application.let.set()
    assert await late.status() == 200


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnderWay, "look_seconds", 0.02)
    monkeypatch.setattr(UnderWay, "handler_seconds", 0.1)
    monkeypatch.setattr(UnderWay, "body_seconds", 0.05)


@pytest.mark.usefixtures("hurried")
async def test_an_answer_that_takes_too_long_is_given_up() -> None:
    asked = Application().ask()
    assert await asked.status() == 503
    assert json.loads(asked.body)["error"] == "temporarily_unavailable"
    assert asked.header(b"retry-after")


@pytest.mark.usefixtures("hurried")
async def test_a_body_that_never_comes_is_given_up_sooner_and_ends_the_connection() -> None:
    asked = Application().ask("/form")
    assert await asked.status() == 408
    assert asked.header(b"connection") == b"close"


@pytest.mark.usefixtures("hurried")
async def test_every_overdue_request_is_given_up_and_later_ones_are_watched_too() -> None:
    application = Application()
    assert {await asked.status() for asked in [application.ask() for _ in range(MOST)]} == {503}
    assert await application.ask().status() == 503


@pytest.mark.usefixtures("hurried")
async def test_a_request_that_is_cancelled_from_outside_stays_cancelled() -> None:
    asked = Application().ask()
    await asyncio.sleep(0)
    asked.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked.task
    assert not asked.start
