"""The app's pages: templates, and the headers every page is sent with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from demo_apps.notes_web.settings import Settings

_HERE = Path(__file__).parent


class Pages:
    """Renders pages.

    The forms lead nowhere but here and, when signing out, to the provider: `form-action` covers where a form's
    redirects go. There is no script to allow.
    """

    def __init__(self, settings: Settings) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
        )
        self._templates.globals |= {"issuer": settings.issuer, "api_url": settings.api_url}
        self._templates.globals["mailbox_url"] = settings.mailbox_url
        self._headers = {
            "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
            f"form-action 'self' {settings.issuer}; base-uri 'none'; frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cache-control": "no-store",
        }

    def render(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return the page of that template."""
        return HTMLResponse(self._templates.get_template(name).render(values), status, self._headers)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An email address or a phone number, and whether the provider has seen proof of it."""

    label: str
    value: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What `/userinfo` said, ready to be shown."""

    name: str
    initial: str
    subject: str
    identifiers: tuple[Identifier, ...]
    claims: str

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """Read the claims of OpenID Connect Core 1.0 section 5.1. All but `sub` may be missing."""
        email, phone = claims.get("email"), claims.get("phone_number")
        found = [
            Identifier("Email", email, claims.get("email_verified") is True) if email else None,
            Identifier("Phone", phone, claims.get("phone_number_verified") is True) if phone else None,
        ]
        name = claims.get("name") or email or phone or "You"
        return cls(
            name=name,
            initial=name[-2:] if name == phone else name[0].upper(),
            subject=claims["sub"],
            identifiers=tuple(filter(None, found)),
            claims=json.dumps(dict(claims), indent=2, ensure_ascii=False),
        )
