"""Structured logs: JSON lines with a request id, and nothing in them that could sign anybody in."""

import contextlib
import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any


@contextlib.contextmanager
def _without(*modules: str) -> Iterator[None]:
    """Let what is imported meanwhile find that modules are not installed, unless they were imported before."""
    absent = {name: None for name in modules if name not in sys.modules}  # None is Python's own mark for "not there"
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


# It would import rich, and a hundred modules with it, for colours that lines of JSON never have.
with _without("rich", "greenlet"):
    import structlog

request_id: ContextVar[str] = ContextVar("request_id", default="-")

_MOST_LINKS, _MOST_FRAMES = 5, 40  # of one line
_FORBIDDEN_KEYS = frozenset(
    {
        "code", "one_time_code", "token", "access_token", "refresh_token", "id_token", "client_secret", "secret",
        "password", "cookie", "identifier", "email", "phone", "to",
    }
)  # fmt: skip


def configure_logging(level: str) -> None:
    """Send all logs, ours and the libraries', to standard error as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                _without_messages,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # The access log prints query strings, where `login_hint` and authorization codes stand.
    logging.getLogger("uvicorn.access").disabled = True


def describe_error(error: BaseException) -> list[dict[str, Any]]:
    """Return what may be logged of an exception and of those that led to it, the newest first.

    Each is its type and the places it came through, the innermost last; never its message, its arguments or a value of
    a frame: an address, a code or a token may stand there.
    """
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(found) < _MOST_LINKS:
        seen.add(id(link))
        kind = type(link)
        found.append({"type": f"{kind.__module__}.{kind.__qualname__}", "frames": _frames(link.__traceback__)})
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return found


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = []
    while traceback is not None:
        frame = traceback.tb_frame
        module = frame.f_globals.get("__name__", "?")
        frames.append(f"{module}:{traceback.tb_lineno} {frame.f_code.co_qualname}")
        traceback = traceback.tb_next
    return frames[-_MOST_FRAMES:]


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a module."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(component=name)
    return logger


def _add_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.setdefault("request_id", request_id.get())
    return event


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank values under names that must never be logged: the last line behind the types that hide themselves."""
    for key in _FORBIDDEN_KEYS & event.keys():
        event[key] = "[redacted]"
    return event


def _without_messages(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Describe an exception that comes with a line, of ours or of a library, in the only way in which it is logged."""
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, BaseException):
        error: BaseException | None = exc_info
    else:
        error = exc_info[1] if isinstance(exc_info, tuple) else sys.exc_info()[1] if exc_info else None
    if error is not None:
        event["exception"] = describe_error(error)
    record = event.get("_record")
    if record is not None and record.name == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]  # what follows is the task, with its exception
    return event
