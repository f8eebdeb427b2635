"""What a durable store offers: rows by prepared statements, and transactions that commit or leave no trace."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from watchword.database.statement import Statement

T = TypeVar("T")
Row = Mapping[str, Any]


class Conflict(Exception):
    """A unique value is there already. Nothing was written."""


class Reader(Protocol):
    """Something that answers statements: the store itself, or one of its transactions."""

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        """Run a statement and return its first row, if it gave one."""
        ...

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        ...


class Transaction(Reader, Protocol):
    """One unit of work."""

    async def execute(self, statement: Statement, **values: Any) -> int:
        """Run a statement and return how many rows it changed.

        Raises:
            Conflict: a unique value is there already.
        """
        ...


Work = Callable[[Transaction], Awaitable[T]]


class Database(Reader, Protocol):
    """The durable store of one process."""

    statements: int  # how many ran so far; the suite asserts what each endpoint costs

    async def transaction(self, work: Work[T]) -> T:
        """Run `work` in a transaction of its own and answer after its commit.

        `work` may await nothing but its transaction: embedded stores run it in one go on the loop's thread, together
        with the other writes of the same tick. It may be run again after a lock, so it has no effect but its
        statements. If it raises, nothing it wrote remains and the exception passes through.

        Raises:
            StoreUnavailable: the store stayed locked for two seconds, cannot be used, or is closed.
        """
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...
