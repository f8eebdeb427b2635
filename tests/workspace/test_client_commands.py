"""`watchword clients` and `watchword registration-tokens`: what the operator says stands; refusals are one line."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey

from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import RelyingParty
from tests.support.secrecy import remember_secret
from tests.workspace.test_commands import command, refusal

CALLBACK = "https://rp.example/cb"
KEYS = {"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningProvider]:
    with running_provider(test_limits="off") as started:
        yield started


def told(provider: RunningProvider, *arguments: str) -> Any:
    done = provider.command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    if "client_secret" in answer:
        remember_secret(answer["client_secret"])
    return answer


def test_every_option_of_clients_add_becomes_metadata(running: RunningProvider) -> None:
    client = told(
        running, "clients", "add", "--name", "Bücher", "--redirect-uri", CALLBACK, "--redirect-uri", CALLBACK + "2",
        "--post-logout-redirect-uri", "https://rp.example/bye", "--first-party", "--grant", "authorization_code",
        "--profile", "oidc", "--no-pkce", "--scope", "openid", "--scope", "notes:read",
        "--logo-uri", "https://rp.example/logo.png", "--backchannel-logout-uri", "https://rp.example/back",
        "--frontchannel-logout-uri", "https://rp.example/front",
    )  # fmt: skip
    shown = told(running, "clients", "show", client["client_id"])
    for answer in (client, shown):
        assert answer["client_name"] == "Bücher"
        assert answer["redirect_uris"] == [CALLBACK, CALLBACK + "2"]
        assert answer["post_logout_redirect_uris"] == ["https://rp.example/bye"]
        assert answer["grant_types"] == ["authorization_code"]
        assert (answer["first_party"], answer["pkce_required"]) == (True, False)
        assert answer["scope"] == "notes:read openid"
        assert answer["logo_uri"] == "https://rp.example/logo.png"
        assert answer["backchannel_logout_uri"] == "https://rp.example/back"
        assert answer["frontchannel_logout_uri"] == "https://rp.example/front"
    assert client["client_secret"]
    assert client["client_secret"] not in json.dumps(shown)
    assert "client_secret" not in shown
    assert shown["client_secrets"] == [{"expires_at": None}]
    assert shown["registered_by"] == "operator"
    assert told(running, "clients", "list")[-1]["client_id"] == client["client_id"]


def test_a_public_client_has_no_secret_and_refreshes_by_default(running: RunningProvider) -> None:
    client = told(running, "clients", "add", "--name", "App", "--redirect-uri", "com.example.app:/cb", "--public")
    assert client["token_endpoint_auth_method"] == "none"
    assert client["grant_types"] == ["authorization_code", "refresh_token"]
    assert (client["application_type"], client["pkce_required"]) == ("native", True)
    assert "client_secret" not in client


def test_metadata_from_a_file_brings_keys_in_place_of_a_secret(running: RunningProvider, tmp_path: Path) -> None:
    metadata = {
        "client_name": "Keys",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": KEYS,
        "default_resource": "https://notes.example",
        "first_party": True,
        "initiate_login_uri": "https://rp.example/login",
    }
    file = tmp_path / "client.json"
    file.write_text(json.dumps(metadata))
    client = told(running, "clients", "add", "--metadata", str(file))
    assert {name: client[name] for name in metadata} == metadata
    assert "client_secret" not in client


async def test_an_update_replaces_the_metadata_and_gives_a_secret_where_one_is_needed(
    running: RunningProvider, tmp_path: Path
) -> None:
    file = tmp_path / "client.json"
    client = told(running, "clients", "add", "--name", "Before", "--redirect-uri", CALLBACK, "--first-party")
    party = RelyingParty(running, client["client_id"], client["client_secret"])

    def update(**metadata: object) -> Any:
        file.write_text(json.dumps({"client_name": "After", "redirect_uris": [CALLBACK]} | metadata))
        return told(running, "clients", "update", client["client_id"], "--metadata", str(file))

    kept = update()
    assert (kept["client_name"], kept["first_party"]) == ("After", True)
    assert "client_secret" not in kept
    assert (await party.token(grant_type="authorization_code", code="x")).json()["error"] == "invalid_grant"
    public = update(token_endpoint_auth_method="none", first_party=False)
    assert (public["first_party"], public["token_endpoint_auth_method"]) == (False, "none")
    assert told(running, "clients", "show", client["client_id"])["client_secrets"] == []
    again = update()
    assert again["client_secret"] != client["client_secret"]
    (changed,) = running.rows("SELECT DISTINCT detail FROM audit_event WHERE name = 'client.changed'")
    assert json.loads(changed["detail"]) == {"changed_by": "operator"}


def test_what_the_operator_wrote_is_not_written_over_by_who_registered_it(
    running: RunningProvider, tmp_path: Path
) -> None:
    client = httpx2.post(f"{running.issuer}/register", json={"redirect_uris": [CALLBACK]}).json()
    bearer = {"authorization": f"Bearer {remember_secret(client['registration_access_token'])}"}
    remember_secret(client["client_secret"])
    assert httpx2.get(client["registration_client_uri"], headers=bearer).status_code == 200
    file = tmp_path / "client.json"
    file.write_text(json.dumps({"redirect_uris": [CALLBACK], "first_party": True}))
    told(running, "clients", "update", client["client_id"], "--metadata", str(file))
    assert told(running, "clients", "show", client["client_id"])["registered_by"] == "operator"
    document = {"client_id": client["client_id"], "redirect_uris": ["https://evil.example/"]}
    for method in ("GET", "PUT", "DELETE"):
        answer = httpx2.request(method, client["registration_client_uri"], headers=bearer, json=document)
        assert answer.status_code == 401


def test_the_commands_know_no_client_that_is_not_there(running: RunningProvider, tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    file.write_text(json.dumps({"redirect_uris": [CALLBACK]}))
    for arguments in (["show", "c_x"], ["remove", "c_x"], ["update", "c_x", "--metadata", str(file)]):
        assert refusal(running.command("clients", *arguments)) == "watchword: no client c_x"
    for token_id in ("x", "5c7f1f52-1a53-4bf0-9a0a-6c8d6c0e0d3e"):
        removed = running.command("registration-tokens", "remove", token_id)
        assert refusal(removed) == "watchword: no such token"


def test_the_provider_itself_is_no_protected_resource(running: RunningProvider) -> None:
    done = running.command("resources", "add", "--audience", running.issuer, "--scope", "notes:read")
    assert "the provider's own issuer" in refusal(done)
    assert running.issuer not in {each["audience"] for each in told(running, "resources", "list")}


def test_what_people_read_is_one_line_for_each_member_without_our_own_syntax(running: RunningProvider) -> None:
    client = told(running, "clients", "add", "--name", "Lines", "--redirect-uri", CALLBACK, "--first-party")
    lines = running.command("clients", "show", client["client_id"]).stdout.splitlines()
    assert {"client_name: Lines", f"redirect_uris: {CALLBACK}", "first_party: true", "post_logout_redirect_uris:"} < {
        *lines
    }
    assert 'client_secrets: {"expires_at": null}' in lines


def test_metadata_of_another_client_replaces_nothing(running: RunningProvider, tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    client = told(running, "clients", "add", "--name", "Mine", "--redirect-uri", CALLBACK)
    shown = told(running, "clients", "show", client["client_id"])
    file.write_text(json.dumps(shown | {"client_id": "c_other", "client_name": "Theirs"}))
    done = running.command("clients", "update", client["client_id"], "--metadata", str(file))
    assert "is about another client, c_other" in refusal(done)
    file.write_text(json.dumps(shown | {"client_name": "Still mine"}))
    updated = told(running, "clients", "update", client["client_id"], "--metadata", str(file))
    assert updated["client_name"] == "Still mine"


def test_a_token_is_made_listed_and_removed(running: RunningProvider) -> None:
    options = ["--uses", "3", "--lifetime", "600", "--scope", "openid", "--redirect-host", "rp.example"]
    made = told(running, "registration-tokens", "add", *options)
    token = remember_secret(made["initial_access_token"])
    assert len(token) == 43

    def register() -> int:
        headers = {"authorization": f"Bearer {token}"}
        answer = httpx2.post(f"{running.issuer}/register", json={"redirect_uris": [CALLBACK]}, headers=headers)
        return answer.status_code

    assert register() == 201
    (listed,) = told(running, "registration-tokens", "list")
    assert (listed["id"], listed["uses_left"]) == (made["id"], 2)
    assert (listed["scopes"], listed["redirect_hosts"]) == (["openid"], ["rp.example"])
    assert token not in json.dumps(listed)
    lasts = datetime.fromisoformat(listed["expires_at"]) - datetime.fromisoformat(listed["created_at"])
    assert lasts.total_seconds() == 600
    assert running.command("registration-tokens", "remove", made["id"]).stdout == f"Removed {made['id']}.\n"
    assert register() == 401


def test_a_sector_that_cannot_be_read_is_one_line_too(running: RunningProvider, tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    metadata = {"redirect_uris": [CALLBACK], "subject_type": "pairwise", "sector_identifier_uri": "https://10.0.0.1/"}
    file.write_text(json.dumps(metadata))
    done = running.command("clients", "add", "--metadata", str(file))
    assert refusal(done).startswith("watchword: sector_identifier_uri cannot be read. ")


REFUSED: list[tuple[str, list[str], str]] = [
    ("no name", ["--redirect-uri", CALLBACK], "give the client a --name"),
    ("a fragment", ["--name", "X", "--redirect-uri", CALLBACK + "#x"], "fragment"),
    ("no redirect URI", ["--name", "X"], "at least one redirect URI"),
    ("a profile we lack", ["--name", "X", "--redirect-uri", CALLBACK, "--profile", "x"], "profile x is not known"),
    ("a front-channel elsewhere",
     ["--name", "X", "--redirect-uri", CALLBACK, "--frontchannel-logout-uri", "https://b.example/"], "redirect URI"),
    ("no such file", ["--metadata", "nowhere.json"], "cannot read nowhere.json: No such file or directory"),
    ("a file and a name", ["--metadata", "x.json", "--name", "X"], "in place of the other options"),
    ("a file and a scope", ["--metadata", "x.json", "--scope", "openid"], "in place of the other options"),
    ("a file and --public", ["--metadata", "x.json", "--public"], "in place of the other options"),
    ("a file and --no-pkce", ["--metadata", "x.json", "--no-pkce"], "in place of the other options"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "problem"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_clients_add_refuses_in_one_line(tmp_path: Path, arguments: list[str], problem: str) -> None:
    assert problem in refusal(command(tmp_path, "clients", "add", *arguments))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["[]", '{"client_name": "a", "client_name": "b"}'])
def test_a_file_that_holds_no_metadata_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "client.json"
    file.write_text(content)
    assert f"{file} holds no valid JSON object" in refusal(command(tmp_path, "clients", "add", "--metadata", str(file)))
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--scope", "a b"], "the scope 'a b' must be printable ASCII"),
        (["--redirect-host", "https://rp.example"], "the redirect host 'https://rp.example' must be a plain name"),
    ],
)
def test_a_token_without_a_sound_policy_is_refused_in_one_line(
    tmp_path: Path, arguments: list[str], problem: str
) -> None:
    assert problem in refusal(command(tmp_path, "registration-tokens", "add", *arguments))
    assert not list(tmp_path.iterdir())
