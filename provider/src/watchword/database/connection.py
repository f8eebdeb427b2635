"""What a durable store offers: rows by prepared statements, and transactions that commit or leave no trace."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from watchword.database.statement import Statement
from watchword.database.trail import Trail

T = TypeVar("T")
Row = Mapping[str, Any]


class Conflict(Exception):
    """A unique value is there already. Nothing was written."""


class Overtaken(Exception):
    """The change that everything depended on found no row, which somebody else had changed. Nothing was written."""


class Reader(Protocol):
    """Something that answers statements: the store itself, or one of its transactions."""

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        """Run a statement and return its first row, if it gave one."""
        ...

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        ...


class Transaction(Reader, Protocol):
    """One unit of work. After a `Conflict` or `Overtaken` nothing else may be asked, and nothing of it remains."""

    @property
    def trail(self) -> Trail:
        """How events are written in it: the trail of its store."""
        ...

    async def execute(self, statement: Statement, **values: Any) -> int:
        """Run a statement and return how many rows it changed.

        Raises:
            Conflict: a unique value is there already.
        """
        ...

    async def insert(self, statement: Statement, **values: Any) -> None:
        """Insert rows whose answer nobody needs.

        A server gets such statements together with the next one or with the commit, in one round trip. Whatever the
        transaction reads or changes after it sees the rows.

        Raises:
            Conflict: a unique value is there already. It may come as late as from the commit.
        """
        ...

    async def settle(self, statement: Statement, **values: Any) -> None:
        """Make the one change that decides, with the inserts before it: all of that, or nothing if it finds no row.

        Nothing may come after it. A server gets everything in one round trip that commits, so the statement repeats
        the conditions that were read before.

        Raises:
            Overtaken: it changed no row.
            Conflict: a unique value is there already.
        """
        ...


Work = Callable[[Transaction], Awaitable[T]]


class Database(Reader, Protocol):
    """The durable store of one process."""

    statements: int  # how many ran so far; the suite asserts what each endpoint costs
    trail: Trail  # set once the keys are known; without it no event can be recorded

    async def transaction(self, work: Work[T], *, one_statement: bool = False) -> T:
        """Run `work` in a transaction of its own and answer after its commit.

        `work` may await nothing but its transaction: embedded stores run it in one go on the loop's thread, together
        with the other writes of the same tick. It may be run again after a lock or a deadlock, so it has no effect but
        its statements. If it raises, nothing it wrote remains and the exception passes through.

        Transactions of a server run side by side (READ COMMITTED): each statement sees what others committed before
        it. A statement that changes a row decides by its own conditions, never by what was read before.

        Args:
            work: what to do.
            one_statement: the work is one statement, with inserts before it or none: a server needs one round trip.

        Raises:
            StoreUnavailable: the store stayed locked for two seconds, cannot be used, or is closed. When the commit
                itself got no answer, nobody knows whether it took place.
            Conflict: a unique value is there already.
        """
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...
