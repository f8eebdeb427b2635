"""`watchword keys`: the signing keys."""

from typing import Annotated

import typer

from watchword.cli.running import answer, with_services
from watchword.database import keys as stored
from watchword.services import Services

command = typer.Typer(help="Signing keys.", no_args_is_help=True)


@command.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False) -> None:
    """List the published keys, oldest first."""

    async def work(services: Services) -> list[dict[str, str]]:
        rows = await stored.signing_keys(services.database)
        return [{"kid": row.kid, "algorithm": row.algorithm, "state": row.state} for row in rows]

    answer(with_services(work), as_json=as_json)
