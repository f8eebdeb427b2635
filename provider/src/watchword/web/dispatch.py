"""From an ASGI request to an endpoint's answer: one dictionary look-up, one error boundary."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

from starlette.types import Receive, Scope, Send

from watchword.metrics import observe_request
from watchword.protocol.errors import UriTooLong
from watchword.services import Services
from watchword.settings import Settings, is_loopback
from watchword.telemetry import request_id
from watchword.web.answers import json_answer
from watchword.web.cross_origin import cross_origin_fields, preflight
from watchword.web.endpoint import Access, CrossOrigin, Endpoint, Handler
from watchword.web.errors import Problem, ProblemPage, error_answer
from watchword.web.exchange import Exchange, Renderer
from watchword.web.hosts import Hosts
from watchword.web.under_way import UnderWay
from watchword.web.wire import Answer, Field, field, request_names, send_answer

TARGET_LIMIT = 8 * 1024  # bytes of path and query
_ISSUES = frozenset({"/authorize", "/logout"})  # here even a GET acts, so HEAD is not offered
_TRANSPORT_SECURITY = field("strict-transport-security", "max-age=63072000; includeSubDomains")


class Dispatch:
    """The routes of a provider. Exact paths first; prefixes (`/*`) after them."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        settings: Settings,
        base_path: str,
        renderer: Renderer,
        locales: Sequence[str],
        problem_page: ProblemPage,
        services: Callable[[], Services],
    ) -> None:
        if not settings.development:
            endpoints = [endpoint for endpoint in endpoints if endpoint.access is not Access.DEVELOPMENT]
        self._exact = {base_path + e.path: e for e in endpoints if not e.path.endswith("/*")}
        self._prefixes = [(base_path + e.path[:-1], e) for e in endpoints if e.path.endswith("/*")]
        self._methods = {endpoint.path: _offered(endpoint) for endpoint in endpoints}
        self._renderer, self._locales, self._problem_page = renderer, locales, problem_page
        self._services, self._names, self._hosts = services, request_names(), Hosts(settings)
        self._under_way = UnderWay(counted=settings.test_limits == "on")
        # Browsers are told to keep to https; only for an https issuer.
        secured = settings.secure and not is_loopback(settings.issuer)
        self._always: Sequence[Field] = (_TRANSPORT_SECURITY,) if secured else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; refuse a WebSocket."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        began, name = perf_counter(), next(self._names)
        request_id.set(name)
        exchange = Exchange(self._services(), self._renderer, self._locales, scope, receive, name)
        endpoint = self._find(scope["path"])
        fields = [(b"x-request-id", name.encode("ascii")), *self._always]
        if endpoint is None:
            answer = self._unknown(exchange)
        else:
            answer = await self._answer(exchange, endpoint)
            if endpoint.cross_origin is not CrossOrigin.NONE:
                fields += await cross_origin_fields(exchange, endpoint)
        await send_answer(scope, send, answer, fields)
        observe_request(endpoint.path if endpoint else "none", scope["method"], answer.status, perf_counter() - began)

    async def _answer(self, exchange: Exchange, endpoint: Endpoint) -> Answer:
        if not endpoint.any_host and not self._hosts.know(exchange.headers):
            return _another_host()
        try:
            _check_target(exchange.scope)
            handler = self._methods[endpoint.path].get(exchange.method)
            if handler is not None:
                return await self._under_way.run(handler, exchange, refusable=not endpoint.any_host)
            return await preflight(exchange, endpoint) or self._another_method(exchange, endpoint)
        except Exception as error:  # noqa: BLE001 - the boundary: everything becomes an answer
            for_people = endpoint.access in {Access.PERSON, Access.DEVELOPMENT}
            return error_answer(exchange, error, for_people=for_people, problem_page=self._problem_page)

    def _find(self, path: str) -> Endpoint | None:
        found = self._exact.get(path)
        if found is not None:
            return found
        return next((endpoint for prefix, endpoint in self._prefixes if path.startswith(prefix)), None)

    def _unknown(self, exchange: Exchange) -> Answer:
        if not self._hosts.know(exchange.headers):
            return _another_host()
        return self._plain_problem(exchange, "not_found", 404)

    def _another_method(self, exchange: Exchange, endpoint: Endpoint) -> Answer:
        answer = self._plain_problem(exchange, "method_not_allowed", 405)
        answer.add("allow", ", ".join(sorted(self._methods[endpoint.path])))
        return answer

    def _plain_problem(self, exchange: Exchange, error: str, status: int) -> Answer:
        if exchange.wants_html():
            return self._problem_page(exchange, Problem(error, status))
        return json_answer({"error": error}, status=status)


def _offered(endpoint: Endpoint) -> Mapping[str, Handler]:
    """Return the methods of an endpoint; whoever may GET without effect may also ask for the headers alone."""
    if "GET" in endpoint.methods and endpoint.path not in _ISSUES:
        return {**endpoint.methods, "HEAD": endpoint.methods["GET"]}
    return endpoint.methods


def _check_target(scope: Scope) -> None:
    """Refuse a path and query beyond 8 KiB.

    Raises:
        UriTooLong: it is.
    """
    if len(scope["raw_path"]) + len(scope["query_string"]) > TARGET_LIMIT:
        raise UriTooLong("The address is longer than 8 KiB. Send the request as a POST form.")


def _another_host() -> Answer:
    description = "This service has another name. Use the address it was given out with."
    return json_answer({"error": "invalid_request", "error_description": description}, status=400)
