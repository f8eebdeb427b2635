"""The Notes API as this app calls it: in the name of the person who is signed in, with their access token."""

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx2

_SECONDS = 5.0


class NotesRefused(Exception):
    """The API did not do it; the text is for the person."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Note:
    """A note."""

    text: str
    written_at: datetime


class NotesApi:
    """A client of the API. Its connections live as long as the `async with` block."""

    def __init__(self, address: str, http: httpx2.AsyncBaseTransport | None = None) -> None:
        self._http = httpx2.AsyncClient(base_url=address, transport=http, timeout=_SECONDS, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def list_notes(self, access_token: str | None) -> list[Note]:
        """List the person's notes, newest first.

        Raises:
            NotesRefused: the API refuses or does not answer.
        """
        answer = await self._call("GET", access_token)
        return [Note(each["text"], datetime.fromisoformat(each["written_at"])) for each in answer.json()]

    async def add_note(self, access_token: str | None, text: str) -> None:
        """Add a note.

        Raises:
            NotesRefused: the API refuses or does not answer.
        """
        await self._call("POST", access_token, json={"text": text})

    async def _call(self, method: str, access_token: str | None, **content: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {access_token}"}
        try:
            answer = await self._http.request(method, "/notes", headers=headers, **content)
        except httpx2.TransportError:
            raise NotesRefused(503, "Your notes cannot be reached just now. Please try again in a moment.") from None
        if answer.status_code == 422:
            raise NotesRefused(422, "A note needs 1 to 500 characters.")
        if not answer.is_success:
            raise NotesRefused(502, f"The Notes API answered {answer.status_code}, so nothing was done.")
        return answer
