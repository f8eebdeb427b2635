"""The page that tells a person what went wrong."""

from watchword.locale import Catalogue, load_catalogues
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
    view = problem_view(problem.page, load_catalogues()[exchange.locale()], exchange.request_id, problem.status)
    return page(exchange, view, status=problem.status)


def problem_view(problem: str, catalogue: Catalogue, request_id: str, status: int) -> ErrorPage:
    """Put a problem into words; one that no catalogue knows is a mistake in the app's request."""
    key = problem if f"error.{problem}_title" in catalogue.texts else _FALLBACK
    return ErrorPage(
        title=catalogue.text(f"error.{key}_title"),
        description=catalogue.text(f"error.{key}"),
        request_id=request_id,
        status=status,
    )
