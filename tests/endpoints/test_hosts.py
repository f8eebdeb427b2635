"""By which names the provider answers, and what it writes into its addresses whatever a request says of itself."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty
from watchword.settings import Settings
from watchword.web.hosts import Hosts
from watchword.web.wire import Fields

PATHS = ("/authorize", "/token", "/userinfo", "/jwks", "/.well-known/openid-configuration", "/login", "/nowhere")
EVIL = "evil.example"


def known(issuer: str, host: str, *, development: bool = False) -> bool:
    settings = cast("Settings", SimpleNamespace(issuer=issuer, development=development))
    return Hosts(settings).know(Fields([(b"accept", b"*/*"), (b"host", host.encode())]))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", [EVIL, f"{EVIL}:9000", "", "localhost.evil.example"])
def test_another_host_is_refused_shortly(http: httpx2.Client, path: str, host: str) -> None:
    answer = http.get(path, headers={"host": host, "accept": "text/html"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert host not in answer.text or not host


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_may_ask_by_any_host(http: httpx2.Client, path: str) -> None:
    assert http.get(path, headers={"host": "10.0.0.7:8080"}).status_code == 200


@pytest.mark.parametrize("name", ["x-forwarded-host", "forwarded", "x-forwarded-proto", "x-original-host", "origin"])
def test_what_a_request_says_of_its_host_changes_nothing(http: httpx2.Client, party: RelyingParty, name: str) -> None:
    value = f"host={EVIL};proto=https" if name == "forwarded" else EVIL
    for url in ("/.well-known/openid-configuration", party.authorization_url(), "/logout"):
        plain, said = http.get(url), http.get(url, headers={name: value})
        assert said.status_code == plain.status_code
        assert EVIL not in said.text
        assert urlsplit(said.headers.get("location", "")).netloc == urlsplit(plain.headers.get("location", "")).netloc


@pytest.fixture
def wire(provider: RunningProvider) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(provider.environment["WATCHWORD_PORT"])), timeout=20) as connection:
        yield connection


def ask(connection: socket.socket, target: str, *hosts: str) -> bytes:
    head = "".join(f"Host: {host}\r\n" for host in hosts)
    connection.sendall(f"GET {target} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode())
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def test_a_host_given_twice_is_refused(provider: RunningProvider, wire: socket.socket) -> None:
    own = urlsplit(provider.issuer).netloc
    assert ask(wire, "/jwks", own, own).startswith(b"HTTP/1.1 400 ")


def test_a_missing_host_is_refused(wire: socket.socket) -> None:
    assert ask(wire, "/jwks").startswith(b"HTTP/1.1 400 ")


def test_the_authority_of_an_absolute_target_is_not_read(provider: RunningProvider, wire: socket.socket) -> None:
    received = ask(wire, f"http://{EVIL}/.well-known/openid-configuration", urlsplit(provider.issuer).netloc)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert EVIL.encode() not in received


@pytest.mark.parametrize("host", ["id.example.com", "ID.Example.com", "id.example.com:443"])
def test_the_issuers_authority_is_known_in_every_spelling(host: str) -> None:
    assert known("https://id.example.com/tenant", host)


@pytest.mark.parametrize(
    "host",
    [
        "id.example.com:80",
        "id.example.com:8443",
        "id.example.com.",
        "xid.example.com",
        "localhost",
        "127.0.0.1:443",
        "",
    ],
)
def test_nothing_else_is_known_in_production(host: str) -> None:
    assert not known("https://id.example.com", host)


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:9000", "[::1]:9000", "LOCALHOST:9000"])
def test_this_machines_names_with_the_port_are_known_in_development(host: str) -> None:
    assert known("http://localhost:9000", host, development=True)


@pytest.mark.parametrize("host", ["localhost", "localhost:9001", "[::2]:9000", "127.0.0.2:9000"])
def test_another_port_or_machine_is_unknown_in_development_too(host: str) -> None:
    assert not known("http://localhost:9000", host, development=True)


def test_the_ports_of_a_plain_issuer_may_be_left_out() -> None:
    assert known("http://localhost", "127.0.0.1", development=True)
    assert known("http://localhost", "localhost:80", development=True)


def test_a_repeated_host_is_unknown() -> None:
    settings: Any = SimpleNamespace(issuer="http://localhost", development=False)
    assert not Hosts(settings).know(Fields([(b"host", b"localhost"), (b"host", b"localhost")]))
