"""openid-client from npm, by its own discovery, against the real provider."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.independent import flows
from tests.independent.flows import CHALLENGED, Play, redirected, refused
from tests.independent.node import Workshop
from tests.independent.recipes import Recipe
from tests.support.provider import RunningProvider

CALLBACK = "https://app.example.com/callback"
AUDIENCE = "https://notes.openid-client.example"


@pytest.fixture
def play(workshop: Workshop, provider: RunningProvider, dara: None) -> Play:
    """Run one flow of the script."""

    async def play(flow: str, **settings: Any) -> dict[str, Any]:
        return await workshop.play(
            "openid_client.mjs", flow, provider=provider, identifier=flows.ADDRESS, settings=settings
        )

    return play


async def test_the_recipe_signs_in_refreshes_and_signs_out(
    play: Play, workshop: Workshop, provider: RunningProvider
) -> None:
    recipe = Recipe("openid-client")
    workshop.write("recipe_openid_client.mjs", recipe.text("javascript", provider))
    result = await play("recipe", client=recipe.register(provider))
    assert result["profile"]["email"] == flows.ADDRESS
    assert result["landed"] == flows.GOODBYE
    assert result["after"]["code"] == CHALLENGED


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
async def test_it_signs_in_refreshes_asks_and_signs_out(play: Play, method: str) -> None:
    await flows.check_everyday(play, method)


@pytest.mark.parametrize("algorithm", flows.ALGORITHMS)
async def test_it_verifies_what_is_signed_as_it_registered(play: Play, algorithm: str) -> None:
    await flows.check_signed(play, algorithm)


@pytest.mark.parametrize("algorithm", flows.KEYS)
async def test_it_authenticates_by_a_key_of_its_own(play: Play, algorithm: str) -> None:
    await flows.check_private_key_jwt(play, algorithm)


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


async def test_a_resource_asks_about_a_token_and_a_stranger_learns_nothing(
    play: Play, provider: RunningProvider
) -> None:
    scopes = ["--scope", "openid", "--scope", "notes:read"]
    with ThreadPoolExecutor() as pool:
        adding = pool.submit(provider.add_client, "--name", "Notes", "--redirect-uri", CALLBACK, *scopes)
        api = provider.add_client("--name", "Notes API", "--grant", "client_credentials")
        provider.add_resource(AUDIENCE, "notes:read", client=api["client_id"])
        client = adding.result()
    result = await play(
        "introspection_by_a_resource",
        audience=AUDIENCE,
        clientId=client["client_id"],
        clientSecret=client["client_secret"],
        resourceId=api["client_id"],
        resourceSecret=api["client_secret"],
    )
    assert result["answer"]["active"] is True
    assert result["answer"]["client_id"] == client["client_id"]
    assert "notes:read" in result["answer"]["scope"].split()
    assert result["stranger"] == {"active": False}


async def test_every_refusal_reaches_its_caller_as_a_typed_error(play: Play) -> None:
    found = await play("refusals")
    assert found["verifier"] == refused("invalid_grant")
    assert found["secret"] == refused("invalid_client", 401)
    assert found["scope"] == refused("invalid_scope")
    assert found["grant"] == refused("unsupported_grant_type")
    assert found["token"] == refused("invalid_grant")
    assert found["registration"] == refused("invalid_redirect_uri")
    assert found["profile"]["type"] == "WWWAuthenticateChallengeError"
    assert found["profile"]["status"] == 401
    assert found["response"] == redirected("unsupported_response_type")
    assert found["object"] == redirected("request_not_supported")
