from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.middleware.hostile import HOSTILE, Hostile
from tests.middleware.support import get, protect
from watchword_asgi import ANY, Reason, Refused
from watchword_asgi.testing import LocalIssuer, generate_signing_key
from watchword_asgi.tokens.access_token import AccessToken, verify_access_token
from watchword_asgi.tokens.jwk import parse_jwk_set


@pytest.fixture(scope="module")
def issuer() -> LocalIssuer:
    return LocalIssuer()


def verify(issuer: LocalIssuer, token: str, **options: Any) -> AccessToken:
    arguments: dict[str, Any] = {
        "expected_issuer": issuer.issuer,
        "expected_audience": frozenset({issuer.audience}),
        "now": datetime.now(UTC),
        "leeway": timedelta(seconds=30),
    }
    keys = parse_jwk_set({"keys": [key.public for key in issuer.keys]})
    return verify_access_token(token, keys, **{**arguments, **options})


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_hostile_token_is_refused_for_its_reason(case: Hostile, issuer: LocalIssuer) -> None:
    with pytest.raises(Refused) as caught:
        verify(issuer, case.forge(issuer))
    assert caught.value.reason is case.reason


async def test_every_hostile_token_gets_401_at_the_door(issuer: LocalIssuer) -> None:
    app = protect(issuer)
    for case in HOSTILE:
        token = case.forge(issuer)
        if not token.isascii() or not token.isprintable() or " " in token:
            continue  # no header can carry it
        answer = await get(app, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, case.name
        assert answer.json()["error"] == "invalid_token", case.name
        assert 'error="invalid_token"' in answer.headers["www-authenticate"], case.name


def test_the_corpus_has_no_two_cases_of_one_name() -> None:
    assert len({case.name for case in HOSTILE}) == len(HOSTILE) >= 60


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "Ed25519"])
def test_a_good_token_is_verified_with_every_allowed_algorithm(algorithm: str) -> None:
    issuer = LocalIssuer(algorithm=algorithm)
    token = verify(issuer, issuer.token(scope="read write", roles=["staff"], groups=[{"value": "g1"}, 5]))
    assert token.subject == "ada"
    assert token.scopes == {"read", "write"}
    assert (token.roles, token.groups, token.permissions) == (("staff",), ("g1",), ())


def test_the_old_name_of_ed25519_is_accepted_on_its_keys() -> None:
    issuer = LocalIssuer(algorithm="Ed25519")
    assert verify(issuer, issuer.token(header={"alg": "EdDSA"})).subject == "ada"


def test_one_audience_of_several_is_enough(issuer: LocalIssuer) -> None:
    assert verify(issuer, issuer.token(aud=["https://other.test", issuer.audience])).subject == "ada"


def test_any_audience_passes_only_where_any_is_spelled_out(issuer: LocalIssuer) -> None:
    assert verify(issuer, issuer.token(aud="https://other.test"), expected_audience=ANY).subject == "ada"


def test_the_type_is_compared_without_case_and_with_its_long_name(issuer: LocalIssuer) -> None:
    assert verify(issuer, issuer.token(header={"typ": "application/AT+jwt"})).subject == "ada"


def test_times_are_compared_with_leeway(issuer: LocalIssuer) -> None:
    now = datetime.now(UTC)
    token = issuer.token(exp=int(now.timestamp()) - 20)
    assert verify(issuer, token, now=now).subject == "ada"
    with pytest.raises(Refused, match=Reason.EXPIRED):
        verify(issuer, token, now=now, leeway=timedelta(0))


def test_a_token_without_kid_is_taken_only_when_one_key_fits(issuer: LocalIssuer) -> None:
    lonely = LocalIssuer()
    token = lonely.token(header={"kid": None})
    assert verify(lonely, token).subject == "ada"
    lonely.keys.append(generate_signing_key("ES256"))
    with pytest.raises(Refused, match=Reason.UNKNOWN_KEY):
        verify(lonely, token)


def test_keys_that_share_a_kid_are_tried_in_turn() -> None:
    issuer = LocalIssuer()
    twin = generate_signing_key("ES256", issuer.keys[0].kid)
    token = issuer.token(key=twin)
    issuer.keys.append(twin)
    assert verify(issuer, token).subject == "ada"


@pytest.mark.parametrize("typ", [None, "JWT"])
def test_an_untyped_token_passes_only_where_that_is_allowed(issuer: LocalIssuer, typ: str | None) -> None:
    token = issuer.token(header={"typ": typ}, client_id=None, azp="spa", jti=None)
    assert verify(issuer, token, allow_untyped=True).client_id == "spa"
    with pytest.raises(Refused, match=Reason.WRONG_TYPE):
        verify(issuer, token)


@pytest.mark.parametrize(
    "mark",
    [
        *({"nonce": "n"}, {"at_hash": "h"}, {"c_hash": "h"}, {"token_use": "id"}),
        *({"typ": kind} for kind in ("ID", "Refresh", "Offline", "Logout")),
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ],
)
def test_other_tokens_are_told_apart_even_where_types_are_not_marked(issuer: LocalIssuer, mark: dict[str, Any]) -> None:
    token = issuer.token(header={"typ": "JWT"}, **mark)
    with pytest.raises(Refused, match=Reason.WRONG_TYPE):
        verify(issuer, token, allow_untyped=True)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scp": "notes:read notes:write"}, {"notes:read", "notes:write"}),  # Entra
        ({"scp": ["notes:read", "openid"], "cid": "spa"}, {"notes:read", "openid"}),  # Okta
        ({"scope": "notes:read", "scp": "admin"}, {"notes:read"}),
        ({"typ": "Bearer", "scope": "openid"}, {"openid"}),  # Keycloak
    ],
)
def test_scopes_of_issuers_without_types_are_read(
    issuer: LocalIssuer, claims: dict[str, Any], scopes: set[str]
) -> None:
    token = issuer.token(header={"typ": "JWT"}, **{"scope": None, **claims})
    assert verify(issuer, token, allow_untyped=True).scopes == scopes


def test_scp_means_nothing_in_a_typed_token(issuer: LocalIssuer) -> None:
    assert verify(issuer, issuer.token(scope=None, scp=["admin"])).scopes == frozenset()


def test_claims_cannot_be_changed_by_one_request_for_the_next(issuer: LocalIssuer) -> None:
    token = verify(issuer, issuer.token())
    with pytest.raises(TypeError):
        token.claims["sub"] = "eve"  # type: ignore[index]


def test_neither_token_nor_claims_show_in_a_repr(issuer: LocalIssuer) -> None:
    token = issuer.token(email="ada@example.test")
    assert "ada@example.test" not in repr(verify(issuer, token))
