"""The page that tells a person what went wrong."""

from watchword.locale import load_catalogues
from watchword.pages.views import ErrorPage, FinishedPage
from watchword.web.answers import page
from watchword.web.errors import Problem
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

_FALLBACK = "invalid_request"


def problem_page(exchange: Exchange, problem: Problem) -> Answer:
    """Show a problem in the person's language. What the request said is never repeated."""
    if problem.page == "interaction_finished":
        return page(exchange, FinishedPage(), status=problem.status)
    catalogue = load_catalogues()[exchange.locale()]
    key = problem.page if f"error.{problem.page}_title" in catalogue.texts else _FALLBACK
    view = ErrorPage(
        title=catalogue.text(f"error.{key}_title"),
        description=catalogue.text(f"error.{key}"),
        request_id=exchange.request_id,
        status=problem.status,
    )
    return page(exchange, view, status=problem.status)
