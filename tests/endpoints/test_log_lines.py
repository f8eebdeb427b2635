"""What is sent can neither split a line of the log nor forge one; every line is JSON and tells its time in UTC."""

import json
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from tests.endpoints.test_hostile_input import build, send
from tests.support.provider import RunningProvider
from tests.support.relying_party import REDIRECT_URI

FORGED = 'x\n{"event": "forged", "level": "info"}\r\n\u2028\u2029\x85\x1b[2K\x00\u202eend'
FORM = ("Content-Type", b"application/x-www-form-urlencoded")


def test_no_input_splits_or_forges_a_line(provider: RunningProvider) -> None:
    text, raw = quote(FORGED), FORGED.replace("\n", "").replace("\r", "").replace("\x00", "").encode()
    headers = [("User-Agent", raw), ("X-Forwarded-For", raw), ("Accept-Language", raw), ("X-Request-Id", raw)]
    form = urlencode({"grant_type": FORGED, "client_id": FORGED, "redirect_uri": REDIRECT_URI}).encode()
    for target in (
        f"/login/static/{text}",
        f"/{text}",
        f"/authorize?client_id={text}&state={text}",
        f"/login?interaction={text}",
    ):
        send(provider, build(provider, "GET", target.encode(), headers, b""))
    for path in (b"/token", b"/authorize", b"/logout", b"/register", b"/userinfo", b"/login"):
        send(provider, build(provider, "POST", path, [*headers, FORM], form))
        send(
            provider,
            build(provider, "POST", path, [("Content-Type", b"application/json")], json.dumps([FORGED]).encode()),
        )
    send(provider, b"GET / HTTP/1.1\nHost: x\n\x1b[2K forged\n\n")
    text = provider.log.read_bytes().decode("utf-8")
    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == len(text.splitlines())  # which also counts what only some readers take for an end of line
    assert len(lines) > 10
    for line in lines:
        entry = json.loads(line)
        assert entry["event"] != "forged"
        assert line.isprintable()


def test_times_are_utc(provider: RunningProvider) -> None:
    for line in provider.log.read_text().splitlines():
        moment = datetime.fromisoformat(json.loads(line)["timestamp"])
        assert moment.utcoffset() == timedelta(0)
