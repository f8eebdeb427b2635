"""`watchword db`: the schema, and what follows a restore."""

import typer

from watchword.cli.running import OPERATOR, with_transaction
from watchword.database import Transaction, store
from watchword.events import record
from watchword.events.catalogue.operation import Restored
from watchword.prepare import upgrade_schema
from watchword.settings import load_settings

command = typer.Typer(help="The durable store.", no_args_is_help=True)


@command.command()
def upgrade() -> None:
    """Bring the schema to the newest version."""
    upgrade_schema(load_settings(), on_request=True)
    typer.echo("The schema is up to date.")


@command.command()
def restored() -> None:
    """Begin a new epoch after restoring a backup: sessions and tokens from before it are dead. Restart the provider."""

    async def work(transaction: Transaction) -> None:
        await store.begin_epoch(transaction)
        await record(transaction, Restored(), OPERATOR)

    with_transaction(work)
    typer.echo("A new epoch began. Restart the provider now.")
