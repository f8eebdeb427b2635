"""`watchword audit`: whether the audit trail is what was written."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from watchword.cli.running import OPERATOR, answer, with_services
from watchword.events import record_alone
from watchword.events.catalogue.operation import TrailVerified
from watchword.events.verification import Report
from watchword.events.verification import verify as verify_trail
from watchword.services import Services

command = typer.Typer(help="The audit trail.", no_args_is_help=True)


@command.callback()
def _group() -> None:
    """Keep `verify` a command of its own while it is the only one."""


@command.command()
def verify(
    head: Annotated[
        str, typer.Option(help="The hash of a logged checkpoint, which the chain must still hold.", metavar="HASH")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Read the whole audit trail and compare it with its chain; exit status 1 when it is not what was written."""
    expected = _read_hash(head)

    async def work(services: Services) -> Report:
        report = await verify_trail(services.database, services.keyring.audit, expected_head=expected)
        event = TrailVerified(events=report.events, seals=report.seals, problems=report.problem_count)
        await record_alone(services.database, event, OPERATOR)
        return report

    report = with_services(work)
    answer(asdict(report) if as_json else _lines(report), as_json=as_json)
    if report.problem_count:
        raise typer.Exit(1)


def _read_hash(text: str) -> bytes | None:
    if not text:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise typer.BadParameter("is not a hash in hexadecimal; `audit checkpoint` lines of the log hold one") from None


def _lines(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {
        "result": f"{report.problem_count} problems" if report.problem_count else "the trail is whole",
        "events": f"{report.events} in {report.seals} seals, {report.unsealed} not sealed yet",
        "older than the chain": report.unmarked,
        "head": f"{report.head} (seal {report.head_number})",
    }
    return found | {f"problem {number}": problem.text for number, problem in enumerate(report.problems, 1)}
