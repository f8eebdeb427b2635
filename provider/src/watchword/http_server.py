"""What uvicorn leaves open: how large the head of a request may be, and how long a peer may take for it.

The limits hold before any endpoint runs, so nobody needs an account, or even a whole request, to meet them.
"""

import asyncio
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from watchword.web.wire import WHOLE_ANSWER, Field

_HEADERS = (
    b"content-type: application/json\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n"
    b"connection: close\r\n"
)


class HeadTooLarge(Exception):
    """The head of a request is beyond its limits; RFC 6585 section 5."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 with limits on what surrounds a request's body.

    A head that begins behind an earlier request's end and spans chunks may be larger by its first chunk (256 KiB).
    Not checked: the size and time of a body that an endpoint reads (`Exchange` does) and the number of connections.
    """

    head_limit = 16 * 1024  # bytes of the request line and the header fields; again for framing and trailers of a body
    field_limit = 64  # header fields
    head_seconds: float = 10  # from the connection's or the head's first byte to the head's end
    linger_seconds: float = 2  # to take what is still on its way: closing at once would destroy the refusal unread

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._surroundings = 0  # bytes received for the present message that are not its body
        self._in_body = False
        self._refused = False
        self._deadline: asyncio.TimerHandle | None = None
        self._answered_at = 0.0  # by the loop's clock

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head soon."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.head_seconds, self._end_overdue)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._cancel_deadline()
        self._end_keep_alive()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, unless the connection was refused; then look at what the parser has not used up."""
        if self._refused:
            return
        self._surroundings += len(data)
        super().data_received(data)
        if self._surroundings > self.head_limit:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._surroundings and not self._in_body:
            self._expect_soon()

    def on_headers_complete(self) -> None:
        """Let the request through when its head is within the limits.

        Raises:
            HeadTooLarge: it is not; the parser stops and asks for `send_400_response`.
        """
        if len(self.headers) > self.field_limit or self._head_too_large():
            self._surroundings = self.head_limit + 1
            raise HeadTooLarge
        if self._deadline is not None:
            self._cancel_deadline()
        self._in_body = True
        super().on_headers_complete()
        self.scope["extensions"] = {WHOLE_ANSWER: partial(self._answer_whole, self.cycle)}  # type: ignore[dict-item]

    def on_body(self, body: bytes) -> None:
        """Take the body's bytes out of the count."""
        self._surroundings -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count anew. What this chunk holds of a next head goes uncounted; keep-alive ends it if nothing follows."""
        self._surroundings = 0
        self._in_body = False
        if self._deadline is not None:
            self._cancel_deadline()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with what was sent meanwhile. Do not wait long for the rest of a body that nobody reads.

        As uvicorn does it, but with one timer for the connection where it makes and cancels one for each request.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._answered_at = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._look_later(self.timeout_keep_alive)
        if self._in_body:
            self._expect_soon()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that is unused for the keep-alive time; other deadlines hold while something is sent."""
        self.timeout_keep_alive_task = None
        if self._answering or self._in_body or self._surroundings:
            return  # the next answer begins anew
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_later(left)
        else:
            super().timeout_keep_alive_handler()

    def _look_later(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """Leave the timer alone when data arrives: it looks by itself whether the connection is in use."""

    def _end_keep_alive(self) -> None:
        super()._unset_keepalive_if_required()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser stopped at: a malformed request as uvicorn does, a large head with its own status."""
        if self._surroundings <= self.head_limit:
            super().send_400_response(msg)

    async def _answer_whole(self, cycle: RequestResponseCycle, status: int, fields: list[Field], body: bytes) -> None:
        """Write an answer as `RequestResponseCycle.send` does with two messages, but at once and without its checks.

        `fields` have lower-case names, hold nothing that ends a field, and tell the body's length.
        """
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        lines = [STATUS_LINE[status]]
        for name, value in chain(cycle.default_headers, fields):
            lines += name, b": ", value, b"\r\n"
        if (b"connection", b"close") in fields:  # an answer has only `close` to say there
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        lines += b"\r\n", b"" if cycle.scope["method"] == "HEAD" else body
        cycle.transport.write(b"".join(lines))
        cycle.response_complete = True
        cycle.message_event.set()
        del cycle.scope["extensions"]  # it names the cycle: together they would wait for the garbage collector
        if not cycle.keep_alive and not self._in_body:
            cycle.transport.close()
        cycle.on_response()
        if not cycle.keep_alive and self._in_body:
            self._let_go()

    def _head_too_large(self) -> bool:
        """Add the head up only where the count of what surrounds the body cannot tell."""
        if 0 < self._surroundings <= self.head_limit:
            return False
        return len(self.url) + sum(map(len, chain.from_iterable(self.headers))) > self.head_limit

    @property
    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's annotation hides that there is none at first
        return cycle is not None and not cycle.response_complete

    def _expect_soon(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.head_seconds, self._end_overdue)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:  # the hot paths look first and save the call
            self._deadline.cancel()
            self._deadline = None

    def _end_overdue(self) -> None:
        self._deadline = None
        if self._answering:  # it may be us who do not read: the peer's time begins after the answer
            self._expect_soon()
        elif self._in_body:
            self._let_go()
        elif self._surroundings:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer and end the connection; without an answer where it would be taken for an earlier request's."""
        if self.transport.is_closing():
            return
        self._refused = True
        if self._answering:
            self._cancel_deadline()
            self._end_keep_alive()
            self.transport.close()
            return
        self.transport.write(self._refusal(status))
        self._let_go()

    def _let_go(self) -> None:
        """End the connection, and take what is on its way: closing at once would destroy what was written, unread."""
        self._refused = True
        self._cancel_deadline()
        self._end_keep_alive()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._deadline = self.loop.call_later(self.linger_seconds, self.transport.close)

    def _refusal(self, status: HTTPStatus) -> bytes:
        body = orjson.dumps({"error": "invalid_request", "error_description": f"{status.phrase}."})
        fields = [name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers]
        length = b"content-length: %d\r\n\r\n" % len(body)
        return b"".join([STATUS_LINE[status], *fields, _HEADERS, length, body])
