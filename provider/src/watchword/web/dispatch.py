"""From an ASGI request to an endpoint's answer: one dictionary look-up, one error boundary."""

import secrets
from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from watchword.services import Services
from watchword.settings import is_loopback
from watchword.telemetry import request_id
from watchword.web.answers import add_transport_security, json_answer
from watchword.web.endpoint import Access, Endpoint, Handler
from watchword.web.errors import Problem, ProblemPage, error_answer
from watchword.web.exchange import Exchange, Renderer

_ISSUES = frozenset({"/authorize", "/logout"})  # here even a GET acts, so HEAD is not offered


class Dispatch:
    """The routes of a provider. Exact paths first; prefixes (`/*`) after them."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        base_path: str,
        renderer: Renderer,
        locales: Sequence[str],
        problem_page: ProblemPage,
        services: Callable[[], Services],
    ) -> None:
        self._exact = {base_path + e.path: e for e in endpoints if not e.path.endswith("/*")}
        self._prefixes = [(base_path + e.path[:-1], e) for e in endpoints if e.path.endswith("/*")]
        self._methods = {endpoint.path: _offered(endpoint) for endpoint in endpoints}
        self._renderer, self._locales, self._problem_page = renderer, locales, problem_page
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; refuse a WebSocket."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        services = self._services()
        name = secrets.token_hex(8)
        request_id.set(name)
        exchange = Exchange(services, self._renderer, self._locales, scope, receive, name)
        response = await self._answer(exchange)
        response.raw_headers.append((b"x-request-id", name.encode("ascii")))
        if services.settings.secure and not is_loopback(services.issuer):
            add_transport_security(response)
        await response(scope, receive, send)

    async def _answer(self, exchange: Exchange) -> Response:
        endpoint = self._find(exchange.path)
        if endpoint is None or (endpoint.access is Access.DEVELOPMENT and not _is_developer(exchange)):
            return self._plain_problem(exchange, "not_found", 404)
        methods = self._methods[endpoint.path]
        handler = methods.get(exchange.method)
        if handler is None:
            response = self._plain_problem(exchange, "method_not_allowed", 405)
            response.headers["allow"] = ", ".join(sorted(methods))
            return response
        try:
            return await handler(exchange)
        except Exception as error:  # noqa: BLE001 - the boundary: everything becomes an answer
            for_people = endpoint.access in {Access.PERSON, Access.DEVELOPMENT}
            return error_answer(exchange, error, for_people=for_people, problem_page=self._problem_page)

    def _find(self, path: str) -> Endpoint | None:
        found = self._exact.get(path)
        if found is not None:
            return found
        return next((endpoint for prefix, endpoint in self._prefixes if path.startswith(prefix)), None)

    def _plain_problem(self, exchange: Exchange, error: str, status: int) -> Response:
        if exchange.wants_html():
            return self._problem_page(exchange, Problem(error, status))
        return json_answer({"error": error}, status=status)


def _offered(endpoint: Endpoint) -> Mapping[str, Handler]:
    """Return the methods of an endpoint; whoever may GET without effect may also ask for the headers alone."""
    if "GET" in endpoint.methods and endpoint.path not in _ISSUES:
        return {**endpoint.methods, "HEAD": endpoint.methods["GET"]}
    return endpoint.methods


def _is_developer(exchange: Exchange) -> bool:
    """Whether development pages are open here, and asked for by a name of this machine (no rebound foreign one)."""
    return exchange.services.settings.development and is_loopback(f"http://{exchange.headers.get('host', '')}")
