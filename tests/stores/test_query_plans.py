"""Every statement of the durable store finds its rows by an index: a table that grows is never walked through."""

import contextlib
import importlib
import json
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from functools import cache
from typing import Any

import asyncpg
import pytest
from sqlmodel import SQLModel

import watchword.database
from tests.support.postgres import emptied_database, in_a_connection
from watchword.database import Statement

# What may be walked through, and why.
SCANS = {
    "clients._LIST": "an operator's command, which prints every client",
    "clients._PUBLIC": "read at most once in five seconds, and only so many of the newest",
    "clients._RESOURCES": "read whole, at most once in five seconds; an operator registers a handful",
    "keys._LIST": "an operator's command, which prints every key",
    "keys._MAC": "a handful of keys, read at start",
    "audit._ASTRAY": "an operator's command, which looks at every event",
    "seals._NEWEST": "one row, from the end of the index",
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
    tables = "|".join(SQLModel.metadata.tables)
    return [step for step in steps if re.match(rf"SCAN ({tables})\b", step)]


@cache
def server_plans() -> dict[str, dict[str, Any]]:
    """What PostgreSQL would do with each statement where it can avoid walking through a table."""

    async def explain(connection: Any) -> dict[str, dict[str, Any]]:
        for way in ("seqscan", "mergejoin", "hashjoin"):
            await connection.execute(f"SET enable_{way} = off")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        # Once autovacuum saw that the tables are empty, walking through nothing is as good as a look-up.
        with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE relkind IN ('r', 'i')")
        plans = {}
        for name, statement in statements().items():
            values = f"({', '.join(['NULL'] * len(statement.names))})" if statement.names else ""
            await connection.execute(f"PREPARE examined AS {statement.postgresql}")
            text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE examined{values}")
            await connection.execute("DEALLOCATE examined")
            plans[name] = json.loads(text)[0]["Plan"]
        return plans

    return in_a_connection(emptied_database(), explain)


def server_scans(step: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan walks through: read in order of no index, or of an index with nothing to look for."""
    walks = step["Node Type"] == "Seq Scan" or ("Index" in step["Node Type"] and "Index Cond" not in step)
    if walks and "Relation Name" in step:
        yield step["Relation Name"]
    for inner in step.get("Plans", ()):
        yield from server_scans(inner)


@pytest.mark.parametrize("name", sorted(statements()))
def test_a_statement_finds_its_rows_by_an_index(name: str, outsider: sqlite3.Connection) -> None:
    steps = plan(outsider, statements()[name])
    if name in SCANS:
        assert scans(steps), f"{name} needs no exception any more"
    else:
        assert not scans(steps), steps


@pytest.mark.parametrize("name", sorted(statements()))
def test_a_statement_finds_its_rows_by_an_index_on_postgresql(name: str) -> None:
    steps = server_plans()[name]
    if name in SCANS:
        assert list(server_scans(steps)), f"{name} needs no exception any more"
    else:
        assert not list(server_scans(steps)), steps


def test_exceptions_are_made_for_statements_that_exist() -> None:
    assert statements().keys() >= SCANS.keys()


def test_the_search_for_statements_finds_them() -> None:
    assert {"grants._REDEEM", "refresh_families._ROTATE", "outbox._LEASE", "store._FIND"} <= statements().keys()


def test_due_jobs_come_from_the_index_in_order(outsider: sqlite3.Connection) -> None:
    steps = plan(outsider, statements()["outbox._LEASE"])
    assert any("ix_outbox_due" in step for step in steps)
    assert not any("TEMP B-TREE" in step for step in steps)
