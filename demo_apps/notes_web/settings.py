"""What the app is told by its environment. Secrets come from there alone."""

import os
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Settings:
    """The app's settings.

    Attributes:
        issuer: the provider's URL, exactly as the provider calls itself.
        client_id, client_secret: as `watchword clients add` printed them.
        cookie_key: at least 32 random characters; sessions are sealed with it.
        base_url: where people reach this app.
        api_url: where the Notes API is; the audience of the tokens it takes.
        mailbox_url: where codes can be read in the demo; None elsewhere.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    cookie_key: str = field(repr=False)
    base_url: str
    api_url: str
    mailbox_url: str | None = None

    @classmethod
    def from_environment(cls) -> Self:
        """Read `ISSUER`, `CLIENT_ID`, `CLIENT_SECRET`, `COOKIE_KEY`, `BASE_URL`, `API_URL` and `MAILBOX_URL`."""
        return cls(
            issuer=os.environ["ISSUER"],
            client_id=os.environ["CLIENT_ID"],
            client_secret=os.environ["CLIENT_SECRET"],
            cookie_key=os.environ["COOKIE_KEY"],
            base_url=os.environ["BASE_URL"],
            api_url=os.environ["API_URL"],
            mailbox_url=os.environ.get("MAILBOX_URL"),
        )
