"""Structured logs: JSON lines with a request id, and nothing in them that could sign anybody in."""

import contextlib
import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
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
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
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
