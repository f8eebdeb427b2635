"""The command `watchword` with all its groups."""

import typer

from watchword.cli import (
    accounts,
    audit,
    clients,
    config,
    database,
    keys,
    registration_tokens,
    resources,
    secrets,
    serve,
)

command = typer.Typer(
    name="watchword",
    help="An OpenID provider that signs people in with one-time codes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut the names of options short
)
command.command()(serve.serve)
command.command()(serve.demo)
command.add_typer(database.command, name="db")
command.add_typer(keys.command, name="keys")
clients.command.command("rotate-secret")(secrets.rotate_secret)
command.add_typer(clients.command, name="clients")
command.add_typer(registration_tokens.command, name="registration-tokens")
command.add_typer(resources.command, name="resources")
command.add_typer(accounts.command, name="accounts")
command.add_typer(audit.command, name="audit")
command.add_typer(config.command, name="config")
