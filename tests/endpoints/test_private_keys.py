"""No command, document, error or log shows a private key or a secret that other keys hang on."""

import httpx2

from tests.endpoints.people import some_tokens
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty
from watchword.app import close_services, open_services
from watchword.settings import Settings

COMMANDS = (
    ("keys", "list", "--json"),
    ("config", "check"),
    ("clients", "list", "--json"),
    ("keys", "list", "--nonsense"),
)
PATHS = ("/jwks", "/.well-known/openid-configuration", "/keys", "/jwks/", "/jwks?private=true", "/readyz")
PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


async def secrets_of(provider: RunningProvider) -> set[str]:
    """Every private member of every key, and the operator's secret, as text would show them."""
    options = {name: provider.environment[f"WATCHWORD_{name.upper()}"] for name in ("database_url", "ephemeral_url")}
    services = await open_services(Settings(issuer=provider.issuer, env="test", **options))  # type: ignore[arg-type]
    try:
        members = [key.key.as_dict(private=True) for key in services.keyring.signing.values()]
    finally:
        await close_services(services)
    found = {str(member[name]) for member in members for name in PRIVATE if name in member}
    return found | {(provider.folder / "watchword.secret").read_text().strip()}


async def test_no_output_of_any_kind_holds_private_key_material(provider: RunningProvider, party: RelyingParty) -> None:
    await some_tokens(party)
    secrets = await secrets_of(provider)
    assert len(secrets) >= 8  # six numbers of the RSA key, one of the other, and the operator's
    outputs = {path: httpx2.get(provider.issuer + path).text for path in PATHS}
    for arguments in COMMANDS:
        done = provider.command(*arguments)
        outputs[" ".join(arguments)] = done.stdout + done.stderr
    outputs["the log"] = provider.log.read_text()
    for name, text in outputs.items():
        assert not any(secret in text for secret in secrets), name
        assert "PRIVATE KEY" not in text, name
    assert '"n":' in outputs["/jwks"]  # the search would find what stands there
