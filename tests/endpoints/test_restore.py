"""After a backup was restored, sessions and tokens from before it are dead."""

from pathlib import Path
from typing import Any

import httpx2

from tests.endpoints.people import ASHA, CODE, authorized, some_tokens
from tests.endpoints.refusal import check_refusal
from tests.support.person import Person
from tests.support.provider import free_port, running_provider
from tests.support.relying_party import REDIRECT_URI, RelyingParty


async def test_a_restore_begins_an_epoch_in_which_nothing_from_before_counts(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "port": free_port(),
        "database_url": f"sqlite:///{tmp_path}/watchword.sqlite3",
        "ephemeral_url": f"sqlite:///{tmp_path}/ephemeral.sqlite3",
        "test_identifiers": f"{ASHA}:{CODE}",
        "test_limits": "off",
    }
    metadata = {"redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token"]}
    person = Person()
    with running_provider(**settings) as provider:
        client = httpx2.post(f"{provider.issuer}/register", json=metadata).json()
        party = RelyingParty(provider, client["client_id"], client["client_secret"])
        before = await some_tokens(party)
        code = (await authorized(person, party.authorization_url()))["code"]
        await person.open(party.authorization_url(prompt="none"))
        assert "code" in person.answer()
        assert (await party.userinfo(before["access_token"])).status_code == 200
        assert provider.command("db", "restored").returncode == 0
    with running_provider(**settings) as provider:
        party.provider = provider
        check_refusal(await party.refresh(before["refresh_token"]), 400, "invalid_grant")
        assert (await party.userinfo(before["access_token"])).status_code == 401
        check_refusal(await party.exchange(code), 400, "invalid_grant")
        await person.open(party.authorization_url(prompt="none"))
        assert person.answer()["error"] == "login_required"
        await person.http.aclose()
        after = (await some_tokens(party, prompt="login"))["refresh_token"]
        assert (await party.refresh(after)).status_code == 200
