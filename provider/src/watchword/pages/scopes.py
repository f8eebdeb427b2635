"""What a scope means to the person who is asked for it."""

from watchword.locale import Catalogue
from watchword.pages.views import ScopeLine
from watchword.protocol.vocabulary import OPENID_SCOPES


def describe_scope(name: str, catalogue: Catalogue) -> ScopeLine:
    """The line a consent page shows for a scope; one we have no words for is shown by its wire name."""
    if name not in OPENID_SCOPES:
        return ScopeLine(name, title=name)
    title = catalogue.text(f"consent.scope_{name}")
    return ScopeLine(name, title, catalogue.text(f"consent.scope_{name}_description"))
