"""`watchword clients`: registered software."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from watchword.cli.running import OPERATOR, answer, fail, with_services, with_transaction
from watchword.database import Transaction, clients
from watchword.events import record
from watchword.events.catalogue import ClientCreated, ClientRemoved
from watchword.protocol.client import Client
from watchword.protocol.digests import fingerprint
from watchword.protocol.errors import ProtocolError
from watchword.protocol.registration import client_metadata, parse_client_metadata
from watchword.services import Services

command = typer.Typer(help="Registered clients.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@command.command()
def add(
    name: Annotated[str, typer.Option(help="Name people see.")] = "",
    redirect_uri: Annotated[list[str] | None, typer.Option(help="Where codes may be sent; repeatable.")] = None,
    post_logout_redirect_uri: Annotated[list[str] | None, typer.Option(help="Where a sign-out may lead.")] = None,
    public: Annotated[bool, typer.Option(help="It cannot keep a secret (native and browser apps).")] = False,
    first_party: Annotated[bool, typer.Option(help="Ours: people are not asked for consent.")] = False,
    grant: Annotated[list[str] | None, typer.Option(help="Grant type; repeatable.")] = None,
    profile: Annotated[str, typer.Option(help="Security profile: oidc.")] = "oidc",
    no_pkce: Annotated[bool, typer.Option(help="Do not require PKCE of this confidential client.")] = False,
    scope: Annotated[
        list[str] | None, typer.Option(help="Scope it may ask for; repeatable. OpenID's by default.")
    ] = None,
    metadata: Annotated[Path | None, typer.Option(help="RFC 7591 metadata (JSON) in place of the options.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register a client; its secret is printed this once."""
    if profile != "oidc":
        fail(f"the security profile {profile} is not known; use oidc")
    if metadata is not None:
        document = _read_metadata(metadata)
    else:
        document = _document(name, redirect_uri, post_logout_redirect_uri, public, grant, no_pkce, scope)
    document["first_party"] = first_party or document.get("first_party", False)
    try:
        client = parse_client_metadata(document, client_id=f"c_{secrets.token_urlsafe(16)}", trusted=True)
    except ProtocolError as refused:
        fail(refused.description)
    secret = None if client.public else secrets.token_urlsafe(32)
    with_transaction(lambda transaction: _register(transaction, client, secret))
    answer(_shown(client) | ({"client_secret": secret} if secret else {}), as_json=as_json)


@command.command("list")
def list_clients(as_json: AsJson = False) -> None:
    """List the registered clients, oldest first."""

    async def work(services: Services) -> list[dict[str, Any]]:
        return [_shown(client) for client in await clients.list_all(services.database)]

    answer(with_services(work), as_json=as_json)


@command.command()
def show(client_id: str, as_json: AsJson = False) -> None:
    """Show one client."""

    async def work(services: Services) -> Client | None:
        return await clients.find(services.database, client_id)

    client = with_services(work)
    if client is None:
        fail(f"no client {client_id}")
    answer(_shown(client), as_json=as_json)


@command.command()
def remove(client_id: str) -> None:
    """Take a client out of use; its tokens stop working at once."""

    async def work(transaction: Transaction) -> bool:
        removed = await clients.remove(transaction, client_id)
        if removed:
            await record(transaction, ClientRemoved(client_id=client_id), OPERATOR)
        return removed

    if not with_transaction(work):
        fail(f"no client {client_id}")
    typer.echo(f"Removed {client_id}.")


async def _register(transaction: Transaction, client: Client, secret: str | None) -> None:
    await clients.add(transaction, client, registered_by="operator")
    if secret is not None:
        await clients.add_secret(transaction, uuid4(), client.id, secret_hash=fingerprint(secret), expires_at=None)
    await record(transaction, ClientCreated(client_id=client.id, registered_by="operator"), OPERATOR)


def _document(
    name: str,
    redirect_uris: list[str] | None,
    post_logout_redirect_uris: list[str] | None,
    public: bool,
    grants: list[str] | None,
    no_pkce: bool,
    scopes: list[str] | None,
) -> dict[str, Any]:
    """Turn the options into metadata."""
    if not name:
        fail("give the client a --name")
    default = ["authorization_code", "refresh_token"]
    document: dict[str, Any] = {
        "client_name": name,
        "redirect_uris": redirect_uris or [],
        "post_logout_redirect_uris": post_logout_redirect_uris or [],
        "grant_types": grants or default,
        "token_endpoint_auth_method": "none" if public else "client_secret_basic",
        "pkce_required": not no_pkce,
    }
    if scopes:
        document["scope"] = " ".join(scopes)
    return document


def _read_metadata(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        fail(f"cannot read {path}: {problem}")
    if not isinstance(document, dict):
        fail(f"{path} does not hold a JSON object")
    return document


def _shown(client: Client) -> dict[str, Any]:
    return {"client_id": client.id, "first_party": client.first_party, **client_metadata(client)}
