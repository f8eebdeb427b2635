"""The command `watchword`. Each group of commands is a file here."""

import gc
import sys


def main() -> None:
    """Run the command; a setting that cannot be used is one line and exit status 2."""
    # What is imported stays: looking through it for garbage, again and again, would take a tenth of a start.
    gc.disable()
    from watchword.cli.commands import command  # noqa: PLC0415
    from watchword.settings import SettingsError  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    try:
        command()
    except SettingsError as problem:
        print(f"watchword: {problem}", file=sys.stderr)
        sys.exit(2)
