"""The command `watchword`. Each group of commands is a file here."""

import sys

import typer

from watchword.cli import accounts, clients, config, database, keys, resources, serve
from watchword.settings import SettingsError

command = typer.Typer(
    name="watchword",
    help="An OpenID provider that signs people in with one-time codes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
command.command()(serve.serve)
command.command()(serve.demo)
command.add_typer(database.command, name="db")
command.add_typer(keys.command, name="keys")
command.add_typer(clients.command, name="clients")
command.add_typer(resources.command, name="resources")
command.add_typer(accounts.command, name="accounts")
command.add_typer(config.command, name="config")


def main() -> None:
    """Run the command; a setting that cannot be used is one line and exit status 2."""
    try:
        command()
    except SettingsError as problem:
        print(f"watchword: {problem}", file=sys.stderr)
        sys.exit(2)
