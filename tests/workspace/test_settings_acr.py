"""The operator's table from ways to sign in to `acr` values: whole, honest, and refused in one line otherwise."""

import pytest
from pydantic import ValidationError

from watchword.settings import Settings

DEFAULT = {
    "email": "urn:watchword:otp:email",
    "sms": "urn:watchword:otp:phone",
    "whatsapp": "urn:watchword:otp:phone",
}


def table(monkeypatch: pytest.MonkeyPatch, written: str | None) -> dict[str, str]:
    """Return what the setting comes to."""
    if written is None:
        monkeypatch.delenv("WATCHWORD_ACR", raising=False)
    else:
        monkeypatch.setenv("WATCHWORD_ACR", written)
    return Settings(issuer="http://localhost:9000", env="test").acr


def test_there_is_a_table_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert table(monkeypatch, None) == DEFAULT


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("email=1,sms=2,whatsapp=2", {"email": "1", "sms": "2", "whatsapp": "2"}),
        (" email = urn:x:mail , ", {"email": "urn:x:mail"}),
        ("sms=https://example.com/acr?level=aal1", {"sms": "https://example.com/acr?level=aal1"}),
    ],
)
def test_a_method_left_out_keeps_its_value(
    monkeypatch: pytest.MonkeyPatch, written: str, changed: dict[str, str]
) -> None:
    assert table(monkeypatch, written) == DEFAULT | changed


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("pigeon=urn:x", "'pigeon'"),
        ("email", "email"),
        ("email=", "email"),
        ("email=two words", "without spaces"),
        ('email="x"', "without spaces"),
        ("email=" + "x" * 129, "without spaces"),
        ("email=a,email=b", "twice"),
        ("email=urn:example:loa:1", "'loa'"),
        ("email=https://example.com/AAL1", "'aal'"),
        ("email=phr", "'phr'"),
        ("sms=phrh", "'phr'"),
        ("whatsapp=urn:x:PHR", "'phr'"),
    ],
)
def test_a_value_that_cannot_be_used_or_claims_too_much_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, written: str, problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        table(monkeypatch, written)
