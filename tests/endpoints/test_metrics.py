"""/metrics: off unless the operator says so, right with several workers, and silent about who and what."""

import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import httpx2
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.login.doors import wrong
from tests.support.log_sweep import find_secrets, sort_secrets
from tests.support.person import Person
from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty, register
from tests.support.secrecy import remember_secret, remembered_secrets
from watchword.endpoints import ENDPOINTS
from watchword.events.catalogue import catalogue
from watchword.events.counting import count
from watchword.pages import PAGES

TOKEN = remember_secret(secrets.token_urlsafe(32))
WAIT = 20  # seconds, for what takes a moment
Labels = dict[str, str]


@pytest.fixture(scope="module")
def counted() -> Iterator[RunningProvider]:
    """Two workers that count, for whoever has the token."""
    with running_provider(workers=2, metrics="token", metrics_token=TOKEN, test_limits="off") as provider:
        yield provider


@pytest.fixture(scope="module")
def opened() -> Iterator[RunningProvider]:
    """One worker that tells everybody."""
    with running_provider(metrics="open") as provider:
        yield provider


@pytest.fixture(scope="module")
def party(counted: RunningProvider) -> RelyingParty:
    return register(counted)


def scrape(provider: RunningProvider, token: str = TOKEN) -> str:
    """Ask on a connection of its own: whichever worker takes it."""
    answer = httpx2.get(f"{provider.issuer}/metrics", headers={"authorization": f"Bearer {token}"}, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.text


def value(text: str, name: str, **labels: str) -> float:
    """Add up the samples of that name whose labels are these, whatever the others."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"watchword_{name}" and labels.items() <= sample.labels.items()
    )


def workers(provider: RunningProvider) -> list[psutil.Process]:
    children = psutil.Process(provider.process.pid).children()
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if any("spawn_main" in word for word in child.cmdline())]


def test_they_are_off_unless_the_operator_turns_them_on(provider: RunningProvider) -> None:
    unknown = httpx2.get(f"{provider.issuer}/nowhere")
    answer = httpx2.get(f"{provider.issuer}/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()) == (404, unknown.json())


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "é"]
)
def test_without_the_token_nothing_is_told(counted: RunningProvider, authorization: str | None) -> None:
    headers = {} if authorization is None else {b"authorization": authorization.encode("latin-1")}
    answer = httpx2.get(f"{counted.issuer}/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "watchword_" not in answer.text


def test_they_are_open_when_the_operator_spells_it_out(opened: RunningProvider) -> None:
    answer = httpx2.get(f"{opened.issuer}/metrics", headers={"host": "10.0.0.7:9000"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_whichever_worker_is_asked_tells_of_all_of_them(counted: RunningProvider) -> None:
    before = value(scrape(counted), "request_seconds_count", endpoint="/jwks", method="GET", status="2xx")
    for _ in range(40):
        assert httpx2.get(f"{counted.issuer}/jwks").status_code == 200
    seen = {value(scrape(counted), "request_seconds_count", endpoint="/jwks", status="2xx") for _ in range(10)}
    assert seen == {before + 40}
    files = list(_folder(counted).glob("histogram_*.db"))
    assert len(files) == 2  # both workers took part


def test_the_counts_of_a_worker_that_died_are_kept_in_a_private_folder_until_the_provider_stops() -> None:
    with running_provider(workers=2, metrics="open") as provider:
        folder = _folder(provider)
        assert folder.stat().st_mode & 0o777 == 0o700
        for _ in range(20):
            httpx2.get(f"{provider.issuer}/jwks")
        for worker in workers(provider):
            worker.kill()
            worker.wait(WAIT)
        _wait_until_alive(provider)
        assert value(scrape(provider), "request_seconds_count", endpoint="/jwks", status="2xx") == 20
    assert not folder.exists()


async def test_a_login_shows_in_the_counts_and_nobody_can_be_recognised(
    counted: RunningProvider, party: RelyingParty
) -> None:
    before = scrape(counted)
    email = remember_secret(f"{secrets.token_hex(8)}@people.example")
    async with Person() as person:
        await person.open(party.authorization_url(login_hint=email))
        await person.type_identifier(email)
        code = (await counted.newest_message(email))["one_time_code"]
        await person.type_code(wrong(code))
        await person.type_code(code)
        tokens = (await party.exchange(person.answer()["code"])).json()
    await party.refresh(tokens["refresh_token"])
    after = scrape(counted)

    def more(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert more("codes_requested_total", channel="email", outcome="accepted") == 1
    assert more("messages_total", channel="email", gateway="mailbox", outcome="sent") == 1
    assert more("codes_checked_total", outcome="wrong") == 1
    assert more("codes_checked_total", outcome="right") == 1
    assert more("tokens_total", grant_type="authorization_code") == 1
    assert more("tokens_total", grant_type="refresh_token") == 1
    assert more("events_total", event="session.created") == 1
    for line in after.splitlines():
        assert not set(find_secrets(line, sort_secrets(remembered_secrets()))), line.partition("{")[0]
        assert party.client_id not in line
        assert "@" not in line


def test_labels_are_of_closed_sets(counted: RunningProvider) -> None:
    methods = ("GET", "PURGE", "MKCOL", "TRACE")
    for number, method in enumerate(methods):
        httpx2.request(method, f"{counted.issuer}/nowhere/{number}/asha@example.com")
        httpx2.request(method, f"{counted.issuer}/login/static/{number}.css")
    text = scrape(counted)
    seen: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, label_value in sample.labels.items():
                seen.setdefault(label, set()).add(label_value)
    assert seen["endpoint"] <= {endpoint.path for endpoint in (*ENDPOINTS, *PAGES)} | {"none"}
    assert seen["method"] <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}
    assert seen["status"] <= {"2xx", "3xx", "4xx", "5xx"}
    assert seen.get("event", set()) <= {event.name for event in catalogue()}
    assert len(text) < 200_000


def test_a_store_that_does_not_answer_shows_and_the_rest_is_told(opened: RunningProvider) -> None:
    text = scrape(opened)
    assert value(text, "store_up", store="durable") == value(text, "store_up", store="ephemeral") == 1
    assert 'watchword_outbox_jobs{state="ready"} 0.0' in text
    file = opened.folder / "ephemeral.sqlite3"
    file.rename(opened.folder / "away")
    try:
        assert httpx2.get(f"{opened.issuer}/readyz").status_code == 503
        text = scrape(opened)
    finally:
        (opened.folder / "away").rename(file)
    assert (value(text, "store_up", store="durable"), value(text, "store_up", store="ephemeral")) == (1, 0)
    assert value(text, "store_errors_total", kind="unavailable") >= 1
    assert value(text, "request_seconds_count", endpoint="/readyz", status="5xx") >= 1


@pytest.mark.parametrize("kind", catalogue(), ids=lambda kind: kind.name)
def test_every_event_can_be_counted(kind: Any) -> None:
    fillings: dict[Any, Any] = {str: "x", int: 1, bool: True, Mapping[str, int]: {}}
    hints = get_type_hints(kind)
    count(kind(**{name: fillings[hints[name]] for name in kind.__slots__ if hints.get(name) in fillings}))


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_a_provider_that_does_not_count_does_not_load_the_library() -> None:
    code = "import sys, watchword.app, watchword.cli.commands; print('prometheus_client' in sys.modules)"
    assert _run(code) == "False"


def test_a_label_that_is_not_closed_after_all_fills_no_memory() -> None:
    text = _run(
        "from watchword import metrics; metrics.enable()\n"
        "for number in range(3000): metrics.refused(f'limit {number}', 'network')\n"
        "print(metrics.exposition([]).decode())"
    )
    assert len(re.findall(r"^watchword_refusals_total\{", text, re.MULTILINE)) == 1001
    assert value(text, "refusals_total", limit="other", scope="other") == 2000


def test_one_worker_without_a_folder_counts_in_memory() -> None:
    assert 'watchword_tokens_total{grant_type="x"} 2.0' in _run(
        "from watchword import metrics; metrics.token_issued('x'); metrics.enable(); metrics.enable()\n"
        "metrics.token_issued('x'); metrics.token_issued('x'); print(metrics.exposition([]).decode())"
    )


def _folder(provider: RunningProvider) -> Path:
    """Where the workers count, as their environment says."""
    return Path(workers(provider)[0].environ()["PROMETHEUS_MULTIPROC_DIR"])


def _wait_until_alive(provider: RunningProvider) -> None:
    deadline = time.monotonic() + WAIT
    while True:
        try:
            if httpx2.get(f"{provider.issuer}/healthz").status_code == 200:
                return
        except httpx2.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
