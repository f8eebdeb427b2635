"""`watchword resources`: protected resources, the APIs that tokens are for."""

from typing import Annotated, Any

import typer

from watchword.cli.running import OPERATOR, answer, fail, with_services
from watchword.database import Transaction, clients
from watchword.events import record
from watchword.events.catalogue.clients import ResourceRegistered
from watchword.protocol.registration import parse_resource
from watchword.protocol.resource import Resource
from watchword.services import Services

command = typer.Typer(help="Protected resources.", no_args_is_help=True)


@command.command()
def add(
    audience: Annotated[str, typer.Option(help="The API's URL, as its tokens' audience.")],
    scope: Annotated[list[str], typer.Option(help="Scope it knows; repeatable.")],
    opaque: Annotated[bool, typer.Option("--opaque", help="Its tokens are looked up, not read.")] = False,
    lifetime: Annotated[int | None, typer.Option(help="Seconds its tokens live, if shorter than the setting.")] = None,
    client: Annotated[str | None, typer.Option(help="The client that may introspect its tokens.")] = None,
) -> None:
    """Register a protected resource, or change the one of that audience."""
    try:
        resource = parse_resource(audience, scope, lifetime=lifetime, client_id=client, opaque=opaque)
        with_services(lambda services: _register(services, resource))
    except ValueError as refused:
        fail(str(refused))
    typer.echo(f"Registered {audience}.")
    if opaque and client is None:
        typer.echo("Nobody can look its tokens up yet: name a client with --client.", err=True)


async def _register(services: Services, resource: Resource) -> None:
    if resource.audience == services.issuer:  # its tokens are for our own endpoints, and known by nothing else
        raise ValueError("the audience is the provider's own issuer; name the API's URL")

    async def work(transaction: Transaction) -> None:
        if resource.client_id is not None:
            await _check_introspector(transaction, resource.client_id)
        await clients.put_resource(transaction, resource)
        event = ResourceRegistered(client_id=resource.client_id, audience=resource.audience)
        await record(transaction, event, OPERATOR)

    await services.database.transaction(work)


async def _check_introspector(transaction: Transaction, client_id: str) -> None:
    """See that a client is registered and authenticates, without which it could not introspect."""
    client = await clients.find(transaction, client_id)
    if client is None:
        raise ValueError(f"there is no client {client_id}")
    if client.public:
        raise ValueError(f"the client {client_id} is public; introspection needs one that authenticates")


@command.command("list")
def list_resources(as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False) -> None:
    """List the protected resources."""

    async def work(services: Services) -> list[dict[str, Any]]:
        found = await clients.resources(services.database)
        return [_shown(resource) for resource in found.values()]

    answer(with_services(work), as_json=as_json)


def _shown(resource: Resource) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "audience": resource.audience,
        "scopes": sorted(resource.scopes),
        "tokens": "opaque" if resource.opaque else "jwt",
    }
    optional = {"lifetime": resource.lifetime, "client_id": resource.client_id}
    return shown | {name: value for name, value in optional.items() if value is not None}
