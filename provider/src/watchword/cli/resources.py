"""`watchword resources`: protected resources, the APIs that tokens are for."""

from typing import Annotated, Any

import typer

from watchword.cli.running import OPERATOR, answer, fail, with_services, with_transaction
from watchword.database import Transaction, clients
from watchword.events import record
from watchword.events.catalogue import ResourceRegistered
from watchword.protocol.registration import parse_resource
from watchword.services import Services

command = typer.Typer(help="Protected resources.", no_args_is_help=True)


@command.command()
def add(
    audience: Annotated[str, typer.Option(help="The API's URL, as its tokens' audience.")],
    scope: Annotated[list[str], typer.Option(help="Scope it knows; repeatable.")],
    opaque: Annotated[bool, typer.Option(help="Its tokens are looked up, not read.")] = False,
    lifetime: Annotated[int | None, typer.Option(help="Seconds its tokens live, if shorter than the setting.")] = None,
    client: Annotated[str | None, typer.Option(help="The client that may introspect its tokens.")] = None,
) -> None:
    """Register a protected resource, or change the one of that audience."""
    if opaque:
        fail("opaque tokens are not supported by this version")
    try:
        resource = parse_resource(audience, scope, lifetime=lifetime, client_id=client)
    except ValueError as refused:
        fail(str(refused))

    async def work(transaction: Transaction) -> None:
        await clients.put_resource(transaction, resource)
        await record(transaction, ResourceRegistered(client_id=client, audience=audience), OPERATOR)

    with_transaction(work)
    typer.echo(f"Registered {audience}.")


@command.command("list")
def list_resources(as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False) -> None:
    """List the protected resources."""

    async def work(services: Services) -> list[dict[str, Any]]:
        found = await clients.resources(services.database)
        return [{"audience": each.audience, "scopes": sorted(each.scopes)} for each in found.values()]

    answer(with_services(work), as_json=as_json)
