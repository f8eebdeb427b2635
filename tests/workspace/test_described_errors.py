"""What an exception leaves in the log: its type and where it came through, and never what it says."""

import asyncio
import json
import subprocess
import sys

import pytest

from watchword.telemetry import describe_error

LOGGING = """
import asyncio, gc, logging
from watchword.telemetry import configure_logging, get_logger

SAID = "said-by-the-exception asha@example.com"

def fail(value):
    local = value
    raise ValueError(value)

def refuse():
    try:
        fail(SAID)
    except ValueError as error:
        raise LookupError(SAID) from error

configure_logging("debug")
try:
    refuse()
except LookupError as error:
    get_logger("ours").exception("a job failed", job=1)
    get_logger("ours").error("request failed", exc_info=error)
    logging.getLogger("library").exception("a library failed")

async def main():
    task = asyncio.create_task(asyncio.to_thread(fail, SAID))
    await asyncio.wait([task])
    del task
    gc.collect()

asyncio.run(main())
"""


def test_no_logger_repeats_what_an_exception_says() -> None:
    done = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, timeout=60, check=True)
    assert "said-by-the-exception" not in done.stderr
    assert "asha@example.com" not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    by_name = {line["event"]: line for line in lines}
    for event in ("a job failed", "request failed", "a library failed"):
        newest, cause = by_name[event]["exception"]
        assert (newest["type"], cause["type"]) == ("builtins.LookupError", "builtins.ValueError")
        assert [frame.rpartition(" ")[2] for frame in cause["frames"]] == ["refuse", "fail"]
        assert all(frame.startswith("__main__:") for frame in cause["frames"])
    unseen = next(line for line in lines if "never retrieved" in line["event"])
    assert unseen["exception"][0]["type"] == "builtins.ValueError"


def test_a_chain_that_bites_its_tail_and_a_deep_one_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert [link["type"] for link in describe_error(first)] == ["builtins.ValueError"] * 2

    def dive(depth: int) -> None:
        if not depth:
            raise asyncio.CancelledError
        dive(depth - 1)

    with pytest.raises(asyncio.CancelledError) as caught:
        dive(200)
    (link,) = describe_error(caught.value)
    assert len(link["frames"]) == 40
    assert link["frames"][-1].endswith("dive")


def test_a_cause_that_was_hidden_on_purpose_stays_hidden() -> None:
    def hide() -> None:
        try:
            raise ValueError
        except ValueError:
            raise LookupError from None

    with pytest.raises(LookupError) as caught:
        hide()
    assert [link["type"] for link in describe_error(caught.value)] == ["builtins.LookupError"]
