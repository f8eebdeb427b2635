"""Every statement of the durable store finds its rows by an index: a table that grows is never walked through."""

import importlib
import pkgutil
import sqlite3

import pytest

import watchword.database
from watchword.database import Statement

# What may be walked through, and why.
SCANS = {
    "clients._LIST": "an operator's command, which prints every client",
    "clients._RESOURCES": "read whole, at most once in five seconds; an operator registers a handful",
    "keys._SIGNING": "a handful of keys, read at start",
    "keys._MAC": "a handful of keys, read at start",
    "store._END_SESSIONS": "after a restore, once",
    "store._REVOKE_GRANTS": "after a restore, once",
}


def statements() -> dict[str, Statement]:
    """Every statement at the top of a module below `watchword.database`, as `module.NAME`."""
    found: dict[str, Statement] = {}
    for module in pkgutil.iter_modules(watchword.database.__path__):
        if not module.ispkg:
            names = vars(importlib.import_module(f"watchword.database.{module.name}"))
            found |= {f"{module.name}.{name}": value for name, value in names.items() if isinstance(value, Statement)}
    return found


def plan(connection: sqlite3.Connection, statement: Statement) -> list[str]:
    values = [1] * len(statement.names)
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.numbered}", values)]


def scans(steps: list[str]) -> list[str]:
    return [step for step in steps if step.startswith("SCAN") and step != "SCAN CONSTANT ROW"]


@pytest.mark.parametrize("name", sorted(statements()))
def test_a_statement_finds_its_rows_by_an_index(name: str, outsider: sqlite3.Connection) -> None:
    steps = plan(outsider, statements()[name])
    if name in SCANS:
        assert scans(steps), f"{name} needs no exception any more"
    else:
        assert not scans(steps), steps


def test_exceptions_are_made_for_statements_that_exist() -> None:
    assert statements().keys() >= SCANS.keys()


def test_the_search_for_statements_finds_them() -> None:
    assert {"grants._REDEEM", "refresh_families._ROTATE", "outbox._LEASE", "store._FIND"} <= statements().keys()


def test_due_jobs_come_from_the_index_in_order(outsider: sqlite3.Connection) -> None:
    steps = plan(outsider, statements()["outbox._LEASE"])
    assert any("ix_outbox_due" in step for step in steps)
    assert not any("TEMP B-TREE" in step for step in steps)
