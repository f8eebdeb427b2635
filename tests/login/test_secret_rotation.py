"""A code that was sent under the secret key before this one still works while that one is named, and not after."""

import secrets
from pathlib import Path
from typing import Any

from tests.login.doors import ask, fresh_email, page_of, post
from tests.support.person import Person
from tests.support.provider import free_port, running_provider
from tests.support.relying_party import register


async def test_a_live_code_and_its_form_outlive_a_rotation_and_end_with_the_next(tmp_path: Path) -> None:
    first, second, third = (secrets.token_urlsafe(48) for _ in range(3))
    port = free_port()
    stores: dict[str, Any] = {
        name: f"sqlite:///{tmp_path}/{name}.sqlite3" for name in ("database_url", "ephemeral_url")
    }
    async with Person() as early, Person() as late:
        with running_provider(port=port, secret_key=first, **stores) as before:
            party = register(before)
            early_code = await ask(early, party, fresh_email())
            late_code = await ask(late, party, fresh_email())
        with running_provider(port=port, secret_key=second, secret_key_previous=first, **stores):
            await early.type_code(early_code)
            assert "code" in early.answer()
            tokens = (await party.exchange(early.answer()["code"])).json()
            assert (await party.userinfo(tokens["access_token"])).status_code == 200
        with running_provider(port=port, secret_key=third, secret_key_previous=second, **stores):
            form = page_of(late).form_with("one_time_code")
            stale_form = await post(late, form, one_time_code=late_code)
            assert stale_form.status_code == 403
            await late.open(f"http://localhost:{port}/login/code?interaction={form.fields['interaction']}")
            await late.type_code(late_code)
            assert page_of(late).status == 400
            assert "That code has expired" in page_of(late).text
