"""The `claims` parameter, read strictly and kept canonically."""

import json
from typing import Any

import pytest

from watchword.protocol.claims_request import (
    NOTHING_ASKED,
    Wanted,
    parse_claims_request,
    read_claims_request,
    write_claims_request,
)
from watchword.protocol.errors import InvalidRequest
from watchword.protocol.vocabulary import OPENID_SCOPES


def parsed(document: Any) -> Any:
    return parse_claims_request(json.dumps(document), OPENID_SCOPES)


def test_the_example_of_the_specification_is_read() -> None:
    asked = parsed(
        {
            "userinfo": {
                "given_name": {"essential": True},
                "nickname": None,
                "email": {"essential": True},
                "email_verified": {"essential": True},
                "picture": None,
                "http://example.info/claims/groups": None,
            },
            "id_token": {"auth_time": {"essential": True}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}},
        }
    )
    assert list(asked.userinfo) == ["given_name", "nickname", "email", "email_verified", "picture"]
    assert asked.userinfo["given_name"] == Wanted(essential=True)
    assert asked.userinfo["nickname"] == Wanted()
    assert asked.id_token == {}
    assert asked.acr == Wanted(values=("urn:mace:incommon:iap:silver",))
    assert asked.subjects is None


def test_nothing_sent_is_nothing_asked() -> None:
    assert parse_claims_request(None, OPENID_SCOPES) == NOTHING_ASKED
    ignored: list[dict[str, Any]] = [
        {}, {"userinfo": None}, {"userinfo": {}}, {"verified_claims": {"x": 1}}, {"userinfo": {"x": None}},
    ]  # fmt: skip
    for nothing in ignored:
        assert parsed(nothing) == NOTHING_ASKED
        assert write_claims_request(parsed(nothing)) is None


MALFORMED = [
    "", "x", "[]", "null", "1", '"userinfo"', "{", '{"userinfo": {}} x', '{"userinfo": {}, "userinfo": {}}',
    '{"userinfo": []}', '{"userinfo": "name"}', '{"id_token": 1}', '{"userinfo": {"name": true}}',
    '{"userinfo": {"name": "x"}}', '{"userinfo": {"name": []}}', '{"userinfo": {"name": {"essential": "yes"}}}',
    '{"userinfo": {"name": {"essential": 1}}}', '{"userinfo": {"name": {"essential": null}}}',
    '{"userinfo": {"name": {"values": "x"}}}', '{"userinfo": {"name": {"values": null}}}',
    '{"userinfo": {"unknown": 1}}', '{"id_token": {"sub": {"value": 1}}}', '{"id_token": {"acr": {"values": [1]}}}',
    '{"id_token": {"acr": {"value": null}}}', '{"userinfo": {"name": {"value": NaN}}}',
    '{"userinfo": {"name": {"value": 1e999}}}', '{"userinfo": {"name": {"value": ' + "[" * 20 + "]" * 20 + "}}}",
    '{"x": ' + "[" * 2000 + "]" * 2000 + "}",
]  # fmt: skip


@pytest.mark.parametrize("text", MALFORMED)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="claims"):
        parse_claims_request(text, OPENID_SCOPES)


def test_members_of_a_claim_that_nobody_knows_are_ignored() -> None:
    assert parsed({"userinfo": {"name": {"purpose": "why", "essential": False}}}).userinfo == {"name": Wanted()}


def test_a_value_and_values_stand_together() -> None:
    assert parsed({"id_token": {"acr": {"value": "a", "values": ["b", "c"]}}}).acr == Wanted(values=("a", "b", "c"))


def test_only_claims_of_the_given_scopes_are_kept() -> None:
    text = json.dumps({"userinfo": {"email": None, "name": None}, "id_token": {"phone_number": None, "email": None}})
    asked = parse_claims_request(text, {"openid", "email"})
    assert (list(asked.userinfo), list(asked.id_token), asked.names) == (["email"], ["email"], ("email",))
    assert parse_claims_request(text, {"openid"}) == NOTHING_ASKED


def test_subjects_are_those_that_every_member_names() -> None:
    both = {"userinfo": {"sub": {"values": ["a", "b"]}}, "id_token": {"sub": {"value": "b"}}}
    assert parsed(both).subjects == {"b"}
    assert parsed({**both, "id_token": {"sub": {"value": "c"}}}).subjects == frozenset()
    assert parsed({"id_token": {"sub": None}}).subjects is None


ABOUT: dict[str, dict[str, Any]] = {
    "userinfo": {"name": {"essential": True}, "email": None},
    "id_token": {"address": {"values": [{"country": "IN"}]}, "birthdate": {"value": "\u0915"}},
}


def test_what_is_written_is_read_back_and_canonical() -> None:
    asked = parsed({**ABOUT, "other": 1})
    written = write_claims_request(asked)
    assert written is not None
    assert written.isascii()
    assert read_claims_request(written) == asked
    swapped = {member: dict(reversed(claims.items())) for member, claims in reversed(ABOUT.items())}
    assert write_claims_request(parsed(swapped)) == written
    assert read_claims_request(None) == NOTHING_ASKED


def test_what_is_demanded_of_the_sign_in_is_not_kept() -> None:
    asked = parsed({"id_token": {"sub": {"value": "x"}, "acr": {"essential": True, "value": "y"}, "auth_time": None}})
    assert write_claims_request(asked) is None
