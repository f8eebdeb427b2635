"""The one place that turns an error into HTTP.

What is sent is the error's code and description; what is only logged is its detail.
"""

from collections.abc import Callable
from dataclasses import dataclass

from watchword.database import Conflict, StoreUnavailable
from watchword.metrics import store_error
from watchword.protocol.errors import (
    DisplayedError,
    InsufficientScope,
    InvalidClient,
    InvalidToken,
    MissingToken,
    ProtocolError,
    RequestTimeout,
    RequestTooLarge,
    ServerError,
    TemporarilyUnavailable,
)
from watchword.telemetry import get_logger
from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a page tells it: `page` names the text, `status` is the answer's."""

    page: str
    status: int


ProblemPage = Callable[[Exchange, Problem], Answer]


def error_answer(exchange: Exchange, error: Exception, *, for_people: bool, problem_page: ProblemPage) -> Answer:
    """Answer any error: a page where a person reads it, JSON where a program does."""
    protocol_error = _as_protocol_error(error)
    _log(exchange, error, protocol_error)
    problem = _as_problem(error, protocol_error)
    answer = problem_page(exchange, problem) if for_people else _json_error(protocol_error)
    if isinstance(protocol_error, TemporarilyUnavailable):
        answer.add("retry-after", str(protocol_error.retry_after))
    if isinstance(protocol_error, RequestTimeout):
        answer.add("connection", "close")  # the rest of the body would be read as the next request
    return answer


def _as_protocol_error(error: Exception) -> ProtocolError:
    if isinstance(error, ProtocolError):
        return error
    if isinstance(error, StoreUnavailable):
        store_error("unavailable")
        return TemporarilyUnavailable(detail=str(error))
    if isinstance(error, Conflict):  # something it builds on went away at this moment: asking again tells
        store_error("conflict")
        return TemporarilyUnavailable(detail="conflict")
    return ServerError("Something went wrong on our side.", detail=type(error).__name__)


def _as_problem(error: Exception, protocol_error: ProtocolError) -> Problem:
    if isinstance(error, DisplayedError):
        return Problem(error.page, 400)
    if isinstance(protocol_error, TemporarilyUnavailable):
        return Problem("unavailable", protocol_error.status)
    if isinstance(protocol_error, RequestTooLarge):
        return Problem("too_large", protocol_error.status)
    return Problem(protocol_error.error, protocol_error.status)


def _json_error(error: ProtocolError) -> Answer:
    return json_answer(
        {"error": error.error, "error_description": error.description},
        status=error.status,
        headers=_challenge(error),
    )


def bearer_challenge(error: ProtocolError) -> str:
    """Return the challenge of RFC 6750 section 3; without credentials it holds no error code."""
    if isinstance(error, MissingToken):
        return "Bearer"
    scope = f', scope="{error.scope}"' if isinstance(error, InsufficientScope) else ""
    return f'Bearer error="{error.error}", error_description="{error.description}"{scope}'


def _challenge(error: ProtocolError) -> dict[str, str]:
    if isinstance(error, InvalidToken | MissingToken | InsufficientScope):
        return {"www-authenticate": bearer_challenge(error)}
    if isinstance(error, InvalidClient) and error.challenge:
        return {"www-authenticate": 'Basic realm="watchword"'}
    return {}


def _log(exchange: Exchange, error: Exception, protocol_error: ProtocolError) -> None:
    facts = {"path": exchange.path, "error": protocol_error.error, "detail": protocol_error.detail}
    if isinstance(error, DisplayedError):
        log.info("request refused", path=exchange.path, error=error.page, detail=error.detail)
    elif isinstance(protocol_error, ServerError):
        log.error("request failed", exc_info=error, **facts)
    elif isinstance(protocol_error, TemporarilyUnavailable):
        log.warning("request not served", **facts)
    else:
        log.info("request refused", **facts)
