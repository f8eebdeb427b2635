"""Claims about a person: which may be given, and what each scope shows at /userinfo (OpenID Connect Core section 5)."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from watchword.protocol.vocabulary import SCOPE_CLAIMS

# Of a signed answer. Marked like no other token and without `exp`, it passes for none (RFC 8725 section 3.11).
USERINFO_TYPE: Final = "userinfo+jwt"
PROFILE_CLAIMS: Final = (frozenset(SCOPE_CLAIMS["profile"]) | {"address"}) - {"updated_at"}
_ADDRESS_MEMBERS: Final = frozenset({"formatted", "street_address", "locality", "region", "postal_code", "country"})
_BIRTHDATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})-([0-9]{2}))?", re.ASCII)
_STANDARD: Final = frozenset(name for names in SCOPE_CLAIMS.values() for name in names) - {"sub"}
_LEAP_YEAR: Final = 2000  # stands in for a year that is not told, so that 29 February is a day


def parse_profile_claims(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person's record may hold of `document`: standard claims of the types of section 5.1.

    `updated_at` is the record's own and left out. Whether a locale, a time zone or a picture exists is not checked.

    Raises:
        ValueError: naming the claim that is unknown or of another type, never its value.
    """
    claims = {name: value for name, value in document.items() if name != "updated_at"}
    if unknown := claims.keys() - PROFILE_CLAIMS:
        known = ", ".join(sorted(PROFILE_CLAIMS))
        raise ValueError(f"{min(unknown)[:40]!r} is not one of the claims {known}")
    for name, value in claims.items():
        check, kind = _KINDS.get(name, (_is_text, "printable text"))
        if not check(value):
            raise ValueError(f"{name} must be {kind}")
    return claims


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_web_address(value: object) -> bool:
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return False
    with suppress(ValueError):
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    return False


def _is_birthdate(value: object) -> bool:
    found = _BIRTHDATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return False
    year, month, day = (int(part or 0) for part in found.groups())
    if found[2] is None:
        return year > 0
    with suppress(ValueError):
        date(year or _LEAP_YEAR, month, day)
        return True
    return False


def _is_address(value: object) -> bool:
    """Its lines may be parted by line breaks (section 5.1.1)."""
    if not isinstance(value, dict) or not value.keys() <= _ADDRESS_MEMBERS:
        return False
    return all(
        isinstance(member, str) and member.strip() and all(map(_is_text, member.splitlines()))
        for member in value.values()
    )


_WEB_ADDRESS = (_is_web_address, "an http or https URL")
_KINDS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "profile": _WEB_ADDRESS,
    "picture": _WEB_ADDRESS,
    "website": _WEB_ADDRESS,
    "birthdate": (_is_birthdate, "YYYY-MM-DD, 0000-MM-DD or YYYY"),
    "address": (_is_address, f"an object of texts: {', '.join(sorted(_ADDRESS_MEMBERS))}"),
}


def userinfo_claims(
    *, subject: str, scopes: Iterable[str], asked: Iterable[str] = (), known: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the claims that `scopes` allow and those that were `asked` for and granted one by one (section 5.5)."""
    names = [name for scope in scopes for name in SCOPE_CLAIMS.get(scope, ())]
    return {"sub": subject, **known_claims([*names, *asked], known)}


def known_claims(names: Iterable[str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the standard claims that are known; the others are absent, never null (section 5.3.2).

    `sub` is never among them: it is not the record's but the token's.
    """
    told = {name: known.get(name) for name in names if name in _STANDARD}
    return {name: value for name, value in told.items() if value not in (None, "", {})}
