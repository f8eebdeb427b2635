"""`watchword clients`: registered software."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from watchword.cli.running import OPERATOR, answer, fail, read_json_file, with_services, with_transaction
from watchword.client_registration import (
    add_client,
    change_secrets,
    check_addresses,
    keeps_secret,
    new_client_id,
    new_secret,
)
from watchword.database import Transaction, clients
from watchword.events import record
from watchword.events.catalogue.clients import ClientChanged, ClientRemoved
from watchword.protocol.client import Client
from watchword.protocol.errors import ProtocolError
from watchword.protocol.registration import client_metadata, parse_client_metadata
from watchword.services import Services

command = typer.Typer(help="Registered clients.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Metadata = Annotated[Path | None, typer.Option(help="RFC 7591 metadata (JSON) in place of the options.")]


@command.command()
def add(
    name: Annotated[str, typer.Option(help="Name people see.")] = "",
    redirect_uri: Annotated[list[str] | None, typer.Option(help="Where codes may be sent; repeatable.")] = None,
    post_logout_redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where a sign-out may lead; repeatable.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="It cannot keep a secret (native and browser apps).")
    ] = False,
    first_party: Annotated[bool, typer.Option("--first-party", help="Ours: people are not asked for consent.")] = False,
    grant: Annotated[list[str] | None, typer.Option(help="Grant type; repeatable.")] = None,
    profile: Annotated[str, typer.Option(help="Security profile: oidc.")] = "oidc",
    no_pkce: Annotated[
        bool, typer.Option("--no-pkce", help="Do not require PKCE of this confidential client.")
    ] = False,
    scope: Annotated[
        list[str] | None, typer.Option(help="Scope it may ask for; repeatable. OpenID's by default.")
    ] = None,
    logo_uri: Annotated[str | None, typer.Option(help="Picture shown beside its name.")] = None,
    backchannel_logout_uri: Annotated[str | None, typer.Option(help="Where we tell it of sign-outs.")] = None,
    frontchannel_logout_uri: Annotated[str | None, typer.Option(help="Its page that a sign-out loads.")] = None,
    metadata: Metadata = None,
    as_json: AsJson = False,
) -> None:
    """Register a client; its secret is printed this once."""
    if profile != "oidc":
        fail(f"the security profile {profile} is not known; use oidc")
    options = {
        "client_name": name,
        "redirect_uris": redirect_uri,
        "post_logout_redirect_uris": post_logout_redirect_uri,
        "grant_types": grant,
        "token_endpoint_auth_method": "none" if public else "client_secret_basic",
        "pkce_required": not no_pkce,
        "scope": scope,
        "logo_uri": logo_uri,
        "backchannel_logout_uri": backchannel_logout_uri,
        "frontchannel_logout_uri": frontchannel_logout_uri,
    }
    document = _from_file(metadata, options) if metadata else _document(options)
    client = _parse(document | {"first_party": first_party or document.get("first_party", False)}, new_client_id())
    secret = with_services(lambda services: _register(services, client))
    answer(_shown(client, secret), as_json=as_json)


@command.command()
def update(
    client_id: str,
    metadata: Annotated[Path, typer.Option(help="All of its metadata (JSON): what it leaves out is gone.")],
    as_json: AsJson = False,
) -> None:
    """Replace a client's metadata. One that registered itself is the operator's from then on.

    A new secret is printed if it needs one that it had not.
    """
    document = read_json_file(metadata)
    if document.get("client_id", client_id) != client_id:
        fail(f"{metadata} is about another client, {document['client_id']}")
    client = _parse(document, client_id)

    async def work(services: Services) -> dict[str, Any]:
        before = await clients.find(services.database, client_id)
        if before is None:
            fail(f"no client {client_id}")
        after = client if "first_party" in document else replace(client, first_party=before.first_party)
        return _shown(after, await _change(services, before, after))

    answer(with_services(work), as_json=as_json)


@command.command("list")
def list_clients(as_json: AsJson = False) -> None:
    """List the registered clients, oldest first."""

    async def work(services: Services) -> list[dict[str, Any]]:
        return [_shown(client) for client in await clients.list_all(services.database)]

    answer(with_services(work), as_json=as_json)


@command.command()
def show(client_id: str, as_json: AsJson = False) -> None:
    """Show everything about one client but its secrets."""

    async def work(services: Services) -> dict[str, Any] | None:
        return await clients.show(services.database, client_id)

    shown = with_services(work)
    if shown is None:
        fail(f"no client {client_id}")
    answer(shown, as_json=as_json)


@command.command()
def remove(client_id: str) -> None:
    """Take a client out of use; its tokens stop working at once."""

    async def work(transaction: Transaction) -> bool:
        removed = await clients.remove(transaction, client_id)
        if removed:
            await record(transaction, ClientRemoved(client_id=client_id, removed_by="operator"), OPERATOR)
        return removed

    if not with_transaction(work):
        fail(f"no client {client_id}")
    typer.echo(f"Removed {client_id}.")


async def _register(services: Services, client: Client) -> str | None:
    """Register a client and return its secret, if it keeps one."""
    await _check_addresses(services, client)
    secret = new_secret() if keeps_secret(client) else None
    await services.database.transaction(
        lambda transaction: add_client(transaction, client, registered_by="operator", secret=secret, caller=OPERATOR)
    )
    return secret


async def _change(services: Services, before: Client, after: Client) -> str | None:
    """Change a client and return its new secret, if it got one."""
    await _check_addresses(services, after)
    secret = new_secret() if keeps_secret(after) and not keeps_secret(before) else None

    async def work(transaction: Transaction) -> bool:
        if changed := await clients.change(transaction, after):
            await change_secrets(transaction, before, after, secret)
            await record(transaction, ClientChanged(client_id=after.id, changed_by="operator"), OPERATOR)
        return changed

    if not await services.database.transaction(work):
        fail(f"no client {after.id}")
    return secret


async def _check_addresses(services: Services, client: Client) -> None:
    try:
        await check_addresses(services, client)
    except ProtocolError as refused:
        fail(refused.description)


def _parse(document: Mapping[str, Any], client_id: str) -> Client:
    try:
        return parse_client_metadata(document, client_id=client_id, trusted=True)
    except ProtocolError as refused:
        fail(refused.description)


def _from_file(path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Read metadata that stand in place of the options: an option beside them would be lost without a word."""
    unasked = {"token_endpoint_auth_method": "client_secret_basic", "pkce_required": True}
    if any(value and value != unasked.get(name) for name, value in options.items()) or not options["pkce_required"]:
        fail(
            "--metadata stands in place of the other options: write them into the file (only --first-party may follow)"
        )
    return read_json_file(path)


def _document(options: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the options into metadata; what was not given is left out."""
    if not options["client_name"]:
        fail("give the client a --name")
    document = {name: value for name, value in options.items() if value is not None}
    scopes: Sequence[str] = document.pop("scope", ())
    if scopes:
        document["scope"] = " ".join(scopes)
    document["grant_types"] = options["grant_types"] or ["authorization_code", "refresh_token"]
    return document


def _shown(client: Client, secret: str | None = None) -> dict[str, Any]:
    shown = {"client_id": client.id, "first_party": client.first_party, **client_metadata(client)}
    return shown if secret is None else shown | {"client_secret": secret}
