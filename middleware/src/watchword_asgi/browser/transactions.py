"""Logins on their way: what this browser must bring back from the provider (one encrypted cookie each)."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from .cookies import CookieNames
from .sealing import Sealer

LIFETIME = timedelta(minutes=10)
_MOST = 5  # logins at a time in one browser: tabs do not overwrite one another, and cookies do not pile up


@dataclass(frozen=True, slots=True)
class LoginTransaction:
    """One login between its start and its callback."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    return_to: str
    started_at: datetime

    @property
    def code_challenge(self) -> str:
        """The S256 challenge of the verifier (RFC 7636 section 4.2)."""
        digest = hashlib.sha256(self.code_verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def start_transaction(return_to: str, *, now: datetime) -> LoginTransaction:
    """A new login with fresh random state, nonce and code verifier, 256 bits each."""
    return LoginTransaction(
        secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32), return_to, now
    )


class Transactions:
    """Seals logins into cookies and opens them again."""

    def __init__(self, names: CookieNames, sealer: Sealer) -> None:
        self._names = names
        self._sealer = sealer

    def write(
        self, transaction: LoginTransaction, cookies: Mapping[str, str], *, now: datetime
    ) -> tuple[tuple[bytes, bytes], ...]:
        """The cookies to set: this login's, and removals of those that are over, broken or too many."""
        members = [
            transaction.state,
            transaction.nonce,
            transaction.code_verifier,
            transaction.return_to,
            int(transaction.started_at.timestamp()),
        ]
        name = self._name(transaction.state)
        sealed = self._sealer.seal(json.dumps(members).encode("ascii"), purpose=name)
        headers = [self._names.write(name, sealed, seconds=int(LIFETIME.total_seconds()))]
        return (*headers, *(self._names.write(each, "", seconds=0) for each in self._surplus(cookies, now=now)))

    def _surplus(self, cookies: Mapping[str, str], *, now: datetime) -> list[str]:
        names = [name for name in cookies if name.startswith(self._names.transactions)]
        opened = {name: self._open_cookie(name, cookies[name], now=now) for name in names}
        live = [name for name, each in opened.items() if each is not None]
        live.sort(key=lambda name: each.started_at if (each := opened[name]) else now)
        return [name for name in names if name not in live] + live[: max(0, len(live) - _MOST + 1)]

    def open(self, state: str, cookies: Mapping[str, str], *, now: datetime) -> LoginTransaction | None:
        """The login that was started in this browser with this state, None when there is none or it is over."""
        name = self._name(state)
        transaction = self._open_cookie(name, cookies.get(name, ""), now=now)
        if transaction is None or not hmac.compare_digest(transaction.state.encode(), state.encode()):
            return None
        return transaction

    def remove(self, state: str) -> tuple[bytes, bytes]:
        """The cookie to set so that the login cannot be finished twice."""
        return self._names.write(self._name(state), "", seconds=0)

    def _name(self, state: str) -> str:
        return self._names.transactions + hashlib.sha256(state.encode("utf-8")).hexdigest()[:16]

    def _open_cookie(self, name: str, text: str, *, now: datetime) -> LoginTransaction | None:
        data = self._sealer.open(text, purpose=name)
        if data is None:
            return None
        state, nonce, code_verifier, return_to, started_at = cast("list[Any]", json.loads(data))
        transaction = LoginTransaction(state, nonce, code_verifier, return_to, datetime.fromtimestamp(started_at, UTC))
        return transaction if now < transaction.started_at + LIFETIME else None
