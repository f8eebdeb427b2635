"""Claims that several kinds of token share (RFC 7519 section 4)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from ..errors import Reason, Refused

_LAST_SECOND = 253402300799  # of the year 9999, the last that a datetime can hold
_NUMBER = (int, float)  # bool is told apart before


def require_text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that must be a text with something in it."""
    value = claims.get(name)
    if value is None:
        raise Refused(Reason.CLAIM_MISSING)
    if not isinstance(value, str) or not value:
        raise Refused(Reason.CLAIM_INVALID)
    return value


def parse_time(claims: Mapping[str, Any], name: str) -> datetime | None:
    """A NumericDate (RFC 7519 section 2), None when absent. Texts, booleans and years beyond 9999 are refused."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not 0 < value <= _LAST_SECOND:
        raise Refused(Reason.CLAIM_INVALID)
    return datetime.fromtimestamp(value, UTC)


def require_time(claims: Mapping[str, Any], name: str) -> datetime:
    """A NumericDate that must be there."""
    value = parse_time(claims, name)
    if value is None:
        raise Refused(Reason.CLAIM_MISSING)
    return value


def require_audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The `aud` claim, one text or a list of texts."""
    value = claims.get("aud")
    if value is None:
        raise Refused(Reason.CLAIM_MISSING)
    listed = cast("list[object]", value if isinstance(value, list) else [value])
    texts = tuple(each for each in listed if isinstance(each, str) and each)
    if not texts or len(texts) != len(listed):
        raise Refused(Reason.CLAIM_INVALID)
    return texts


def parse_names(value: object) -> tuple[str, ...]:
    """Roles, groups or permissions: texts, or SCIM objects with a `value` (RFC 9068 section 2.2.3.1).

    Members of another shape give nothing, which can only take rights away.
    """
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        return ()
    names: list[str] = []
    for each in cast("list[object]", value):
        name = cast("dict[str, object]", each).get("value") if isinstance(each, dict) else each
        if isinstance(name, str):
            names.append(name)
    return tuple(names)


def check_times(
    now: datetime, leeway: timedelta, *, expires_at: datetime, not_before: datetime | None, issued_at: datetime | None
) -> None:
    """Compare a token's times with now. The clocks may differ by `leeway`."""
    if now >= expires_at + leeway:
        raise Refused(Reason.EXPIRED)
    latest = now + leeway
    if (not_before is not None and latest < not_before) or (issued_at is not None and latest < issued_at):
        raise Refused(Reason.NOT_YET_VALID)
