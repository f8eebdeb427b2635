"""The `claims` parameter: claims asked for one by one (OpenID Connect Core section 5.5)."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from watchword.protocol.errors import InvalidRequest
from watchword.protocol.strict_json import parse_json_object
from watchword.protocol.vocabulary import SCOPE_CLAIMS

LONGEST = 4096  # characters

# What the account holder tells about themselves, and the scope that gives it too.
SCOPE_OF_CLAIM: Final[Mapping[str, str]] = {
    claim: scope for scope, claims in SCOPE_CLAIMS.items() if scope != "openid" for claim in claims
}
_ABOUT_THE_SIGN_IN: Final = frozenset({"sub", "acr"})
_MEMBERS: Final = ("userinfo", "id_token")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of one claim. `values`: those that would do, any when there are none."""

    essential: bool = False
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """Which claims are asked for at /userinfo and in the ID token, by name.

    Claims about the account are there as far as the client may have them. `sub` and `acr` are not told, they demand
    something of the sign-in: see `subjects` and `acr`.
    """

    userinfo: Mapping[str, Wanted] = field(default_factory=dict)
    id_token: Mapping[str, Wanted] = field(default_factory=dict)
    subjects: frozenset[str] | None = None
    acr: Wanted | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The claims about the account that are asked for in either place, each once."""
        return tuple(dict.fromkeys((*self.userinfo, *self.id_token)))


NOTHING_ASKED: Final = ClaimsRequest()


def parse_claims_request(text: str | None, scopes: Collection[str]) -> ClaimsRequest:
    """Read the parameter. Members and claims nobody here knows are ignored, as are those beyond the client's `scopes`.

    Raises:
        InvalidRequest: it is no JSON object of the form that OpenID Connect Core section 5.5 gives.
    """
    if text is None:
        return NOTHING_ASKED
    document = _document(text)
    asked = {member: _members(document, member) for member in _MEMBERS}
    userinfo, id_token = (
        {name: wanted for name, wanted in asked[member].items() if SCOPE_OF_CLAIM.get(name) in scopes}
        for member in _MEMBERS
    )
    named = [wanted.values for member in _MEMBERS if (wanted := asked[member].get("sub")) and wanted.values]
    return ClaimsRequest(
        userinfo,
        id_token,
        subjects=frozenset.intersection(*map(frozenset, named)) if named else None,
        acr=asked["id_token"].get("acr"),
    )


def write_claims_request(request: ClaimsRequest) -> str | None:
    """Write the claims about the account as canonical JSON, to be kept with a grant. None when none is asked for."""
    asked = {
        member: {name: _written(wanted) for name, wanted in claims.items()}
        for member, claims in (("userinfo", request.userinfo), ("id_token", request.id_token))
        if claims
    }
    return json.dumps(asked, sort_keys=True, separators=(",", ":")) if asked else None


def read_claims_request(text: str | None) -> ClaimsRequest:
    """Read back what `write_claims_request` wrote."""
    if text is None:
        return NOTHING_ASKED
    kept = json.loads(text)
    userinfo, id_token = (
        {name: _wanted(name, value) for name, value in kept.get(member, {}).items()} for member in _MEMBERS
    )
    return ClaimsRequest(userinfo, id_token)


def _document(text: str) -> dict[str, Any]:
    try:
        return parse_json_object(text.encode())
    except ValueError as problem:
        raise InvalidRequest("The parameter claims is not a valid JSON object.", detail=str(problem)[:80]) from None


def _members(document: dict[str, Any], member: str) -> dict[str, Wanted]:
    claims = document.get(member)
    if claims is None:
        return {}
    if not isinstance(claims, dict):
        raise InvalidRequest(f"The member {member} of claims must be a JSON object.")
    wanted = {name: _wanted(name, value) for name, value in claims.items()}
    return {name: each for name, each in wanted.items() if name in SCOPE_OF_CLAIM or name in _ABOUT_THE_SIGN_IN}


def _wanted(name: str, value: object) -> Wanted:
    """Read what is asked of one claim: null, or an object of which three members have a meaning (section 5.5.1)."""
    if value is None:
        return Wanted()
    if not isinstance(value, dict):
        raise InvalidRequest("In claims each claim is null or a JSON object.")
    essential, values = value.get("essential", False), value.get("values", [])
    if not isinstance(essential, bool) or not isinstance(values, list):
        raise InvalidRequest("In claims essential must be true or false, and values an array.")
    wanted = Wanted(essential, (*([value["value"]] if "value" in value else []), *values))
    if name in _ABOUT_THE_SIGN_IN and not all(isinstance(each, str) for each in wanted.values):
        raise InvalidRequest(f"In claims the values of {name} must be strings.")
    return wanted


def _written(wanted: Wanted) -> dict[str, Any] | None:
    written: dict[str, Any] = {"essential": True} if wanted.essential else {}
    if wanted.values:
        written["values"] = list(wanted.values)
    return written or None
