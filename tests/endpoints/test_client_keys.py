"""Keys that a client publishes at its `jwks_uri`: fetched when they are needed, and no more often than that."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
from joserfc.jwk import ECKey

from tests.endpoints.refusal import check_refusal
from tests.support.asserting_party import AssertingParty, asserting_party, public
from tests.support.provider import RunningProvider, running_provider
from tests.support.site import Heard, Site, running_site, sending

OLD, NEW, FOREIGN = (ECKey.generate_key("P-256") for _ in range(3))
JSON = "application/json"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def open_provider(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    """A provider that may fetch from loopback, and trusts one more authority."""
    cafile = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.cert_pem.write_to_path(str(cafile))
    with running_provider(test_limits="off", test_loopback_fetch="on", extra_ca=str(cafile)) as running:
        yield running


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Where the client publishes the old key."""
    async with running_site() as running:
        running.answers(key_set(old=OLD))
        yield running


@pytest.fixture
def party(open_provider: RunningProvider, site: Site) -> AssertingParty:
    return asserting_party(open_provider, OLD, kid="old", jwks_uri=site.url(path="/keys"))


def key_set(*nameless: ECKey, **named: ECKey) -> dict[str, Any]:
    return {"keys": [public(key, kid=kid) for kid, key in named.items()] + [public(key) for key in nameless]}


async def status(party: AssertingParty, key: ECKey | None = None, kid: str | None = "old") -> int:
    """Send a token request under a key, and see that a refusal is what it should be."""

    def send() -> httpx2.Response:
        return party.token(party.sign(party.claims(), party.header(kid=kid), key or party.key))

    answer = await asyncio.to_thread(send)
    if answer.status_code != 200:
        check_refusal(answer, 401, "invalid_client")
    return answer.status_code


async def test_keys_are_fetched_once_and_looked_at_again_after_five_minutes(site: Site, party: AssertingParty) -> None:
    assert [await status(party) for _ in range(3)] == [200] * 3
    assert [(heard.method, heard.target) for heard in site.heard] == [("GET", "/keys")]
    party.provider.advance(301)
    assert await status(party) == 200
    assert len(site.heard) == 2


async def test_a_key_without_a_kid_is_found_by_what_it_can_do(site: Site, party: AssertingParty) -> None:
    site.answers(key_set(OLD))
    assert await status(party, kid=None) == 200
    assert await status(party, kid="old") == 200


async def test_a_new_key_works_as_soon_as_it_is_used(site: Site, party: AssertingParty) -> None:
    assert await status(party) == 200
    site.answers(key_set(old=OLD, new=NEW))
    party.provider.advance(10)
    assert await status(party, NEW, "new") == 200
    assert await status(party) == 200
    assert len(site.heard) == 2


async def test_made_up_key_names_fetch_once_in_ten_seconds(site: Site, party: AssertingParty) -> None:
    assert await status(party) == 200
    for number in range(5):
        assert await status(party, FOREIGN, f"made-up-{number}") == 401
    assert len(site.heard) == 1
    party.provider.advance(10)
    for number in range(5):
        assert await status(party, FOREIGN, f"made-up-{number}") == 401
    assert len(site.heard) == 2
    assert await status(party) == 200


async def test_a_wrong_signature_fetches_nothing(site: Site, party: AssertingParty) -> None:
    assert await status(party) == 200
    party.provider.advance(60)
    assert await status(party, FOREIGN) == 401
    assert len(site.heard) == 1


async def test_many_at_once_fetch_once(site: Site, party: AssertingParty) -> None:
    here = asyncio.Event()

    async def late(heard: Heard, writer: asyncio.StreamWriter) -> None:
        here.set()
        await let_go.wait()
        await sending(200, json.dumps(key_set(old=OLD)).encode(), content_type=JSON)(heard, writer)

    let_go, site.reply = asyncio.Event(), late
    form = {"grant_type": "client_credentials"}
    forms = [form | await asyncio.to_thread(party.form) for _ in range(20)]
    async with httpx2.AsyncClient(base_url=party.provider.issuer, timeout=30) as http:
        tasks = [asyncio.create_task(http.post("/token", data=each)) for each in forms]
        await here.wait()
        assert (await http.get("/healthz")).status_code == 200  # nobody else waits
        let_go.set()
        assert [answer.status_code for answer in await asyncio.gather(*tasks)] == [200] * 20
    assert len(site.heard) == 1


async def test_known_keys_work_for_an_hour_while_the_site_does_not(site: Site, party: AssertingParty) -> None:
    assert await status(party) == 200
    site.reply = sending(503)
    for _ in range(6):
        party.provider.advance(590)
        assert await status(party) == 200
    party.provider.advance(61)
    assert await status(party) == 401
    site.answers(key_set(old=OLD))
    party.provider.advance(10)
    assert await status(party) == 200


async def test_a_key_that_was_taken_away_is_dead_within_five_minutes(site: Site, party: AssertingParty) -> None:
    assert await status(party) == 200
    site.answers(key_set(new=NEW))
    party.provider.advance(301)
    assert await status(party) == 401
    assert await status(party, NEW, "new") == 200


async def test_a_site_that_failed_is_asked_again_after_ten_seconds(site: Site, party: AssertingParty) -> None:
    site.reply = sending(500)
    assert [await status(party) for _ in range(3)] == [401] * 3
    assert len(site.heard) == 1
    site.answers(key_set(old=OLD))
    party.provider.advance(10)
    assert await status(party) == 200


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(sending(302, location="http://127.0.0.1:1/keys"), id="a redirect"),
        pytest.param(sending(404, b"{}", content_type=JSON), id="not there"),
        pytest.param(sending(200, b"<html>", content_type="text/html"), id="a page"),
        pytest.param(sending(200, b"[]", content_type=JSON), id="an array"),
        pytest.param(sending(200, b'{"keys": 1}', content_type=JSON), id="no keys"),
        pytest.param(sending(200, b'{"keys": []}', content_type=JSON), id="an empty set"),
        pytest.param(
            sending(200, json.dumps(key_set(*[OLD] * 21)).encode(), content_type=JSON),
            id="more keys than anybody needs",
        ),
        pytest.param(
            sending(200, json.dumps(key_set(old=OLD) | {"x": "x" * 65536}).encode(), content_type=JSON), id="too long"
        ),
        pytest.param(
            sending(200, json.dumps({"keys": [OLD.as_dict(private=True)]}).encode(), content_type=JSON),
            id="a private key",
        ),
    ],
)
async def test_a_site_that_gives_no_keys_signs_nobody_in(site: Site, party: AssertingParty, reply: Any) -> None:
    site.reply = reply
    assert await status(party) == 401
    rows = party.provider.rows(
        "SELECT detail FROM audit_event WHERE name = 'client.auth_failed' AND client_id = :client_id",
        client_id=party.client_id,
    )
    assert "no key of the client" in rows[-1]["detail"]


async def test_keys_that_cannot_be_used_cost_nobody_the_others(site: Site, party: AssertingParty) -> None:
    others = [FOREIGN.as_dict(private=True), {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "AKP"}, {"kty": "RSA", "n": "AQ"}]
    site.answers({"keys": [*others, *key_set(old=OLD)["keys"]]})
    assert await status(party) == 200
    assert await status(party, FOREIGN, None) == 401


async def test_a_client_that_authenticates_otherwise_makes_nobody_fetch(
    open_provider: RunningProvider, site: Site
) -> None:
    other = asserting_party(open_provider, OLD, jwks_uri=site.url(), token_endpoint_auth_method="client_secret_basic")
    assert await status(other) == 401
    assert site.connections == 0


async def test_keys_come_over_tls_by_name(
    open_provider: RunningProvider, authority: trustme.CA, tmp_path: Path
) -> None:
    async with running_site("localhost", folder=tmp_path, authority=authority) as site:
        site.answers(key_set(OLD))
        party = asserting_party(open_provider, OLD, jwks_uri=site.url("localhost"))
        assert await status(party, kid=None) == 200
        assert site.heard[0].tls == "TLSv1.3"
        by_address = asserting_party(open_provider, OLD, jwks_uri=site.url("127.0.0.1"))
        assert await status(by_address, kid=None) == 401  # the certificate is for the name
    (tmp_path / "other").mkdir()
    async with running_site("localhost", folder=tmp_path / "other") as site:
        site.answers(key_set(OLD))
        assert await status(asserting_party(open_provider, OLD, jwks_uri=site.url("localhost")), kid=None) == 401
        assert site.heard == []


async def test_without_the_switch_nothing_on_this_machine_is_ever_connected_to(
    provider: RunningProvider, site: Site
) -> None:
    for url in ("https://localhost/keys", "https://localhost:8443/keys", "https://127.0.0.1/keys", "https://[::1]/"):
        assert await status(asserting_party(provider, OLD, jwks_uri=url), kid=None) == 401
    metadata = {"token_endpoint_auth_method": "private_key_jwt", "redirect_uris": ["https://rp.example/callback"]}
    answer = httpx2.post(f"{provider.issuer}/register", json=metadata | {"jwks_uri": site.url()})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert site.connections == 0


def test_logos_and_pages_of_a_client_are_never_fetched(open_provider: RunningProvider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        page = f"http://127.0.0.1:{listening.getsockname()[1]}/page"
        names = ("logo_uri", "client_uri", "policy_uri", "tos_uri")
        metadata = {"redirect_uris": ["http://127.0.0.1:8999/callback"], **dict.fromkeys(names, page)}
        client = httpx2.post(f"{open_provider.issuer}/register", json=metadata).json()
        assert client["logo_uri"] == page
        request = {"client_id": client["client_id"], "redirect_uri": metadata["redirect_uris"][0], "scope": "openid"}
        asked = httpx2.get(
            f"{open_provider.issuer}/authorize",
            params=request | {"response_type": "code"},
            headers={"accept": "text/html"},
            follow_redirects=True,
        )
        assert asked.status_code == 200
        with pytest.raises(BlockingIOError):
            listening.accept()
