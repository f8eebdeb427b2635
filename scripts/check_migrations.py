"""Compare the migrations with the tables in code: upgrade an empty database, find no difference, go back to nothing."""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from watchword.database import migrate


def main() -> int:
    """Print what is wrong; nothing is said when migrations and tables agree."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.sqlite3"
        url = f"sqlite:///{file}"
        migrate.upgrade(url)
        problems = [f"a migration is missing for {difference}" for difference in migrate.differences(url)]
        migrate.downgrade(url)
        problems += [f"the downgrade leaves the table {name}" for name in remaining_tables(file)]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


def remaining_tables(file: Path) -> list[str]:
    """Name the tables of a database, Alembic's own and SQLite's aside."""
    query = (
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'alembic_version' AND name NOT GLOB 'sqlite_*'"
    )
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute(query)]


if __name__ == "__main__":
    sys.exit(main())
