"""Every page with sample data, served on a real port under the headers the provider sends."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from watchword.locale import load_catalogues
from watchword.pages.problem import problem_view
from watchword.pages.render import Pages
from watchword.pages.scopes import describe_word
from watchword.pages.views import (
    AllowedApplication,
    ApplicationsPage,
    CodePage,
    ConsentPage,
    ContinuePage,
    ErrorPage,
    FinishedPage,
    FormPostPage,
    IdentifierPage,
    LanguageLink,
    LeavingPage,
    LogoutPage,
    MailboxMessage,
    MailboxPage,
    SelectAccountPage,
    SignedOutPage,
    StillSignedInPage,
    View,
)
from watchword.web.answers import Allowed

CLIENT_LOGO = "https://reports.example/logo.svg"
LOGO_DRAWING = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 48 48'><rect width='48' height='48' rx='11' fill='#0f7b6c'/>"
    "<path d='M14 33V15h6v18zM22 33V21h5v12zM29 33V26h5v7z' fill='#fff'/></svg>"
)
FRAME = "https://reports.example/signed-out?iss=http://localhost&sid=s"
# What a page may reach beyond our own origin, where it may.
ALLOWED = {
    "consent-logo": Allowed(images=("https://reports.example",)),
    "signed-out-going-on": Allowed(frames=("https://reports.example",)),
}
LOGO = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
    "%3Crect width='8' height='8' rx='2' fill='%23d9822b'/%3E%3C/svg%3E"
).replace(" ", "%20")
LANGUAGES = (
    LanguageLink("en", "English"),
    LanguageLink("hi", "हिन्दी"),
)
_LONG_URL = "https://api.notes.example/" + "0123456789" * 20
REGIONS = (("IN", "India (+91)"), ("GB", "United Kingdom (+44)"), ("US", "United States (+1)"))


def sample_views(locale: str) -> Mapping[str, View]:
    """Each page in the states a person meets, by the name of the state."""
    text = load_catalogues()[locale].text
    return {
        **_identifier_pages(text("error.identifier_invalid")),
        **_code_pages(text("error.otp_incorrect"), text("code.resent")),
        "consent": _consent_page(locale),
        "consent-long": replace(
            _consent_page(locale), client_name="Donau" + "dampfschiff" * 12, resources=(_LONG_URL,)
        ),
        "consent-logo": replace(_consent_page(locale), logo_uri=CLIENT_LOGO),
        "consent-stranger": replace(
            _consent_page(locale), logo_uri=None, client_host="reports.example", client_uri=None, resources=()
        ),
        "select-account": SelectAccountPage(
            action="/post",
            cancel_action="/post",
            interaction="i",
            csrf="c",
            shown_to="s",
            client_name="Notes",
            account_label="a•••a@example.com",
            language_links=LANGUAGES,
            here="?page=1",
        ),
        "form-post": FormPostPage(
            action="/stays-here", fields=(("code", "c0de"), ("state", 'a"b&c')), client_name="Notes"
        ),
        "leaving": LeavingPage(
            next_url="https://reports.example/callback?error=access_denied",
            host="reports.example",
            client_name="Field Reports",
        ),
        "leaving-long": LeavingPage(next_url=_LONG_URL, host="a" * 60 + ".example", client_name="W" * 100),
        "applications": _applications_page(locale),
        "applications-none": replace(_applications_page(locale), applications=(), withdrawn="Field Reports"),
        "continue": ContinuePage(next_url="/stays-here", client_name="Notes"),
        "error": ErrorPage(
            title=text("error.redirect_uri_mismatch_title"),
            description=text("error.redirect_uri_mismatch"),
            request_id="01jd9x4k7v2m8q",
            status=400,
        ),
        "finished": FinishedPage(),
        "logout": LogoutPage(action="/post", csrf="c", account_label="a•••a@example.com", client_name="Notes"),
        "still-signed-in": StillSignedInPage(client_name="Notes", home_url="https://notes.example.com/"),
        "signed-out": SignedOutPage(),
        "signed-out-told": SignedOutPage(told=("Notes", "Field Reports")),
        "signed-out-told-long": SignedOutPage(told=("Notes", "W" * 100)),
        "signed-out-going-on": SignedOutPage(
            told=("Notes",), frames=(FRAME,), next_url="/stays-here", client_name="Field Reports"
        ),
        "mailbox": _mailbox_page(),
        "mailbox-empty": MailboxPage(messages=(), to="nobody@example.com"),
    }


def _identifier_pages(error: str) -> Mapping[str, View]:
    first = IdentifierPage(
        action="/post",
        cancel_action="/post",
        interaction="i",
        csrf="c",
        client_name="Notes",
        region="IN",
        regions=REGIONS,
        can_cancel=True,
        language_links=LANGUAGES,
        here="?page=1",
    )
    return {
        "identifier": first,
        "identifier-creating": replace(first, creating=True),
        "identifier-error": IdentifierPage(
            action="/post",
            interaction="i",
            csrf="c",
            client_name="Notes",
            identifier="98123 4567",
            error=error,
            region="IN",
            regions=REGIONS,
        ),
        "identifier-email": IdentifierPage(
            action="/post", interaction="i", csrf="c", client_name="Notes", accepts=frozenset({"email"})
        ),
        "identifier-phone": IdentifierPage(
            action="/post",
            interaction="i",
            csrf="c",
            client_name="Notes",
            accepts=frozenset({"phone"}),
            region="GB",
            regions=REGIONS,
        ),
    }


def code_page(
    *,
    error: str | None = None,
    notice: str | None = None,
    attempts_left: int | None = None,
    resend_in: int = 0,
    code_length: int = 6,
    channel: Literal["email", "sms", "whatsapp"] = "email",
    sent_to: str = "asha@example.com",
) -> CodePage:
    return CodePage(
        action="/post",
        resend_action="/resend",
        change_action="/post",
        cancel_action="/post",
        interaction="i",
        csrf="c",
        client_name="Notes",
        sent_to=sent_to,
        channel=channel,
        code_length=code_length,
        error=error,
        attempts_left=attempts_left,
        minutes_left=5,
        resend_in=resend_in,
        notice=notice,
        identifier=sent_to,
        language_links=LANGUAGES,
        here="?page=1",
    )


def _code_pages(error: str, notice: str) -> Mapping[str, View]:
    return {
        "code": code_page(resend_in=95),
        "code-error": code_page(error=error, attempts_left=3),
        "code-sms": code_page(channel="sms", sent_to="+91 98123 45678", code_length=10),
        "code-resent": code_page(notice=notice, resend_in=30, code_length=8),
    }


def _consent_page(locale: str) -> ConsentPage:
    catalogue = load_catalogues()[locale]
    return ConsentPage(
        action="/post",
        shown_to="s",
        interaction="i",
        csrf="c",
        client_name="Field Reports",
        client_uri="https://reports.example/",
        policy_uri="https://reports.example/privacy",
        tos_uri="https://reports.example/terms",
        account_label="a•••a@example.com",
        scopes=tuple(
            describe_word(name, catalogue)
            for name in ("openid", "email", "offline_access", "claim:birthdate", "notes:read")
        ),
        resources=("https://api.notes.example/",),
        applications_url="/account/applications",
    )


def _applications_page(locale: str) -> ApplicationsPage:
    catalogue = load_catalogues()[locale]
    scopes = tuple(describe_word(name, catalogue) for name in ("openid", "email", "notes:read"))
    when = datetime(2026, 3, 1, 14, 30, 5, tzinfo=UTC)
    return ApplicationsPage(
        action="/post",
        csrf="c",
        account_label="a•••a@example.com",
        applications=(
            AllowedApplication("c1", "Field Reports", "reports.example", scopes, when),
            AllowedApplication("c2", "Donau" + "dampfschiff" * 8, None, scopes[:1], when),
        ),
        language_links=LANGUAGES,
        here="?page=1",
    )


def _mailbox_page() -> View:
    code = MailboxMessage(
        id="m2",
        to="asha@example.com",
        channel="email",
        gateway="mailbox",
        subject="481920 is your Watchword code",
        text="Your code to sign in to Notes:\n\n481920\n\nIt expires at 14:35 (5 minutes).",
        one_time_code="481920",
        sent_at=datetime(2026, 3, 1, 14, 30, 5, tzinfo=UTC),
    )
    notice = MailboxMessage(
        id="m1",
        to="+919812345678",
        channel="sms",
        gateway="mailbox",
        subject=None,
        text="A new device signed in to your account.",
        one_time_code=None,
        sent_at=datetime(2026, 3, 1, 14, 2, 0, tzinfo=UTC),
    )
    return MailboxPage(messages=(code, notice))


def gallery(pages: Pages) -> Starlette:
    """`/view/<name>?ui_locales=` shows a sample, `/post` and `/resend` answer forms with what they were sent."""

    async def show(request: Request) -> Response:
        locale = request.query_params.get("ui_locales", "en")
        name = request.path_params["name"]
        view = sample_views(locale)[name]
        policy = ALLOWED.get(name, Allowed()).policy()
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}
        return HTMLResponse(pages.render(view, locale=locale), headers=headers)

    async def problem(request: Request) -> Response:
        locale, key = request.query_params.get("ui_locales", "en"), request.path_params["name"]
        return HTMLResponse(
            pages.render(problem_view(key, load_catalogues()[locale], "01jd9x4k7v2m8q", 400), locale=locale)
        )

    async def static(request: Request) -> Response:
        asset = pages.static_file(request.path_params["name"])
        if asset is None:
            return Response(status_code=404)
        return Response(asset.content, media_type=asset.media_type, headers={"X-Content-Type-Options": "nosniff"})

    async def received(request: Request) -> Response:
        fields = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        lines = [request.url.path, *(f"{name}={value}" for name, value in fields)]
        return Response("\n".join(lines), media_type="text/plain")

    async def nothing(request: Request) -> Response:
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/view/{name}", show),
            Route("/problem/{name}", problem),
            Route("/login/static/{name}", static),
            Route("/post", received, methods=["POST"]),
            Route("/resend", received, methods=["POST"]),
            Route("/stays-here", nothing, methods=["GET", "POST"]),
        ]
    )


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The app on a free port of 127.0.0.1; the socket listens before the server does, so nobody waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()
