"""The operator's table from a way to sign in to its authentication context class (`acr`)."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

DEFAULT_ACR: Final[Mapping[str, str]] = {
    "email": "urn:watchword:otp:email",
    "sms": "urn:watchword:otp:phone",
    "whatsapp": "urn:watchword:otp:phone",
}
# A URI or a short name. In a request the values stand side by side, with spaces between (`acr_values`).
_VALUE = re.compile(r"[!#-\[\]-~]{1,128}")
# NIST SP 800-63B section 3.1.3.1: email must not be used for out-of-band authentication, so it meets no level.
_LEVELS: Final = ("loa", "aal")
_PHISHING_RESISTANT: Final = "phr"  # and `phrh`: no code that a person reads and types resists phishing


def _pairs(value: object) -> object:
    """Read `email=urn:x,sms=urn:y` into a mapping."""
    if not isinstance(value, str):
        return value
    pairs = [pair.strip().partition("=") for pair in value.split(",") if pair.strip()]
    if len({method for method, _, _ in pairs}) < len(pairs):
        raise ValueError("names a method twice")
    return {method.strip(): acr.strip() for method, _, acr in pairs}


def _complete(table: dict[str, str]) -> dict[str, str]:
    """Check a table; methods it leaves out keep their value."""
    for method, acr in table.items():
        if method not in DEFAULT_ACR:
            raise ValueError(f"holds {method!r}, which is none of {', '.join(DEFAULT_ACR)}")
        if not _VALUE.fullmatch(acr):
            raise ValueError(f"gives {method} no value that can be used: a URI or a short name, without spaces")
        if claimed := _claims_too_much(method, acr.lower()):
            raise ValueError(f"gives {method} a value with {claimed!r} in it, which a code sent that way never meets")
    return {**DEFAULT_ACR, **table}


def _claims_too_much(method: str, acr: str) -> str | None:
    refused = (_PHISHING_RESISTANT, *(_LEVELS if method == "email" else ()))
    return next((word for word in refused if word in acr), None)


AcrTable = Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs), AfterValidator(_complete)]
