"""The wire: a request's header fields as ASGI gives them, an answer as ASGI sends it. Nothing here knows an endpoint.

Every answer of the provider leaves through `send_answer`, whole: in ASGI's two messages, or in one call where the
server offers that (`WHOLE_ANSWER`), which spares it to check and copy each field. Header names are lower-case bytes, as
ASGI wants them, so that nothing is converted on the way.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, overload

from starlette.types import Scope, Send

Field = tuple[bytes, bytes]
WholeAnswer = Callable[[int, list[Field], bytes], Awaitable[None]]
WHOLE_ANSWER: Final = "watchword.whole_answer"
"""The ASGI extension that takes status, header fields and body at once. Whoever uses it vouches for what it gives."""

_NOTHING: Mapping[str, Any] = {}
_BODILESS = frozenset({204, 304})  # RFC 9110 section 8.6
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 section 5.5

_NAMES_AT_ONCE = 256
_NAME_BYTES = 8


class Answer:
    """An HTTP answer, whole in memory. How long its body is need not be said."""

    __slots__ = ("body", "fields", "status")

    def __init__(self, status: int, fields: list[Field], body: bytes = b"") -> None:
        self.status, self.fields, self.body = status, fields, body

    def add(self, name: str, value: str) -> None:
        """Add a header field; `name` is in lower case."""
        self.fields.append(field(name, value))


class Fields:
    """A request's header fields; names are asked for in lower case."""

    __slots__ = ("_all_different", "_by_name", "_raw")

    def __init__(self, raw: Sequence[Field]) -> None:
        self._raw = raw
        self._by_name = dict(reversed(raw))  # the first one of a name counts
        self._all_different = len(self._by_name) == len(raw)

    @overload
    def get(self, name: str) -> str | None: ...

    @overload
    def get(self, name: str, default: str) -> str: ...

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of that name."""
        value = self._by_name.get(name.encode("ascii"))
        return default if value is None else value.decode("latin-1")

    def getlist(self, name: str) -> list[str]:
        """Return every value of that name, in the order they came."""
        wanted = name.encode("ascii")
        first = self._by_name.get(wanted)
        if first is None:
            return []
        if self._all_different:
            return [first.decode("latin-1")]
        return [value.decode("latin-1") for found, value in self._raw if found == wanted]


def field(name: str, value: str) -> Field:
    """Return a header field as ASGI sends it.

    Raises:
        ValueError: the value could end the field, and begin another one.
    """
    if not _FIELD_VALUE.fullmatch(value):
        raise ValueError(f"{name} holds a character that no field may")
    return name.encode("ascii"), value.encode("latin-1")


async def send_answer(scope: Scope, send: Send, answer: Answer, fields: Sequence[Field]) -> None:
    """Send an answer, with its length and `fields` behind its own fields."""
    length = () if answer.status in _BODILESS else ((b"content-length", b"%d" % len(answer.body)),)
    headers = [*answer.fields, *length, *fields]
    whole: WholeAnswer | None = scope.get("extensions", _NOTHING).get(WHOLE_ANSWER)
    if whole is not None:
        await whole(answer.status, headers, answer.body)
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def request_names() -> Iterator[str]:
    """Yield random names for requests, 64 bits each; the system is asked for many of them at once."""
    length = 2 * _NAME_BYTES
    while True:
        block = secrets.token_hex(_NAME_BYTES * _NAMES_AT_ONCE)
        for start in range(0, len(block), length):
            yield block[start : start + length]
