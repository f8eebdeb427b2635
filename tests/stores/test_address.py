"""URLs of PostgreSQL: read strictly, TLS over a network unless less is spelled out, never repeated in an error."""

import pytest

from watchword.database.address import is_postgresql, parse_address


@pytest.mark.parametrize(
    ("url", "dsn"),
    [
        ("postgresql://ww:pw@localhost/ww", "postgresql://ww:pw@localhost/ww"),
        ("postgres://ww:pw@127.0.0.1:5433/ww", "postgresql://ww:pw@127.0.0.1:5433/ww"),
        ("postgresql://ww@/ww?host=/run/postgresql", "postgresql://ww@/ww?host=%2Frun%2Fpostgresql"),
    ],
)
def test_loopback_and_sockets_need_no_tls(url: str, dsn: str) -> None:
    assert is_postgresql(url)
    address = parse_address(url)
    assert address.dsn == dsn
    assert not address.pooled
    assert "ssl" not in address.options()


@pytest.mark.parametrize(
    "url", ["postgresql://ww:pw@db.example/ww", "postgresql://ww:pw@10.0.0.5/ww", "postgresql:///ww?host=db.example"]
)
def test_over_a_network_a_verified_certificate_is_the_rule(url: str) -> None:
    address = parse_address(url)
    assert "sslmode=verify-full" in address.dsn
    context = address.options()["ssl"]
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


def test_an_authority_of_ones_own_takes_the_place_of_the_systems() -> None:
    address = parse_address("postgresql://ww@db.example/ww?sslrootcert=/etc/ca.pem")
    assert "sslmode=verify-full" in address.dsn
    assert "sslrootcert" in address.dsn
    assert "ssl" not in address.options()


def test_less_than_a_verified_certificate_must_be_spelled_out() -> None:
    address = parse_address("postgresql://ww@db.example/ww?sslmode=disable")
    assert address.dsn.endswith("?sslmode=disable")
    assert "ssl" not in address.options()


def test_a_pooler_is_named_and_not_told_to_the_server() -> None:
    address = parse_address("postgresql://ww@localhost:6432/ww?pgbouncer=true")
    assert address.pooled
    assert "pgbouncer" not in address.dsn


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ww:hunter2@db.example",
        "postgresql://ww:hunter2@db.example/",
        "postgresql://ww:hunter2@db.example/ww#x",
        "postgresql://ww:hunter2@db.example/ww?sslmod=disable",
        "postgresql://ww:hunter2@db.example/ww?sslmode=perhaps",
        "postgresql://ww:hunter2@db.example/ww?pgbouncer=yes",
        "postgresql://ww:hunter2@db.example:port/ww",
        "postgresql://ww:hunter2@[db.example/ww",
    ],
)
def test_what_cannot_be_used_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        parse_address(url)
    assert "hunter2" not in str(refused.value)
    assert "db.example" not in str(refused.value)


def test_no_representation_shows_a_password() -> None:
    assert "hunter2" not in repr(parse_address("postgresql://ww:hunter2@db.example/ww"))
