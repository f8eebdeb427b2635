"""Write a migration from the difference between the tables in code and the last migration: `new_migration.py TEXT`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from watchword.database import migrate


def main(message: str) -> None:
    """Upgrade an empty database, compare it with the models, write the revision, format it."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.sqlite3'}"
        migrate.upgrade(url)
        configuration = migrate.configuration(url)
        versions = Path(configuration.get_main_option("script_location") or "") / "versions"
        number = len(list(versions.glob("*.py"))) + 1
        command.revision(configuration, message, autogenerate=True, rev_id=f"{number:04d}")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(versions)], check=True)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
