"""How an authorization response reaches the client: a redirect, or a form that the browser posts.

Before an error reaches a client that registered itself a page asks the person, for its redirect URI can be anybody's.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from watchword.events import record_alone
from watchword.events.catalogue.protocol import AuthorizationDenied
from watchword.protocol import authorization_response
from watchword.protocol.authorization_request import RedirectedError, Target
from watchword.protocol.authorization_response import Answered
from watchword.web.answers import Allowed, page, see_other
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

Language = Callable[[], str]


def succeed(exchange: Exchange, target: Target, *, authorization_code: str, language: Language) -> Answer:
    """Hand over an authorization code. `language` is asked for where a person may see a page."""
    issuer = exchange.services.issuer
    answered = authorization_response.success(target, authorization_code=authorization_code, issuer=issuer)
    return _deliver(exchange, target, answered, language)


async def refuse(exchange: Exchange, refused: RedirectedError, *, language: Language) -> Answer:
    """Tell the client an error. One statement."""
    target, services = refused.target, exchange.services
    event = AuthorizationDenied(client_id=target.client.id, error=refused.error.error)
    await record_alone(services.database, event, exchange.caller)
    answered = authorization_response.refusal(target, refused.error, issuer=services.issuer)
    if target.client.self_registered and not services.settings.development:
        return _ask_first(exchange, target, answered, language)
    return _deliver(exchange, target, answered, language)


def _deliver(exchange: Exchange, target: Target, answered: Answered, language: Language) -> Answer:
    if target.response_mode == "query":
        return see_other(authorization_response.location(target, answered))
    view = exchange.renderer.form_post_page(
        action=target.redirect_uri, fields=tuple(answered), client_name=target.client.name
    )
    return page(exchange, view, locale=language(), allowed=_posting_to(target))


def _ask_first(exchange: Exchange, target: Target, answered: Answered, language: Language) -> Answer:
    """Let the person decide whether to follow an error to an address that nobody checked (RFC 9700 section 4.11.2)."""
    posted = target.response_mode == "form_post"
    view = exchange.renderer.leaving_page(
        next_url=target.redirect_uri if posted else authorization_response.location(target, answered),
        fields=tuple(answered) if posted else (),
        host=place_of(target.redirect_uri),
        client_name=target.client.name,
    )
    allowed = _posting_to(target) if posted else Allowed(forms=())
    return page(exchange, view, locale=language(), allowed=allowed)


def _posting_to(target: Target) -> Allowed:
    """Let the page's form leave, by scheme alone: Chromium holds `form-action` against every redirect that follows."""
    secure = target.redirect_uri.startswith("https:")
    return Allowed(forms=("https:",) if secure else ("http:", "https:"))


def place_of(redirect_uri: str) -> str:
    """Return where a redirect URI leads in a person's eyes; behind a private-use scheme that is the scheme."""
    parts = urlsplit(redirect_uri)
    return parts.netloc or parts.scheme
