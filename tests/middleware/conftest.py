import pytest

from tests.middleware.browser_support import login_app
from tests.middleware.support import TurnableClock
from tests.support.browser import chromium
from watchword_asgi import Watchword
from watchword_asgi.testing import LocalIssuer

__all__ = ["app", "chromium", "clock", "issuer"]


@pytest.fixture
def clock() -> TurnableClock:
    return TurnableClock()


@pytest.fixture
def issuer(clock: TurnableClock) -> LocalIssuer:
    return LocalIssuer(now=clock.now)


@pytest.fixture
def app(issuer: LocalIssuer, clock: TurnableClock) -> Watchword:
    """An app with browser login."""
    return login_app(issuer, clock)
