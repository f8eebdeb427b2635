"""oauth4webapi from npm, message by message, against the real provider."""

import os
from typing import Any

import pytest

from tests.independent import flows
from tests.independent.flows import CHALLENGED, Play, redirected, refused
from tests.independent.node import Workshop
from tests.independent.recipes import Recipe
from tests.support.certificates import Certificate
from tests.support.provider import RunningProvider

AUDIENCE = "https://notes.oauth4webapi.example"


@pytest.fixture
def play(workshop: Workshop, provider: RunningProvider, dara: None) -> Play:
    """Run one flow of the script."""

    async def play(flow: str, **settings: Any) -> dict[str, Any]:
        return await workshop.play(
            "oauth4webapi.mjs", flow, provider=provider, identifier=flows.ADDRESS, settings=settings
        )

    return play


async def test_the_recipe_signs_in_refreshes_calls_an_api_and_signs_out(
    play: Play, workshop: Workshop, provider: RunningProvider
) -> None:
    recipe = Recipe("oauth4webapi")
    workshop.write("recipe_oauth4webapi.mjs", recipe.text("javascript", provider))
    result = await play("recipe", client=recipe.register(provider))
    assert result["profile"]["email"] == flows.ADDRESS
    assert result["claims"]["aud"] == "https://notes.example.com"
    assert result["landed"] == flows.GOODBYE
    assert result["after"]["code"] == CHALLENGED


async def test_it_discovers_the_same_by_either_document(play: Play, provider: RunningProvider) -> None:
    result = await play("metadata")
    assert result["metadata"]["issuer"] == provider.issuer
    assert set(flows.ALGORITHMS) == set(result["metadata"]["id_token_signing_alg_values_supported"])
    assert len(set(result["kids"])) == len(result["kids"]) > 0


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
async def test_it_signs_in_refreshes_asks_and_signs_out(play: Play, method: str) -> None:
    await flows.check_everyday(play, method)


@pytest.mark.parametrize("algorithm", flows.ALGORITHMS)
async def test_it_verifies_what_is_signed_as_it_registered(play: Play, algorithm: str) -> None:
    found = await flows.check_signed(play, algorithm)
    assert found["userinfo"] == algorithm


@pytest.mark.parametrize("algorithm", flows.KEYS)
async def test_it_authenticates_by_a_key_of_its_own(play: Play, algorithm: str) -> None:
    await flows.check_private_key_jwt(play, algorithm)


async def test_it_authenticates_by_a_key_that_it_publishes(play: Play, certificate: Certificate) -> None:
    files = {"chain": os.fspath(certificate.chain), "key": os.fspath(certificate.key)}
    result = await play("published_key", certificate=files)
    assert result["profile"]["email"] == flows.ADDRESS


async def test_it_revokes_and_introspects(play: Play) -> None:
    await flows.check_revocation(play)


async def test_it_gets_the_claims_it_asks_for(play: Play) -> None:
    await flows.check_claims(play)


async def test_it_reads_an_answer_that_is_posted(play: Play) -> None:
    await flows.check_form_post(play)


async def test_it_asks_without_showing_a_page(play: Play) -> None:
    await flows.check_silence(play)


async def test_it_learns_that_the_person_cancelled(play: Play) -> None:
    await flows.check_cancelling(play)


async def test_every_refusal_reaches_its_caller_as_a_typed_error(play: Play) -> None:
    found = await play("refusals")
    assert found["state"]["code"] == "OAUTH_INVALID_RESPONSE"
    assert found["verifier"] == refused("invalid_grant")
    assert found["secret"] == refused("invalid_client", 401)
    assert found["scope"] == refused("invalid_scope")
    assert found["resource"] == refused("invalid_target")
    assert found["revocation"] == refused("invalid_client", 401)
    assert found["introspection"] == refused("invalid_client", 401)
    assert found["profile"]["type"] == "WWWAuthenticateChallengeError"
    assert found["object"] == redirected("request_not_supported")
    assert found["claims"] == redirected("invalid_request")
    assert found["registration"] == refused("invalid_client_metadata")
    assert found["afterwards"]["email"] == flows.ADDRESS


async def test_a_code_sent_again_without_its_verifier_ends_what_it_gave(play: Play) -> None:
    result = await play("theft")
    assert result["stolen"] == refused("invalid_grant")
    assert result["access"]["code"] == CHALLENGED
    assert result["refresh"] == refused("invalid_grant")


async def test_an_api_judges_an_access_token_by_its_signature(play: Play, provider: RunningProvider) -> None:
    provider.add_resource(AUDIENCE, "notes:read")
    machine = provider.add_client("--name", "Robot", "--grant", "client_credentials", "--scope", "notes:read")
    credentials = {"clientId": machine["client_id"], "clientSecret": machine["client_secret"]}
    result = await play("client_credentials", audience=AUDIENCE, **credentials)
    assert result["claims"]["client_id"] == machine["client_id"]
    assert result["claims"]["aud"] == AUDIENCE
    assert result["elsewhere"]["code"] == "OAUTH_JWT_CLAIM_COMPARISON_FAILED"
