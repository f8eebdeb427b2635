"""PostgreSQL: prepared statements over asyncpg, in as few round trips as a transaction can have."""

import asyncio
import os
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import asyncpg

from watchword.clock import Clock, microseconds
from watchword.database.address import PostgreSQLAddress
from watchword.database.connection import Conflict, Overtaken, Row, Work
from watchword.database.joined import NUMBER, Bound, counted, joined, looks_at, settled
from watchword.database.pool import Connection, Pool
from watchword.database.statement import Statement
from watchword.database.together import Together, Values
from watchword.database.trail import Trail
from watchword.embedded import StoreUnavailable

T = TypeVar("T")
_ANSWER_SECONDS = 6.0  # a little more than the server takes to give up, which leaves the connection usable
_CONNECT_SECONDS = 2.0
_PATIENCE_SECONDS = 2.0
_LONGEST_PAUSE = 0.02
_MOST_RUNS = 5  # of one transaction that others get in the way of
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_LIMITS = {"statement_timeout": "5s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "10s"}

_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.InvalidCachedStatementError)
_REFUSED = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
# What tells of the server and not of the statement (SQLSTATE): connection, authorization, no such database, out of
# resources, shut down or cancelled, trouble of its system; a transaction that was idle or only reads; a lock.
_TROUBLE = re.compile(r"(?:08|28|3D|53|57|58)...|25P03|25006|55P03")


class PostgreSQLDatabase:
    """`Database` on a PostgreSQL server. Belongs to the process and the loop that first used it.

    Args:
        address: where it is.
        clock: its offset moves the server's clock; its time is not asked for.
        pool_size: connections of this process at most.
    """

    trail: Trail

    def __init__(self, address: PostgreSQLAddress, clock: Clock, *, pool_size: int) -> None:
        self._address, self._clock = address, clock
        self._pool = Pool(lambda: connect(address, limits=_LIMITS), size=pool_size, patience=_PATIENCE_SECONDS)
        self._reads = Together(self._read, self._read_many)
        self._inserts = Together(self._insert, self._insert_many)
        self._process = 0
        self._closed = False
        self.statements = 0
        self.round_trips = 0

    @property
    def pooled(self) -> bool:
        """Whether only a transaction keeps its connection to the server (PgBouncer's transaction mode)."""
        return self._address.pooled

    @property
    def offset(self) -> int:
        """How far the test clock is ahead of the server's, in microseconds."""
        return microseconds(self._clock.offset)

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        """Read one row. One statement, one round trip, shared with whoever runs the same one meanwhile."""
        if self.pooled or not statement.reads:
            return await self.transaction(lambda transaction: transaction.one(statement, **values), one_statement=True)
        return await self.read(*self.bound(statement, values))

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Read rows. One statement, one round trip."""
        return await self.transaction(lambda transaction: transaction.all(statement, **values), one_statement=True)

    async def transaction(self, work: Work[T], *, one_statement: bool = False) -> T:
        """Run `work` on a connection of its own. See `Database.transaction`.

        Each answer that the work waits for is a round trip. `BEGIN` and `COMMIT` are two more when it waits for the
        answer to a change; reads before that, and inserts alone, need neither, and travel with the same ones of other
        callers (`together.py`). Behind PgBouncer in transaction mode they are always there, and each statement is two.
        """
        for _ in range(_MOST_RUNS):
            try:
                return await self._attempt(work, one_statement=one_statement)
            except _AGAIN:
                await asyncio.sleep(random.random() * _LONGEST_PAUSE)  # noqa: S311 - lets the others get past
        raise StoreUnavailable("the database server let others go first each time")

    async def close(self) -> None:
        """Close the connections. Whatever comes later is refused."""
        self._closed = True
        await self._pool.close()

    async def read(self, statement: Statement, values: Values) -> Row | None:
        """Run a bound statement that reads, and return its first row."""
        return await self._reads.ask(statement.postgresql, values)

    async def insert(self, bound: Sequence[Bound]) -> None:
        """Run inserts and commit them, all or none."""
        await self._inserts.ask(*joined(bound))

    def bound(self, statement: Statement, values: Mapping[str, Any]) -> Bound:
        """Count a statement and put its values in order."""
        self.statements += 1
        return statement, statement.bind(values, self.offset)

    async def take(self) -> Connection:
        """Return a connection that nobody else uses; `give_back` it."""
        if self._closed:
            raise StoreUnavailable("the database is closed")
        if self._process != os.getpid():
            if self._process:
                raise RuntimeError("the database was opened before a fork; each process opens its own")
            self._process = os.getpid()
        try:
            return await self._pool.take()
        except TimeoutError as error:
            raise StoreUnavailable("the database's connections are all in use") from error

    def give_back(self, connection: Connection, *, sound: bool) -> None:
        """Return a connection. One that is not `sound`, because a question was broken off, is thrown away."""
        self._pool.give_back(connection, sound=sound)

    async def _attempt(self, work: Work[T], *, one_statement: bool) -> T:
        transaction = _PostgreSQLTransaction(self, one_statement=one_statement)
        sound = False
        try:
            result = await work(transaction)
            await transaction.commit()
            sound = True
        except _REFUSED as error:
            unavailable = _trouble(error, transaction.connection)
            sound = unavailable is None and await transaction.roll_back()
            raise unavailable or error from error
        except Exception:
            sound = await transaction.roll_back()
            raise
        finally:
            if transaction.connection is not None:
                self.give_back(transaction.connection, sound=sound)
        return result

    async def _read(self, text: str, values: Values) -> Row | None:
        row: Row | None = await self._once(Connection.fetchrow, text, *values)
        return row

    async def _read_many(self, text: str, each: Sequence[Values]) -> Sequence[Row | None]:
        numbered = [(*values, number) for number, values in enumerate(each)]
        rows = await self._once(Connection.fetchmany, counted(text, len(each[0])), numbered)
        first = {row[NUMBER]: row for row in reversed(rows)}
        return [first.get(number) for number in range(len(each))]

    async def _insert(self, text: str, values: Values) -> None:
        await self._once(Connection.execute, text, *values)

    async def _insert_many(self, text: str, each: Sequence[Values]) -> Sequence[None]:
        await self._once(Connection.executemany, text, each)
        return [None] * len(each)

    async def _once(self, ask: Callable[..., Awaitable[Any]], text: str, *values: Any) -> Any:
        """Ask on any connection what needs no other question beside it: one round trip, all or nothing."""
        connection = await self.take()
        self.round_trips += 1
        sound = False
        try:
            answer = await ask(connection, text, *values)
            sound = True
        except _REFUSED as error:
            unavailable = _trouble(error, connection)
            sound = unavailable is None
            raise unavailable or _of_a_statement(error) from error
        finally:
            self.give_back(connection, sound=sound)
        return answer


class _PostgreSQLTransaction:
    """Statements on one connection, begun explicitly only when a change has to wait for what comes after it."""

    __slots__ = ("_begun", "_database", "_failed", "_one_statement", "_pending", "_ran", "connection")

    def __init__(self, database: PostgreSQLDatabase, *, one_statement: bool) -> None:
        self._database, self._one_statement = database, one_statement
        self.connection: Connection | None = None  # taken when a statement needs one of its own
        self._begun = self._ran = False
        self._pending: list[Bound] = []
        self._failed: Exception | None = None

    @property
    def trail(self) -> Trail:
        return self._database.trail

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        row: Row | None
        if statement.reads and not self._pending and self.connection is None and not self._database.pooled:
            row = await self._noted(self._database.read(*self._bound(statement, values)))
        else:
            row = await self._run(Connection.fetchrow, statement, values)
        return row

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        rows: Sequence[Row] = await self._run(Connection.fetch, statement, values)
        return rows

    async def execute(self, statement: Statement, **values: Any) -> int:
        status: str = await self._run(Connection.execute, statement, values)
        return int(status.rpartition(" ")[2])  # such as "UPDATE 1"

    async def insert(self, statement: Statement, **values: Any) -> None:
        self._pending.append(self._bound(statement, values))

    async def settle(self, statement: Statement, **values: Any) -> None:
        bound = self._bound(statement, values)
        await self._send_what_is_looked_at(statement)
        if self._database.pooled:
            await self._begin()
        pending, self._pending = self._pending, []
        text, together = settled(bound, pending)
        row: Row = await self._send(Connection.fetchrow, text, *together)
        if not row["changed"]:
            self._failed = Overtaken()
            raise self._failed

    async def commit(self) -> None:
        """Send what is left and commit. Raises what the work met and kept quiet about."""
        if self._failed is not None:
            raise self._failed
        if self._pending and self._ran and not self._begun:
            raise RuntimeError("more than the one statement that was announced")
        if self._pending and not self._begun and not self._database.pooled:
            pending, self._pending = self._pending, []
            await self._database.insert(pending)
        elif self._pending:
            await self._send_pending()
        if self._begun:
            await self._send(Connection.execute, "COMMIT")

    async def roll_back(self) -> bool:
        """Undo what was done. False when the connection is of no more use."""
        try:
            if self._begun:
                await self._send(Connection.execute, "ROLLBACK")
        except _REFUSED:
            return False
        return True

    async def _run(self, ask: Callable[..., Awaitable[Any]], statement: Statement, values: dict[str, Any]) -> Any:
        bound = self._bound(statement, values)
        await self._send_what_is_looked_at(statement)
        if self._one_statement:
            self._refuse_second()
        elif not statement.reads:
            await self._begin()
        if statement.reads:
            return await self._send_joined(ask, [bound])
        together, self._pending = [*self._pending, bound], []
        return await self._send_joined(ask, together)

    def _refuse_second(self) -> None:
        if self._ran:
            raise RuntimeError("more than the one statement that was announced")
        self._ran = True

    def _bound(self, statement: Statement, values: dict[str, Any]) -> Bound:
        if self._failed is not None:
            raise self._failed
        return self._database.bound(statement, values)

    async def _send_what_is_looked_at(self, statement: Statement) -> None:
        if any(looks_at(statement, insert) for insert, _ in self._pending):
            await self._begin()
            await self._send_pending()

    async def _send_pending(self) -> None:
        pending, self._pending = self._pending, []
        await self._send_joined(Connection.execute, pending)

    async def _send_joined(self, ask: Callable[..., Awaitable[Any]], bound: Sequence[Bound]) -> Any:
        if self._database.pooled:
            await self._begin()
            self._database.round_trips += 1  # one to parse, one to run
        text, values = joined(bound)
        return await self._send(ask, text, *values)

    async def _begin(self) -> None:
        if not self._begun:
            await self._send(Connection.execute, _BEGIN)
            self._begun = True

    async def _send(self, ask: Callable[..., Awaitable[Any]], text: str, *values: Any) -> Any:
        if self.connection is None:
            self.connection = await self._database.take()
        self._database.round_trips += 1
        return await self._noted(ask(self.connection, text, *values))

    async def _noted(self, answer: Awaitable[T]) -> T:
        """Remember what goes wrong, for the transaction is over with it."""
        try:
            return await answer
        except (*_REFUSED, Conflict, StoreUnavailable) as error:
            self._failed = _of_a_statement(error)
            if self._failed is error:
                raise
            raise self._failed from error


async def connect(address: PostgreSQLAddress, *, limits: Mapping[str, str] = MappingProxyType({})) -> Connection:
    """Open a connection. Behind PgBouncer, which refuses settings it does not know, `limits` are the operator's affair.

    Raises:
        StoreUnavailable: the server cannot be reached or refuses.
    """
    try:
        return await asyncpg.connect(
            **address.options(),
            timeout=_CONNECT_SECONDS,
            command_timeout=_ANSWER_SECONDS if limits else None,
            statement_cache_size=0 if address.pooled else 1000,
            max_cached_statement_lifetime=0,
            server_settings={} if address.pooled else dict(limits),
        )
    except _REFUSED as error:
        raise _unavailable(error) from error


def _of_a_statement(error: Exception) -> Exception:
    return Conflict() if isinstance(error, asyncpg.UniqueViolationError) else error


def _trouble(error: Exception, connection: Connection | None) -> StoreUnavailable | None:
    """Tell trouble with the server, which may pass, from a mistake in a statement."""
    lost = isinstance(error, OSError) or (connection is not None and connection.is_closed())
    return _unavailable(error) if lost or _TROUBLE.fullmatch(getattr(error, "sqlstate", None) or "") else None


def _unavailable(error: Exception) -> StoreUnavailable:
    # By its kind alone: what the server or the driver says may hold names and addresses.
    return StoreUnavailable(f"the database server does not answer: {type(error).__name__}")
