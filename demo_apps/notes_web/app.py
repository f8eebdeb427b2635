"""Notes: people sign in at the provider, and the app calls an API in their name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from demo_apps.notes_web.notes import NotesApi, NotesRefused
from demo_apps.notes_web.pages import Pages, Profile
from demo_apps.notes_web.settings import Settings
from watchword_asgi import Identity, Login, Refused, Rule, Unavailable, Watchword

_LARGEST_FORM = 8 * 1024  # bytes
_STATIC = Path(__file__).parent / "static"


async def welcome(request: Request) -> Response:
    """Greet a stranger; somebody who is signed in goes straight to their notes."""
    if request.scope["watchword"] is not None:
        return RedirectResponse("/notes", 303)
    return _pages(request).render("welcome.html")


async def notes(request: Request) -> Response:
    """Show who is signed in, and their notes."""
    return await _notes_page(request)


async def add_note(request: Request) -> Response:
    """Add a note, then show the list again."""
    identity: Identity = request.scope["watchword"]
    text = await _read_note(request)
    try:
        await _notes_api(request).add_note(identity.access_token, text)
    except NotesRefused as refused:
        return await _notes_page(request, refused, draft=text)
    return RedirectResponse("/notes", 303)


async def _notes_page(request: Request, refused: NotesRefused | None = None, draft: str = "") -> Response:
    identity: Identity = request.scope["watchword"]
    profile = Profile.from_claims(await identity.userinfo())
    try:
        found = await _notes_api(request).list_notes(identity.access_token)
    except NotesRefused as error:
        found, refused = [], refused or error
    status = 200 if refused is None else refused.status
    return _pages(request).render("notes.html", status, profile=profile, notes=found, error=refused, draft=draft)


async def tell_why_userinfo_failed(request: Request, error: Exception) -> Response:
    """Show what became of a sign-in that no longer opens `/userinfo`, or that the provider is away."""
    if isinstance(error, Unavailable):
        return _pages(request).render("sorry.html", 503, heading="The provider does not answer", again="/notes")
    return _pages(request).render(
        "sorry.html", 401, heading="Your sign-in has ended", again="/auth/login?return_to=/notes"
    )


async def _read_note(request: Request) -> str:
    """Read the form; one that is too large counts as empty, which the API refuses."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_FORM:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get("text", [""])[0]


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _notes_api(request: Request) -> NotesApi:
    api: NotesApi = request.app.state.notes_api
    return api


def create_app(settings: Settings | None = None, http: httpx2.AsyncBaseTransport | None = None) -> Watchword:
    """Build the app and let the middleware sign people in.

    Args:
        settings: read from the environment by default.
        http: how to reach the provider and the API; tests bring their own.
    """
    settings = settings or Settings.from_environment()
    login = Login(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        cookie_keys=[settings.cookie_key],
        scope="openid profile email phone notes:read notes:write",
        resource=settings.api_url,
    )
    rules = [Rule("/static/*", public=True), Rule("/", optional=True, login=True)]
    app = _create_pages(settings, http)
    return Watchword(app, issuer=settings.issuer, base_url=settings.base_url, rules=rules, login=login, http=http)


def _create_pages(settings: Settings, http: httpx2.AsyncBaseTransport | None) -> Starlette:
    """Build what is behind the middleware."""
    notes_api = NotesApi(settings.api_url, http)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with notes_api:
            yield

    app = Starlette(
        routes=[
            Route("/", welcome),
            Route("/notes", notes, methods=["GET"]),
            Route("/notes", add_note, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={Refused: tell_why_userinfo_failed, Unavailable: tell_why_userinfo_failed},
        lifespan=lifespan,
    )
    app.state.pages = Pages(settings)
    app.state.notes_api = notes_api
    return app
