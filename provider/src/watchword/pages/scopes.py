"""What the words of a consent mean to the person who is asked for it: scopes, and claims asked for one by one."""

from collections.abc import Iterable
from typing import Final

from watchword.locale import Catalogue
from watchword.pages.views import ScopeLine
from watchword.protocol.authorization_request import CLAIM_WORD
from watchword.protocol.claims_request import SCOPE_OF_CLAIM
from watchword.protocol.vocabulary import OPENID_SCOPES, SCOPE_CLAIMS

# Whether the claim beside it was confirmed: it says nothing alone, and needs no line of its own next to it.
_SAID_WITH: Final = {
    f"{CLAIM_WORD}email_verified": f"{CLAIM_WORD}email",
    f"{CLAIM_WORD}phone_number_verified": f"{CLAIM_WORD}phone_number",
}


def as_asked(words: Iterable[str]) -> tuple[str, ...]:
    """Words that were stored, in the order in which clients usually ask: OpenID's own scopes first."""
    places = {scope: place for place, scope in enumerate(SCOPE_CLAIMS)}
    return tuple(sorted(words, key=lambda word: places.get(word, len(places))))


def describe_words(words: tuple[str, ...], catalogue: Catalogue) -> tuple[ScopeLine, ...]:
    """The lines a page shows for the words of a consent, in their order."""
    return tuple(describe_word(word, catalogue) for word in words if _SAID_WITH.get(word) not in words)


def describe_word(word: str, catalogue: Catalogue) -> ScopeLine:
    """The line for a scope or a claim; what we have no words for is shown by its wire name."""
    if word in OPENID_SCOPES:
        title = catalogue.text(f"consent.scope_{word}")
        return ScopeLine(word, title, catalogue.text(f"consent.scope_{word}_description"))
    claim = word.removeprefix(CLAIM_WORD)
    if claim != word and claim in SCOPE_OF_CLAIM:
        return ScopeLine(word, catalogue.text(f"consent.claim_{claim}"))
    return ScopeLine(word, title=word)
