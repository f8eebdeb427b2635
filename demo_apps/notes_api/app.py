"""Notes API: every call needs an access token that was issued for it."""

import os
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, StringConstraints

from watchword_asgi import Refused, Rule, Unavailable, Watchword
from watchword_asgi.fastapi import Identity, requires

_NOTES_KEPT = 100  # of each person; the oldest one makes room

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class NewNote(BaseModel):
    """What a caller sends."""

    text: Text


class Note(NewNote):
    """A note as it is kept."""

    written_at: datetime


api = FastAPI(title="Notes API", docs_url=None, redoc_url=None, openapi_url=None)
notebooks: defaultdict[str, deque[Note]] = defaultdict(lambda: deque(maxlen=_NOTES_KEPT))  # by subject; gone at the end


@api.get("/")
async def introduce() -> dict[str, Any]:
    """Say what this is, to anybody who comes by."""
    return {"name": "Notes API", "calls": ["GET /notes", "POST /notes", "GET /me"], "needs": "an access token"}


@api.get("/notes")
async def list_notes(me: Annotated[Identity, requires("notes:read")]) -> Sequence[Note]:
    """List the caller's notes, newest first."""
    return list(notebooks.get(me.subject, ()))


@api.post("/notes", status_code=201)
async def add_note(new: NewNote, me: Annotated[Identity, requires("notes:write")]) -> Note:
    """Keep a note for the caller."""
    note = Note(text=new.text, written_at=datetime.now(UTC))
    notebooks[me.subject].appendleft(note)
    return note


@api.get("/me")
async def tell_who_is_calling(me: Annotated[Identity, requires()]) -> dict[str, Any]:
    """Answer with what the provider says about the caller at this moment."""
    return dict(await me.userinfo())


@api.exception_handler(Refused)
@api.exception_handler(Unavailable)
async def tell_why_userinfo_failed(_: Request, error: Refused | Unavailable) -> JSONResponse:
    """Turn what `userinfo()` raises into an answer: the grant is over, or the provider is away."""
    if isinstance(error, Unavailable):
        headers = {"Retry-After": str(error.retry_after)}
    else:
        headers = {"WWW-Authenticate": f'Bearer error="{error.error}", error_description="{error.description}"'}
    return JSONResponse({"error": error.error, "error_description": error.description}, error.status, headers)


def create_app(http: httpx2.AsyncBaseTransport | None = None) -> Watchword:
    """Guard the API. `ISSUER` and `AUDIENCE` come from the environment; tests bring their own way to the provider."""
    rules = [Rule("/", public=True)]
    return Watchword(api, issuer=os.environ["ISSUER"], audience=os.environ["AUDIENCE"], rules=rules, http=http)
