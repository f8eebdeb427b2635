"""Statements: named values become numbered ones, and Python's values become what a column holds."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from watchword.database import Statement
from watchword.database.joined import joined, looks_at

NOW = 1_767_225_600_000_000  # 2026-01-01 in microseconds


def test_a_name_that_is_repeated_is_bound_once() -> None:
    statement = Statement("SELECT :b, :a, :b")
    assert statement.numbered == "SELECT ?1, ?2, ?1"
    assert statement.bind({"a": 1, "b": 2}, NOW) == (2, 1)


def test_now_is_the_stores_clock_whatever_the_caller_gives() -> None:
    statement = Statement("SELECT :now + :lifetime, :now")
    assert statement.numbered == "SELECT ?1 + ?2, ?1"
    assert statement.bind({"lifetime": 5, "now": 0}, NOW) == (NOW, 5)


def test_a_cast_is_no_name() -> None:
    statement = Statement("SELECT value::text, :value ::text, a:b")
    assert statement.numbered == "SELECT value::text, ?1 ::text, a:b"
    assert statement.names == ("value",)


def test_postgresql_gets_dollars_and_its_own_clock_plus_an_offset() -> None:
    statement = Statement("SELECT :b FROM x WHERE at > :now - :b")
    assert statement.postgresql.startswith("SELECT $1 FROM x WHERE at > ((extract(epoch FROM statement_timestamp())")
    assert statement.postgresql.endswith(" + $2::bigint) - $1")
    assert statement.bind({"b": 5}, 0) == (5, 0)


def test_what_only_postgresql_understands_is_a_comment_elsewhere() -> None:
    statement = Statement("SELECT id FROM x LIMIT :most /* postgresql: FOR UPDATE SKIP LOCKED */")
    assert statement.postgresql == "SELECT id FROM x LIMIT $1 FOR UPDATE SKIP LOCKED"
    assert statement.numbered.endswith("LIMIT ?1 /* postgresql: FOR UPDATE SKIP LOCKED */")


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("SELECT id FROM x", True),
        ("SELECT id FROM x /* postgresql: FOR UPDATE */", False),
        ("SELECT id FROM x /* postgresql: FOR NO KEY UPDATE */", False),
        ("SELECT id FROM x /* postgresql: FOR KEY SHARE */", False),
        ("SELECT id FROM x /* postgresql: FOR SHARE OF x */", False),
        ("WITH y AS (DELETE FROM x RETURNING id) SELECT id FROM y", False),
        ("UPDATE x SET id = 1", False),
    ],
)
def test_what_locks_is_more_than_a_read(text: str, reads: bool) -> None:
    assert Statement(text).reads is reads


def test_inserts_join_a_statement_with_places_of_their_own() -> None:
    first, second = Statement("INSERT INTO x VALUES (:a, :b)"), Statement("INSERT INTO y VALUES (:a)")
    text, values = joined([(first, (1, 2)), (second, (3,)), (Statement("UPDATE z SET a = :a"), (4,))])
    assert text == (
        "WITH part0 AS (INSERT INTO x VALUES ($1, $2)), part1 AS (INSERT INTO y VALUES ($3)) UPDATE z SET a = $4"
    )
    assert values == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("SELECT 1 FROM account", True),
        ("UPDATE session SET account_id = 1", False),
        ("DELETE FROM x WHERE id IN (SELECT id FROM account)", True),
    ],
)
def test_a_statement_that_names_a_table_is_not_joined_with_inserts_into_it(text: str, looks: bool) -> None:
    assert looks_at(Statement(text), Statement("INSERT INTO account VALUES (1)")) is looks


def test_one_name_may_begin_with_another() -> None:
    assert Statement("SELECT :id, :id_token, :i").numbered == "SELECT ?1, ?2, ?3"


def test_a_time_becomes_exact_microseconds_since_1970_in_any_zone() -> None:
    statement = Statement("SELECT :at")
    utc = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    kolkata = utc.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert statement.bind({"at": utc}, 0) == statement.bind({"at": kolkata}, 0) == (NOW + 1,)
    assert statement.bind({"at": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)}, 0) == (253402300799999999,)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        Statement("SELECT :at").bind({"at": datetime(2026, 1, 1)}, NOW)  # noqa: DTZ001 - the mistake under test


def test_a_uuid_becomes_its_text_and_everything_else_stays() -> None:
    statement = Statement("SELECT :id, :secret, :nothing, :yes")
    values = {"id": UUID(int=1), "secret": b"\x00", "nothing": None, "yes": True}
    assert statement.bind(values, NOW) == ("00000000-0000-0000-0000-000000000001", b"\x00", None, True)


def test_a_missing_value_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="forgotten"):
        Statement("SELECT :forgotten").bind({}, NOW)


def test_the_representation_shows_the_text_without_values() -> None:
    statement = Statement("SELECT   :secret\n  FROM x")
    statement.bind({"secret": "hidden"}, NOW)
    assert repr(statement) == "Statement('SELECT :secret FROM x')"
