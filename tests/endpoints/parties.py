"""Clients that registered themselves with metadata of their own, and the answers they get."""

from typing import Any
from urllib.parse import parse_qs

import httpx2

from tests.support.person import Page
from tests.support.provider import RunningProvider
from tests.support.relying_party import REDIRECT_URI, RelyingParty
from tests.support.secrecy import remember_secret

ANSWER = {"code", "state", "iss"}
REFUSAL = {"error", "error_description", "state", "iss"}


def self_registered(provider: RunningProvider, **metadata: Any) -> RelyingParty:
    """Register a client over HTTP. People are asked for their consent."""
    document = {"client_name": "Stranger", "redirect_uris": [REDIRECT_URI]} | metadata
    answer = httpx2.post(f"{provider.issuer}/register", json=document)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    secret = client.get("client_secret")
    return RelyingParty(provider, client["client_id"], secret and remember_secret(secret), document["redirect_uris"][0])


def posted_answer(page: Page, redirect_uri: str = REDIRECT_URI) -> dict[str, str]:
    """Return what a page would post to the client; the code becomes one that no log may hold."""
    [form] = page.forms
    assert (form.method, form.action) == ("POST", redirect_uri)
    assert list(form.buttons) == ["continue"]
    if "code" in form.fields:
        remember_secret(form.fields["code"])
    return form.fields


def answer_at(location: str, redirect_uri: str = REDIRECT_URI) -> dict[str, str]:
    """Return the answer in the query of a redirect to the client."""
    assert location.startswith(redirect_uri + ("&" if "?" in redirect_uri else "?")), location
    mine = parse_qs(location[len(redirect_uri) + 1 :])
    return {name: values[0] for name, values in mine.items()}
