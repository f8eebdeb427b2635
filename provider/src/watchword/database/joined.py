"""Several statements as one, so that a server gets them in one round trip.

Inserts become the parts of a `WITH`, which PostgreSQL runs all of, whether asked for their rows or not, and whose
references to one another it checks at the end. None of the parts sees what the others write (PostgreSQL manual, 7.8.4
Data-Modifying Statements in WITH), so what looks at a table may not be joined with inserts into it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TypeAlias

from watchword.database.statement import Statement

Bound: TypeAlias = "tuple[Statement, tuple[Any, ...]]"
NUMBER = "question_number"
_PLACE = re.compile(r"\$(\d+)")
_TABLE = re.compile(r"INSERT INTO (\w+)")
_ROW = re.compile(r" VALUES \((.*)\)$")


def joined(bound: Sequence[Bound]) -> tuple[str, Sequence[Any]]:
    """Return one statement that runs all of them, inserts but for the last, with its values; it answers as the last."""
    if len(bound) == 1:
        [(statement, values)] = bound
        return statement.postgresql, values
    text = _text(tuple(statement for statement, _ in bound))
    return text, tuple(chain.from_iterable(values for _, values in bound))


def settled(change: Bound, inserts: Sequence[Bound]) -> tuple[str, Sequence[Any]]:
    """Return one statement that makes a change, and the inserts if it changed a row; it answers how many, with values.

    Every insert is of one row.
    """
    bound = (change, *inserts)
    text = _settled_text(tuple(statement for statement, _ in bound))
    return text, tuple(chain.from_iterable(values for _, values in bound))


@lru_cache(maxsize=2000)
def looks_at(statement: Statement, insert: Statement) -> bool:
    """Say whether a statement names the table that another one inserts into."""
    table = _TABLE.match(insert.text)
    return table is None or re.search(rf"\b{table[1]}\b", statement.text) is not None


@lru_cache(maxsize=500)
def counted(text: str, places: int) -> str:
    """Return a reading statement of so many values that takes one more, a number, and repeats it in its rows.

    So its rows can be told apart when it is asked several times in one round trip.
    """
    return f"SELECT question.*, ${places + 1}::int AS {NUMBER} FROM ({text}) AS question"  # noqa: S608 - ours


@lru_cache(maxsize=500)
def _text(statements: tuple[Statement, ...]) -> str:
    *parts, last = _numbered_on(statements)
    return f"{_with(parts)} {last}"


@lru_cache(maxsize=500)
def _settled_text(statements: tuple[Statement, ...]) -> str:
    change, *inserts = _numbered_on(statements)
    # Parts of a WITH do not see one another's writes, but what they return.
    only_then = [_ROW.sub(r" SELECT \1 WHERE EXISTS (SELECT 1 FROM part0)", insert) for insert in inserts]
    return f"{_with([f'{change} RETURNING 1', *only_then])} SELECT COUNT(*) AS changed FROM part0"  # noqa: S608 - ours


def _numbered_on(statements: Sequence[Statement]) -> list[str]:
    """Return the texts with places that are counted through all of them."""
    texts, taken = [], 0
    for statement in statements:
        texts.append(_moved(statement.postgresql, taken))
        taken += len(statement.names)
    return texts


def _with(parts: Sequence[str]) -> str:
    return "WITH " + ", ".join(f"part{number} AS ({part})" for number, part in enumerate(parts))


def _moved(text: str, by: int) -> str:
    """Number the places of a statement from `by` on."""
    return _PLACE.sub(lambda place: f"${int(place[1]) + by}", text)
