"""What settings are made of: the error that names one, and the shapes of their values."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

PREFIX = "WATCHWORD_"
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsError(Exception):
    """A setting that cannot be used. `str()` is the one line for the operator; `others` are found in the same look."""

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        self.name, self.problem, self.remedy = name, problem, remedy
        self.others: tuple[SettingsError, ...] = ()
        super().__init__(f"{name}: {problem}. {remedy}")

    def with_others(self, others: Iterable["SettingsError"]) -> Self:
        """Return this problem with the others beside it."""
        self.others = tuple(others)
        return self


def is_loopback(url: str) -> bool:
    """Say whether a URL's host is this machine's loopback. What is no URL is not."""
    try:
        return urlsplit(url).hostname in LOOPBACK_HOSTS
    except ValueError:
        return False


def _seconds(value: object) -> object:
    """Read a bare number as seconds; ISO 8601 durations pass through."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", value):
        return timedelta(seconds=int(value))
    return value


def _pairs(value: object) -> object:
    """Read `a@b.example:123456,+9198...:654321` into a mapping."""
    if isinstance(value, str):
        pairs = [pair.strip().rpartition(":") for pair in value.split(",") if pair.strip()]
        if not all(left and right for left, _, right in pairs):
            raise ValueError("needs a colon and a code behind every identifier")
        return {left: right for left, _, right in pairs}
    return value


def _words(value: object) -> object:
    """Read a comma-separated list."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _issuer(value: str) -> str:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError when it is out of range
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http or https URL")
    if parts.query or parts.fragment or parts.username or value.endswith("/"):
        raise ValueError("may hold no query, fragment, user name or closing slash")
    # Compared letter by letter by everyone who trusts it, while browsers send their Origin in lower case.
    if not value.startswith(f"{parts.scheme}://{parts.netloc.lower()}"):
        raise ValueError("must have its scheme and host in lower case")
    return value


def _link(value: str) -> str:
    parts = urlsplit(value)
    usable = "@" in parts.path if parts.scheme == "mailto" else parts.scheme in {"http", "https"} and parts.hostname
    if not usable or not value.isprintable() or re.search(r"[ \\]", value):
        raise ValueError("is not an http, https or mailto URL")
    return value


def _page(value: str) -> str:
    if not _link(value).startswith(("https:", "http:")):
        raise ValueError("is not an http or https URL")
    return value


def scheme_of(secret: SecretStr | None) -> str | None:
    """Return which gateway a URL with credentials names."""
    return secret.get_secret_value().strip().partition(":")[0].lower() if secret is not None else None


SHORTEST = timedelta(minutes=1)
Lifetime = Annotated[timedelta, BeforeValidator(_seconds)]
Link = Annotated[str, AfterValidator(_link)]
PublicPage = Annotated[str, AfterValidator(_page)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Pairs = Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
