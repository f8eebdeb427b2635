"""Commands of the operator: what they refuse, they refuse in one line and before anything is stored."""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.provider import COMMAND, free_port, provider_environment
from watchword.protocol.claims import parse_profile_claims
from watchword.protocol.registration import parse_resource

AUDIENCE = "https://api.example.com"


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = provider_environment(folder, free_port())
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("audience", [AUDIENCE, "https://api.example.com:8443/v1?tenant=1", "urn:example:notes"])
def test_an_audience_is_an_absolute_uri(audience: str) -> None:
    resource = parse_resource(audience, ["notes:read", "notes:read"], lifetime=60, client_id="c_1")
    assert (resource.audience, resource.scopes) == (audience, frozenset({"notes:read"}))
    assert (resource.lifetime, resource.client_id) == (60, "c_1")


@pytest.mark.parametrize(
    ("audience", "scope", "lifetime", "problem"),
    [
        ("api.example.com", "notes:read", None, "the audience must be an absolute URI"),
        ("/notes", "notes:read", None, "the audience must be an absolute URI"),
        ("https://api.example.com#notes", "notes:read", None, "without a fragment"),
        ("https://", "notes:read", None, "the audience must be an absolute URI"),
        ("https://api.example.com:99999", "notes:read", None, "the audience must be an absolute URI"),
        ("https://[x", "notes:read", None, "the audience must be an absolute URI"),
        ("https://api.example.com/a b", "notes:read", None, "the audience must be an absolute URI"),
        ("https://api.example.com/" + "a" * 2048, "notes:read", None, "the audience must be an absolute URI"),
        (AUDIENCE, "notes read", None, "'notes read' must be printable ASCII"),
        (AUDIENCE, 'notes"', None, "must be printable ASCII"),
        (AUDIENCE, "", None, "must be printable ASCII"),
        (AUDIENCE, "email", None, "email is OpenID's own"),
        (AUDIENCE, "offline_access", None, "offline_access is OpenID's own"),
        (AUDIENCE, "notes:read", 59, "60 to 3600 seconds"),
        (AUDIENCE, "notes:read", 3601, "60 to 3600 seconds"),
    ],
)
def test_a_resource_that_no_token_could_be_for_is_refused(
    audience: str, scope: str, lifetime: int | None, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_resource(audience, [scope], lifetime=lifetime)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--audience", f"{AUDIENCE}#x", "--scope", "notes:read"], "without a fragment"),
        (["--audience", AUDIENCE, "--scope", "openid"], "OpenID's own"),
        (["--audience", AUDIENCE, "--scope", "notes:read", "--lifetime", "5"], "60 to 3600 seconds"),
    ],
)
def test_resources_add_refuses_in_one_line(tmp_path: Path, arguments: list[str], problem: str) -> None:
    assert problem in refusal(command(tmp_path, "resources", "add", *arguments))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["add", "--email", "esha"], "--email esha: is no email address"),
        (["add", "--email", "+919812345678"], "--email +919812345678: is no email address"),
        (["add", "--phone", "esha@people.example"], "--phone esha@people.example: is no phone number"),
        (["add", "--email", "esha@people.example", "--claims", "no.json"], "cannot read no.json: No such file"),
        (["show", "esha"], "esha is no id of an account"),
        (["disable", "esha"], "esha is no id of an account"),
    ],
)
def test_accounts_refuses_what_names_nobody_in_one_line(tmp_path: Path, arguments: list[str], problem: str) -> None:
    assert problem in refusal(command(tmp_path, "accounts", *arguments))


def test_a_weak_key_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "weak.pem"
    key = rsa.generate_private_key(65537, 1024)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "1024 bits is too weak" in refusal(command(tmp_path, "keys", "import", str(file)))


CLAIMS = {
    "name": "Esha Iyer",
    "gender": "female",
    "picture": "https://people.example/e.png",
    "website": "http://esha.example",
    "address": {"formatted": "1 Beach Road\nChennai", "country": "IN"},
}


@pytest.mark.parametrize("birthdate", ["1990-01-31", "1990", "0000-02-29", "2000-02-29"])
def test_standard_claims_of_their_types_are_taken_and_updated_at_is_our_own(birthdate: str) -> None:
    claims = CLAIMS | {"birthdate": birthdate}
    assert parse_profile_claims(claims | {"updated_at": 1}) == claims


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("name", 1),
        ("name", None),
        ("name", ["Esha"]),
        ("nickname", "a\nb"),
        ("locale", "en\u202eIN"),
        ("picture", "javascript:alert(1)"),
        ("picture", "/e.png"),
        ("profile", "https://"),
        ("profile", "https://[x"),
        ("profile", 1),
        ("website", "https://esha.example/a b"),
        ("birthdate", "1990-1-31"),
        ("birthdate", "1990-02-30"),
        ("birthdate", "1990-01"),
        ("birthdate", "0000"),
        ("birthdate", "١٩٩٠"),
        ("birthdate", "1990\n"),
        ("birthdate", 1990),
        ("address", "Chennai"),
        ("address", {"country": 1}),
        ("address", {"country": "I\u0000N"}),
        ("address", {"planet": "Earth"}),
        ("address", {"region": " "}),
    ],
)
def test_a_claim_of_another_type_is_refused_by_its_name(claim: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{claim} must be "):
        parse_profile_claims(CLAIMS | {claim: value})


@pytest.mark.parametrize("name", ["sub", "email", "email_verified", "phone_number", "role", "name#ja", ""])
def test_a_claim_that_is_no_profile_claim_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not one of the claims"):
        parse_profile_claims({name: "x"})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (json.dumps({"birthdate": "31.1.1990"}), "birthdate must be YYYY-MM-DD"),
        (json.dumps({"role": "admin"}), "'role' is not one of the claims"),
        ("[]", "claims.json holds no valid JSON object: not an object"),
        ('{"name": "a", "name": "b"}', "claims.json holds no valid JSON object"),
        ("{", "claims.json holds no valid JSON object"),
    ],
)
def test_accounts_add_refuses_claims_in_one_line(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "claims.json"
    file.write_text(content)
    line = refusal(command(tmp_path, "accounts", "add", "--email", "esha@people.example", "--claims", str(file)))
    assert problem in line
    assert list(tmp_path.iterdir()) == [file]
