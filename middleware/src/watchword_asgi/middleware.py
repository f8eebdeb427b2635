"""The ASGI middleware: every request is judged before it reaches the app."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from .answers import Answer, refusal_answer, send_answer, unavailable_answer
from .asgi import ASGIApp, Message, Receive, Scope, Send, is_preflight, path_inside_mount
from .browser.login import Login
from .browser.sessions import SetCookies
from .browser.visits import BrowserLogin, Visit
from .clock import SYSTEM_CLOCK, Clock
from .credentials import read_bearer
from .errors import Reason, Refused, Unavailable
from .remote.fetch import Fetcher
from .remote.provider import Provider
from .remote.userinfo import Userinfo
from .rules import Rule, check_path, find_rules
from .tokens.access_token import AnyAudience
from .verifier import DEFAULT_LEEWAY, Http, Verifier

logger = logging.getLogger("watchword_asgi")

_NOBODY = Visit(None)


class Watchword:
    """Wraps an ASGI app and lets only those in whom its rules admit. Without rules, every request needs a valid token.

    The app finds who asks in `scope["watchword"]`: an Identity, or None where a rule lets strangers in.

    Args:
        app: any ASGI app.
        issuer: the provider's URL, compared byte by byte; its metadata and keys are discovered from it.
        audience: this API's identifier (or several) as access tokens carry it, or ANY. May be left out only where
            browsers are all there is: with `login`, and rules that are `login` or `public`.
        rules: in order; the first that matches decides.
        base_url: this app's public address; needed for browser login. The Host header is never trusted.
        login: turns browser login on.
        leeway: by how much clocks may differ.
        allow_untyped: take access tokens that are not of type at+jwt, from issuers that do not mark theirs.
        http: a client or transport to reach the provider with.
        clock: where the time comes from.

    Raises:
        ValueError: a wrong argument, told in one line.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        issuer: str,
        audience: str | Iterable[str] | AnyAudience | None = None,
        rules: Sequence[Rule] = (),
        base_url: str | None = None,
        login: Login | None = None,
        leeway: timedelta = DEFAULT_LEEWAY,
        allow_untyped: bool = False,
        http: Http | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.app = app
        self._rules = tuple(rules)
        self._default = Rule("*", login=audience is None)
        _check_rules(self._rules, audience_missing=audience is None, login_missing=login is None)
        self._verifier: Verifier | None = None
        if audience is None:
            provider = Provider(issuer, Fetcher(http), clock)
            profiles = Userinfo(provider, clock)
        else:
            self._verifier = Verifier(
                issuer=issuer, audience=audience, leeway=leeway, allow_untyped=allow_untyped, http=http, clock=clock
            )
            provider, profiles = self._verifier.provider, self._verifier.profiles
        self._fetcher = provider.fetcher
        self._browser: BrowserLogin | None = None
        if login is not None:
            if base_url is None:
                raise ValueError("base_url is missing: browser login needs this app's public address")
            self._browser = BrowserLogin(
                login, base_url=base_url, provider=provider, profiles=profiles, clock=clock, leeway=leeway
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request, or pass the lifespan through."""
        if scope["type"] in ("http", "websocket"):
            await self._guard(scope, receive, send)
        else:
            await self.app(scope, receive, self._closing(send))

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_inside_mount(scope)
        rules = find_rules(self._rules, path, scope.get("method"), default=self._default)
        rule, visit = rules[0], _NOBODY
        try:
            check_path(path)
            if self._browser is not None and self._browser.owns(path):
                await send_answer(await self._browser.answer(scope, path), scope, receive, send)
                return
            for rule in rules:
                if not rule.public and not is_preflight(scope):
                    visit = await self._identify(scope, rule)
                    _admit(visit, rule)
        except Refused as refused:
            logger.debug("refused: %s", refused.reason)
            await send_answer(self._refusal(refused, rule, scope, visit.set_cookies), scope, receive, send)
            return
        except Unavailable as unavailable:
            await send_answer(unavailable_answer(unavailable), scope, receive, send)
            return
        if visit.set_cookies:
            send = _setting(visit.set_cookies, send)
        await self.app({**scope, "watchword": visit.identity}, receive, send)

    async def _identify(self, scope: Scope, rule: Rule) -> Visit:
        if self._verifier is not None:
            token = read_bearer(scope["headers"])
            if token is not None:
                return Visit(await self._verifier.verify(token))
        if rule.login and self._browser is not None:
            return await self._browser.visit(scope)
        return _NOBODY

    def _refusal(self, refused: Refused, rule: Rule, scope: Scope, set_cookies: SetCookies) -> Answer:
        answer = self._browser.refusal(refused, scope) if rule.login and self._browser is not None else None
        if answer is None:
            answer = refusal_answer(refused, rule.needed_scopes)
        return Answer(answer.status, answer.headers + set_cookies, answer.body)

    def _closing(self, send: Send) -> Send:
        async def send_and_close(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await self.aclose()
            await send(message)

        return send_and_close

    async def aclose(self) -> None:
        """Close the connections to the provider. A server that speaks lifespan makes this happen by itself."""
        await self._fetcher.aclose()


def _admit(visit: Visit, rule: Rule) -> None:
    if visit.identity is not None:
        rule.check(visit.identity)
    elif not rule.optional:
        raise Refused(Reason.LOGIN_REQUIRED if rule.login else Reason.NO_CREDENTIALS)


def _check_rules(rules: Sequence[Rule], *, audience_missing: bool, login_missing: bool) -> None:
    if login_missing and any(rule.login for rule in rules):
        raise ValueError("a rule asks for login, but no login=Login(...) is given")
    if audience_missing and (login_missing or not all(rule.login or rule.public for rule in rules)):
        raise ValueError("audience is missing: pass this API's identifier, or ANY to accept tokens meant for others")


def _setting(set_cookies: SetCookies, send: Send) -> Send:
    """Add cookies to the app's answer, and keep shared caches from storing somebody's session with it."""

    async def send_with_cookies(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            kept = [each for each in message.get("headers", ()) if each[0].lower() != b"cache-control"]
            message = {**message, "headers": [*kept, (b"cache-control", b"no-store"), *set_cookies]}
        await send(message)

    return send_with_cookies
