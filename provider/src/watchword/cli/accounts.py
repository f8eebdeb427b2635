"""`watchword accounts`: people's records."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from watchword import sessions
from watchword.accounts import Identifier
from watchword.accounts.devices import forget_devices
from watchword.accounts.registration import add_account
from watchword.cli.running import OPERATOR, answer, fail, read_json_file, with_services, with_transaction
from watchword.database import Conflict, Reader, Transaction, accounts, devices
from watchword.events import record
from watchword.events.catalogue.people import AccountStatusChanged
from watchword.login.identifier import parse_identifier
from watchword.protocol.claims import parse_profile_claims
from watchword.protocol.errors import ProtocolError
from watchword.services import Services

command = typer.Typer(help="Accounts.", no_args_is_help=True)
_KINDS = {
    "email": "email address such as name@example.com",
    "phone": "phone number with its country, such as +91 98765 43210",
}
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@command.command()
def add(
    email: Annotated[str | None, typer.Option(help="Email address.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone number with its +.")] = None,
    claims: Annotated[Path | None, typer.Option(help="Standard claims (JSON), such as name and address.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an account whose identifiers the operator vouches for."""
    asked = (("--email", "email", email), ("--phone", "phone", phone))
    identifiers = tuple(_vouched(option, kind, text) for option, kind, text in asked if text)
    if not identifiers:
        fail("give --email, --phone or both")
    profile = _read_claims(claims) if claims else {}

    async def work(transaction: Transaction) -> UUID:
        return await add_account(transaction, identifiers, profile=profile, client_id=None, caller=OPERATOR)

    try:
        account_id = with_transaction(work)
    except Conflict:
        fail("an account has one of these identifiers already")
    answer({"id": str(account_id)}, as_json=as_json)


@command.command()
def show(
    account: Annotated[str, typer.Argument(help="Id, email address or phone number.")], as_json: AsJson = False
) -> None:
    """Show an account."""

    async def work(services: Services) -> dict[str, Any] | None:
        account_id = await _find(services.database, account)
        shown = await accounts.show(services.database, account_id)
        return None if shown is None else shown | {"devices": await devices.of_account(services.database, account_id)}

    shown = with_services(work)
    if shown is None:
        fail("no such account")
    answer(shown, as_json=as_json)


@command.command()
def disable(account: Annotated[str, typer.Argument(help="Id, email address or phone number.")]) -> None:
    """Disable an account: no sign-in, and its tokens stop working at once."""

    async def work(transaction: Transaction) -> bool:
        account_id = await _find(transaction, account)
        changed = await accounts.set_status(transaction, account_id, "disabled")
        if changed:
            await record(transaction, AccountStatusChanged(account_id=account_id, status="disabled"), OPERATOR)
            await sessions.end_all(transaction, account_id, reason="disabled", caller=OPERATOR)
        return changed

    if not with_transaction(work):
        fail("no such account")
    typer.echo("Disabled.")


@command.command("forget-devices")
def forget(account: Annotated[str, typer.Argument(help="Id, email address or phone number.")]) -> None:
    """Forget the browsers an account signed in with: their codes are limited like strangers' until they sign in."""

    async def work(transaction: Transaction) -> int:
        return await forget_devices(transaction, await _find(transaction, account), caller=OPERATOR)

    typer.echo(f"Forgot {with_transaction(work)}.")


async def _find(reader: Reader, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        identifier = _identifier(text, "email", "phone")
    except ProtocolError:
        fail(f"{text} is no id of an account, email address or phone number with its +")
    found = await accounts.find_by_identifier(reader, kind=identifier.kind, value=identifier.value)
    if found is None:
        fail("no such account")
    return found.id


def _vouched(option: str, kind: str, text: str) -> Identifier:
    """Read what an option holds, which is of one kind."""
    try:
        return _identifier(text, kind)
    except ProtocolError:
        fail(f"{option} {text}: is no {_KINDS[kind]}")


def _identifier(text: str, *kinds: str) -> Identifier:
    import phonenumbers  # noqa: PLC0415 - large tables

    return parse_identifier(text, region="ZZ", phone_regions=phonenumbers.SUPPORTED_REGIONS, kinds=kinds)


def _read_claims(path: Path) -> dict[str, Any]:
    try:
        return parse_profile_claims(read_json_file(path))
    except ValueError as refused:
        fail(f"{path}: {refused}")
