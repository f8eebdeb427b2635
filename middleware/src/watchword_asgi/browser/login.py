"""How browsers sign in: the settings of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from .return_to import safe_return_to
from .sessions import SessionStore


@dataclass(frozen=True, slots=True)
class Login:
    """How browsers sign in.

    Attributes:
        client_id, client_secret: as registered at the provider; without a secret the client is public.
        cookie_keys: secrets of at least 32 characters, the newest first. Keep an old one in the list until the
            sessions sealed with it are over.
        scope: what is asked for.
        prefix: where `login`, `callback` and `logout` live. Register `base_url + prefix + "/callback"`.
        resource: the API that the access token shall be for (RFC 8707).
        store: keeps sessions on the server, with only their id in the cookie; several processes need a shared one.
        lifetime: of a session, from the login on.
        after_logout: the path people come to after signing out; register `base_url + after_logout`.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    cookie_keys: Sequence[str | bytes] = field(default=(), repr=False)
    scope: str = "openid profile email phone"
    prefix: str = "/auth"
    resource: str | None = None
    store: SessionStore | None = None
    lifetime: timedelta = timedelta(hours=24)
    after_logout: str = "/"

    def __post_init__(self) -> None:
        if not self.client_id:
            raise ValueError("Login: client_id is missing")
        if "openid" not in self.scope.split():
            raise ValueError("Login: scope must contain openid, or the provider will not say who signed in")
        if not self.prefix.startswith("/") or self.prefix.endswith("/") or "*" in self.prefix:
            raise ValueError(f"Login: prefix {self.prefix!r} must start with / and not end with it")
        if safe_return_to(self.after_logout, never_below=self.prefix) != self.after_logout:
            raise ValueError(f"Login: after_logout {self.after_logout!r} must be a path of this app")
