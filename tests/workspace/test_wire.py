"""How an answer leaves: whole, with its own length, and with nothing in a field that ends the field."""

import asyncio
from typing import Any

import pytest

from watchword.web.wire import WHOLE_ANSWER, Answer, Field, Fields, field, request_names, send_answer


async def sent(answer: Answer, *, whole: bool) -> list[Any]:
    """Return what a server receives, in whichever way it takes answers."""
    received: list[Any] = []

    async def take(message: Any) -> None:
        received.append(message)

    async def take_whole(status: int, fields: list[Field], body: bytes) -> None:
        received.append({"type": "http.response.start", "status": status, "headers": fields})
        received.append({"type": "http.response.body", "body": body})

    scope = {"extensions": {WHOLE_ANSWER: take_whole}} if whole else {}
    await send_answer(scope, take, answer, [field("x-request-id", "1")])
    return received


@pytest.mark.parametrize("status", [200, 204, 303, 304, 400])
def test_both_ways_send_the_same(status: int) -> None:
    answer = Answer(status, [field("a", "b")], b"" if status in {204, 304} else b"body")
    assert asyncio.run(sent(answer, whole=True)) == asyncio.run(sent(answer, whole=False))


@pytest.mark.parametrize(("status", "body", "length"), [(200, b"abc", b"3"), (303, b"", b"0"), (204, b"", None)])
def test_the_length_is_the_bodys_own(status: int, body: bytes, length: bytes | None) -> None:
    start = asyncio.run(sent(Answer(status, [], body), whole=False))[0]
    assert dict(start["headers"]).get(b"content-length") == length


def test_sending_changes_no_answer_that_is_kept() -> None:
    answer = Answer(200, [field("a", "b")], b"body")
    first, second = (asyncio.run(sent(answer, whole=False)) for _ in range(2))
    assert first == second
    assert answer.fields == [(b"a", b"b")]


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\nb", "a\rb", "a\x00b", "\u20ac"])
def test_a_field_holds_nothing_that_could_end_it(value: str) -> None:
    with pytest.raises(ValueError, match="location"):
        field("location", value)


def test_fields_are_read_by_name_and_in_their_order() -> None:
    fields = Fields([(b"accept", b"a"), (b"cookie", b"b=\xe9"), (b"cookie", b"c")])
    assert fields.get("cookie") == "b=\xe9"
    assert fields.getlist("cookie") == ["b=\xe9", "c"]
    assert fields.get("host") is None
    assert fields.get("host", "") == ""


def test_requests_have_names_of_their_own() -> None:
    names = request_names()
    drawn = [next(names) for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert {len(name) for name in drawn} == {16}
