"""The URL of a store in Redis: what is read from it, and what is refused without being repeated."""

import ssl
from pathlib import Path

import pytest

from tests.stores.movable_clock import MovableClock
from watchword.ephemeral import open_store
from watchword.ephemeral.redis.address import Address, Kind, Login, parse_address


def address(kind: Kind, *hosts: tuple[str, int], **others: object) -> Address:
    defaults = {"login": Login(), "sentinel_login": Login(), "service": "", "number": 0, "tls": None}
    return Address(kind, hosts, **(defaults | others))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://redis", address(Kind.SINGLE, ("redis", 6379))),
        ("redis://redis/", address(Kind.SINGLE, ("redis", 6379))),
        ("redis://[::1]:7000/3", address(Kind.SINGLE, ("::1", 7000), number=3)),
        ("redis://:pass%40word@redis", address(Kind.SINGLE, ("redis", 6379), login=Login("", "pass@word"))),
        ("redis://we:p@redis:1", address(Kind.SINGLE, ("redis", 1), login=Login("we", "p"))),
        (
            "redis+sentinel://we:p@one,two:1/service/2?sentinel_username=us&sentinel_password=q",
            address(
                Kind.SENTINEL, ("one", 26379), ("two", 1),
                login=Login("we", "p"), sentinel_login=Login("us", "q"), service="service", number=2,
            ),
        ),
        ("redis+cluster://one,two:1", address(Kind.CLUSTER, ("one", 6379), ("two", 1))),
    ],
)  # fmt: skip
def test_a_url_is_read(url: str, expected: Address) -> None:
    assert parse_address(url) == expected


@pytest.mark.parametrize("url", ["rediss://redis", "rediss+sentinel://one/service", "rediss+cluster://one"])
def test_tls_checks_certificate_and_name(url: str) -> None:
    context = parse_address(url).tls
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://:secret@",
        "redis://one:secret",
        "redis://:secret@one:70000",
        "redis://:secret@one,two",
        "redis://:secret@one/name",
        "redis://:secret@one/-1",
        "redis://:secret@one?ssl_cert_reqs=none",
        "rediss://:secret@one?ssl_ca_certs=a&ssl_ca_certs=b",
        "redis://:secret@one#fragment",
        "redis+sentinel://:secret@one",
        "redis+sentinel://:secret@one/service/name",
        "redis+cluster://:secret@one/1",
        "redis+cluster://:secret@one?sentinel_password=secret",
    ],
)
def test_a_url_written_otherwise_is_refused_in_one_line_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(ValueError, match="is written as one of") as refused:
        open_store(url, now=MovableClock())
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_certificates_that_are_not_there_are_missed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ssl_ca_certs names no file"):
        parse_address(f"rediss://redis?ssl_ca_certs={tmp_path}/missing.pem")


def test_an_address_does_not_show_its_passwords() -> None:
    assert "secret" not in repr(parse_address("redis+sentinel://:secret@one/service?sentinel_password=secret"))
