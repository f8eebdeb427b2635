"""`watchword config`: checking the settings without starting."""

import typer

from watchword.keys import resolve_secret_key
from watchword.prepare import check_settings
from watchword.settings import Settings, SettingsError, load_settings

command = typer.Typer(help="Settings.", no_args_is_help=True)


@command.callback()
def group() -> None:
    """Settings."""


@command.command()
def check() -> None:
    """Read the settings as a start would, and say whether they hold; if not, every problem that one look finds."""
    settings = _read_settings()
    check_settings(settings)
    resolve_secret_key(settings)
    typer.echo(f"The settings hold: {settings.env}, issuer {settings.issuer}.")


def _read_settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as first:
        for problem in (first, *first.others):
            typer.echo(f"watchword: {problem}", err=True)
        raise typer.Exit(2) from None
