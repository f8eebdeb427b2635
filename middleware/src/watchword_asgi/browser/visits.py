"""Browser login: authorization code with PKCE, a session in a cookie, logout."""

import functools
import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from ..addresses import check_base_url, origin_of
from ..answers import Answer, json_answer, page_answer, redirect_answer
from ..asgi import Scope, read_header
from ..clock import Clock
from ..errors import Reason, Refused, Unavailable
from ..identity import Identity
from ..remote.provider import Provider
from ..remote.token_endpoint import TokenEndpoint, TokenRequestRefused, TokenResponse
from ..remote.userinfo import Userinfo
from ..tokens.claims import parse_names
from ..tokens.id_token import IdToken, verify_id_token
from ..tokens.jws import parse_compact
from .cookies import CookieNames, TooLargeForCookies, parse_cookies
from .login import Login
from .renewal import Renewal
from .return_to import safe_return_to
from .sealing import Sealer
from .sessions import Session, Sessions, SetCookies, new_session_id
from .transactions import LoginTransaction, Transactions, start_transaction

logger = logging.getLogger("watchword_asgi")

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a browser: who it is, if anybody, and the cookies its answer must set."""

    identity: Identity | None
    set_cookies: SetCookies = ()


class BrowserLogin:
    """The endpoints below the prefix, and the sessions that they make."""

    def __init__(
        self, login: Login, *, base_url: str, provider: Provider, profiles: Userinfo, clock: Clock, leeway: timedelta
    ) -> None:
        self._login = login
        self._base_url = check_base_url(base_url)
        self._origin = origin_of(base_url)
        self._prefix_path = urlsplit(self._base_url).path + login.prefix
        self._provider = provider
        self._profiles = profiles
        self._clock = clock
        self._leeway = leeway
        mark = hashlib.sha256(login.client_id.encode("utf-8")).hexdigest()[:8]
        names = CookieNames(secure=self._base_url.startswith("https:"), mark=mark)
        sealer = Sealer(login.cookie_keys)
        self._transactions = Transactions(names, sealer)
        self._sessions = Sessions(names, sealer, login.store, clock)
        self._endpoint = TokenEndpoint(provider, clock, login.client_id, login.client_secret)
        self._renewal = Renewal(self._endpoint, self._sessions, clock, leeway=leeway, resource=login.resource)

    # ---- what the middleware asks

    def owns(self, path: str) -> bool:
        """Whether the path inside the mount is one of ours."""
        return path.startswith(self._login.prefix + "/")

    async def visit(self, scope: Scope) -> Visit:
        """Who is behind the request's session cookie, with a fresh access token where that is due.

        Raises:
            Refused: another site makes the browser send a changing request, or open a WebSocket.
        """
        cookies = parse_cookies(scope["headers"])
        opened = await self._sessions.open(cookies)
        if opened is None:
            return Visit(None)
        if not self._is_from_here(scope):
            raise Refused(Reason.CROSS_SITE)
        session = await self._renewal.renew_if_due(opened)
        if session is None:
            await self._sessions.end(opened)
            return Visit(None, self._sessions.remove(cookies))
        changed = session is not opened and self._login.store is None
        return Visit(self._identity(session), await self._write(session, cookies) if changed else ())

    async def _write(self, session: Session, cookies: dict[str, str]) -> SetCookies:
        try:
            return await self._sessions.write(session, cookies)
        except TooLargeForCookies:
            logger.exception("a session outgrew five cookies: give Login a store, or ask for fewer scopes")
            return self._sessions.remove(cookies)

    def _is_from_here(self, scope: Scope) -> bool:
        """Whether the browser says that a page of this very origin sent the request; safe methods need not be."""
        origin = read_header(scope["headers"], b"origin")
        if scope["type"] == "websocket":
            return origin == self._origin
        if scope["method"] in _SAFE_METHODS:
            return True
        fetch_site = read_header(scope["headers"], b"sec-fetch-site")
        return fetch_site == "same-origin" if fetch_site is not None else origin == self._origin

    def _identity(self, session: Session) -> Identity:
        claims = session.id_token.claims
        alive = self._clock.now() < session.access_expires_at
        return Identity(
            subject=session.id_token.subject,
            client_id=self._login.client_id,
            scopes=session.scopes,
            roles=parse_names(claims.get("roles")),
            groups=parse_names(claims.get("groups")),
            permissions=parse_names(claims.get("permissions")),
            claims=claims,
            access_token=session.access_token if alive else None,
            _fetch_userinfo=functools.partial(
                self._profiles.get,
                session.access_token,
                expected_subject=session.id_token.subject,
                expires_at=session.access_expires_at,
            ),
        )

    def refusal(self, refused: Refused, scope: Scope) -> Answer | None:
        """What a person sees: the way to the login, or a page. None for scripts, which want the bare status."""
        if scope["type"] != "http" or not _is_navigation(scope):
            return None
        if refused.reason is not Reason.LOGIN_REQUIRED:
            return page_answer(refused.status, "You cannot open this page", f"{refused.description}.", "")
        query = scope["query_string"].decode("latin-1")
        here = quote(scope["path"], safe="/:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")
        return redirect_answer(f"{self._base_url}{self._login.prefix}/login?return_to={quote(here)}")

    async def answer(self, scope: Scope, path: str) -> Answer:
        """Answer a request below the prefix."""
        name = path.removeprefix(self._login.prefix + "/")
        allowed = {"login": "GET HEAD", "callback": "GET", "logout": "GET HEAD POST"}.get(name)
        if allowed is None or scope["type"] != "http":
            return json_answer(404, "not_found", "There is nothing here")
        if scope["method"] not in allowed.split():
            allow = (b"allow", allowed.replace(" ", ", ").encode("ascii"))
            return json_answer(405, "method_not_allowed", "Another method is needed", allow)
        try:
            if name == "login":
                return await self._start(scope)
            return await (self._finish(scope) if name == "callback" else self._log_out(scope))
        except Unavailable as unavailable:
            logger.warning("a login could not go on: %s", unavailable.detail)
            wait = (b"retry-after", str(unavailable.retry_after).encode("ascii"))
            return self._sorry(503, "Signing in is not possible just now", "Please try again in a moment.", "/", wait)

    # ---- login

    async def _start(self, scope: Scope) -> Answer:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        return_to = safe_return_to(query.get("return_to"), never_below=self._prefix_path)
        address = await self._provider.endpoint("authorization_endpoint")
        now = self._clock.now()
        transaction = start_transaction(return_to, now=now)
        parameters = {
            "response_type": "code",
            "client_id": self._login.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._login.scope,
            "state": transaction.state,
            "nonce": transaction.nonce,
            "code_challenge": transaction.code_challenge,
            "code_challenge_method": "S256",
        }
        if self._login.resource is not None:
            parameters["resource"] = self._login.resource
        set_cookies = self._transactions.write(transaction, parse_cookies(scope["headers"]), now=now)
        return redirect_answer(_with_query(address, parameters), *set_cookies)

    @property
    def _redirect_uri(self) -> str:
        return f"{self._base_url}{self._login.prefix}/callback"

    async def _finish(self, scope: Scope) -> Answer:
        cookies = parse_cookies(scope["headers"])
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        query = dict(pairs)
        state = query.get("state", "")
        transaction = self._transactions.open(state, cookies, now=self._clock.now())
        if transaction is None:
            # The back button after a login, or a login that took too long, or somebody else's.
            if await self._sessions.open(cookies) is not None:
                return redirect_answer(f"{self._base_url}/")
            return self._sorry(400, "This sign-in has ended", "It took too long, or it was finished before.", "/")
        forget = self._transactions.remove(state)
        again = transaction.return_to
        if len(query) != len(pairs) or not await self._is_from_provider(query.get("iss")):
            return self._sorry(400, "This sign-in cannot be trusted", "The answer is not in order.", again, forget)
        if "error" in query or "code" not in query:
            return self._sorry(400, "You are not signed in", "The sign-in was cancelled or refused.", again, forget)
        try:
            session = await self._redeem(query["code"], transaction)
            set_cookies = await self._replace_session(session, cookies)
        except (TokenRequestRefused, Refused) as refused:
            logger.warning("a login was refused: %s", refused)
            return self._sorry(400, "You are not signed in", "The sign-in could not be confirmed.", again, forget)
        except TooLargeForCookies:
            logger.exception("a session does not fit into five cookies: give Login a store, or ask for fewer scopes")
            return self._sorry(500, "You are not signed in", "This app cannot hold your session.", again, forget)
        return redirect_answer(self._origin + transaction.return_to, forget, *set_cookies)

    async def _is_from_provider(self, issuer: str | None) -> bool:
        # RFC 9207 section 2.4: against mix-up, where another provider's code is slipped in.
        if issuer is None:
            return not (await self._provider.metadata()).sends_issuer
        return issuer == self._provider.issuer

    async def _redeem(self, code: str, transaction: LoginTransaction) -> Session:
        response = await self._endpoint.redeem_authorization_code(
            code,
            redirect_uri=self._redirect_uri,
            code_verifier=transaction.code_verifier,
            resource=self._login.resource,
        )
        id_token = await self._verify(response, transaction)
        asked = frozenset(self._login.scope.split())
        return Session(
            id=new_session_id(),
            id_token=id_token,
            scopes=asked if response.scopes is None else response.scopes,
            expires_at=self._clock.now() + self._login.lifetime,
            access_token=response.access_token,
            access_expires_at=response.expires_at,
            refresh_token=response.refresh_token,
        )

    async def _verify(self, response: TokenResponse, transaction: LoginTransaction) -> IdToken:
        token = response.id_token or ""
        keys = await self._provider.keyset.find(parse_compact(token).header.kid)
        return verify_id_token(
            token,
            keys,
            expected_issuer=self._provider.issuer,
            expected_client_id=self._login.client_id,
            expected_nonce=transaction.nonce,
            access_token=response.access_token,
            now=self._clock.now(),
            leeway=self._leeway,
        )

    async def _replace_session(self, session: Session, cookies: dict[str, str]) -> SetCookies:
        set_cookies = await self._sessions.write(session, cookies)
        before = await self._sessions.open(cookies)
        if before is not None:
            await self._sessions.end(before)
        return set_cookies

    # ---- logout

    async def _log_out(self, scope: Scope) -> Answer:
        cookies = parse_cookies(scope["headers"])
        session = await self._sessions.open(cookies)
        home = f"{self._base_url}{self._login.after_logout}"
        if session is None:
            return redirect_answer(home, *self._sessions.remove(cookies))
        if scope["method"] != "POST":
            # A link or an image on another site must not sign anybody out.
            button = f'<form method="post" action="{escape(self._prefix_path)}/logout"><button>Sign out</button></form>'
            return page_answer(200, "Sign out?", "You will need to sign in again.", button)
        if not self._is_from_here(scope):
            return self._sorry(403, "You are still signed in", "The request came from another site.", "/")
        await self._sessions.end(session)
        address = await self._logout_address(session, home)
        return redirect_answer(address, *self._sessions.remove(cookies))

    async def _logout_address(self, session: Session, home: str) -> str:
        try:
            endpoint = (await self._provider.metadata()).end_session_endpoint
        except Unavailable:
            endpoint = None  # signed out here at least
        if endpoint is None:
            return home
        parameters = {
            "id_token_hint": session.id_token.token,
            "post_logout_redirect_uri": home,
            "client_id": self._login.client_id,
        }
        return _with_query(endpoint, parameters)

    def _sorry(self, status: int, title: str, text: str, return_to: str, *headers: tuple[bytes, bytes]) -> Answer:
        address = f"{self._prefix_path}/login?return_to={quote(return_to)}"
        return page_answer(status, title, text, f'<a href="{escape(address)}">Start again</a>', *headers)


def _is_navigation(scope: Scope) -> bool:
    if scope["method"] != "GET":
        return False
    mode = read_header(scope["headers"], b"sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    return "text/html" in (read_header(scope["headers"], b"accept") or "")


def _with_query(address: str, parameters: dict[str, str]) -> str:
    return address + ("&" if "?" in address else "?") + urlencode(parameters, quote_via=quote)
