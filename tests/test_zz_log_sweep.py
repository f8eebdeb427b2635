"""Runs last: no log that any process of the suite wrote holds a code, a token, a cookie or a whole identifier."""

import json
from pathlib import Path

import pytest

from tests.support.log_sweep import find_secrets, sort_secrets, sweep
from tests.support.secrecy import log_files, remembered_secrets

TOKEN = "Zm9vYmFyLWEgdG9rZW4_with-43-characters-abcde"
SECRETS = sort_secrets(["042117", "asha.k@example.com", "+919876543210", TOKEN, "", "nobody", "not an address"])


def test_no_log_of_the_suite_holds_a_secret() -> None:
    files = log_files()
    if not files:
        pytest.skip("no provider ran before, so there are no logs")
    leaks = sweep(files, sort_secrets(remembered_secrets()))
    assert leaks == [], "\n".join(leaks[:50])


@pytest.mark.parametrize(
    "line",
    [
        "042117",
        "the code is 042117.",
        "code=042117&state=x",
        "code:042117",
        '{"event": "sent", "one_time_code": "042117"}',
        '{"event": "sent", "detail": {"codes": ["1", "042117"]}}',
        '{"timestamp": "2026-03-01T09:30:00.123456Z", "event": "042117"}',
        "2026-03-01 09:30:00,123456 042117",
        "process [042118] typed 042117",
        "asha.k@example.com",
        "ASHA.K@EXAMPLE.COM",
        "GET /authorize?login_hint=asha.k%40example.com HTTP/1.1",
        "to=<asha.k@example.com>",
        '{"event": "asha.k\\u0040example.com"}',
        "+919876543210",
        "GET /?phone=%2B919876543210",
        "tel 98765 43210",
        "tel (+91) 98765-43210 rang",
        f"Bearer {TOKEN}",
        f"/callback?code={TOKEN}&iss=x",
        f"xx{TOKEN}xx",
        json.dumps({"event": "x", "exception": f"Traceback\n  cookie={TOKEN};"}),
        json.dumps({"event": "x", TOKEN: 1}),
    ],
)
def test_a_secret_is_found_wherever_it_stands(line: str) -> None:
    assert list(find_secrets(line, SECRETS))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nobody typed what is not an address",
        '{"timestamp": "2026-03-01T09:30:00.042117Z", "request_id": "042117", "event": "ok"}',
        "2026-03-01T09:30:00.042117+00:00 started",
        "Started server process [042117]",
        "took 0.042117 s",
        "id 1042117, 0421170, a042117, 042117b",
        "client c_042117x",
        "a***@e***.com, +91••••••••10",
        "asha.k@example.org",
        "98765 43211",
        TOKEN[:-1],
    ],
)
def test_what_only_looks_like_a_secret_raises_no_alarm(line: str) -> None:
    assert list(find_secrets(line, SECRETS)) == []


def test_a_finding_names_its_place_and_shows_no_secret(tmp_path: Path) -> None:
    log = tmp_path / "0001-provider.log"
    log.write_text(f'fine\n{{"event": "typed 042117 by asha.k@example.com"}}\n{TOKEN}\n{{"event": "04211\\u0037"}}\n')
    found = sweep([log], SECRETS)
    assert [place.partition(": ")[0] for place in found] == [f"0001-provider.log:{line}" for line in (2, 3, 4)]
    assert not any(secret in place for place in found for secret in ("042117", "asha.k", TOKEN, "u0037"))
