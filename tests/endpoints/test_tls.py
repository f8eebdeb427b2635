"""HTTPS as `watchword serve` speaks it, by real handshakes (BCP 195, RFC 9325): what is accepted, and what is not."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import trustme

from tests.support.certificates import Certificate
from tests.support.provider import running_provider

KEYS = {"RSA": trustme.KeyType.RSA, "ECDSA": trustme.KeyType.ECDSA}
# Nothing is held back: what is refused is refused by the server.
EVERY_SUITE = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
RECOMMENDED = ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")  # RFC 9325 section 4.2
OLD = ssl.TLSVersion.TLSv1_2


class Spoken(NamedTuple):
    """What a handshake settled on."""

    version: str | None
    suite: str
    compression: str | None
    ticket: bool


class Door(NamedTuple):
    """Where HTTPS is spoken, and under which certificate."""

    host: str
    port: int
    certificate: Certificate
    key: str


def certificate_with(key: str, folder: Path) -> Certificate:
    """A certificate for `localhost`. Its key decides which suites could be spoken at all, so there is one of each."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", key_type=KEYS[key])
    files = Certificate(folder / "chain.pem", folder / "key.pem", folder / "authority.pem")
    files.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    files.key.write_bytes(issued.private_key_pem.bytes())
    files.authority.write_bytes(authority.cert_pem.bytes())
    return files


@pytest.fixture(scope="module", params=sorted(KEYS))
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A provider that serves HTTPS itself."""
    certificate = certificate_with(request.param, tmp_path_factory.mktemp("tls"))
    with running_provider(certificate=certificate) as provider:
        parts = urlsplit(provider.issuer)
        assert parts.hostname is not None
        assert parts.port is not None
        yield Door(parts.hostname, parts.port, certificate, request.param)


def client(door: Door, version: ssl.TLSVersion | None = None, suites: str = EVERY_SUITE) -> ssl.SSLContext:
    """A client that speaks everything it knows, or one version or some suites alone."""
    context = ssl.create_default_context(cafile=str(door.certificate.authority))
    context.set_ciphers(suites)
    context.minimum_version = version or ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version or ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.options &= ~(ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET)
    return context


def shake_hands(door: Door, context: ssl.SSLContext) -> Spoken | None:
    """What was settled on, once one request was answered; None where the handshake was refused."""
    plain = socket.create_connection((door.host, door.port), timeout=10)
    with plain, suppress(ssl.SSLError, OSError), context.wrap_socket(plain, server_hostname=door.host) as secured:
        secured.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert secured.recv(12) == b"HTTP/1.1 200"
        suite = secured.cipher()
        assert suite is not None
        assert secured.session is not None
        return Spoken(secured.version(), suite[0], secured.compression(), secured.session.has_ticket)
    return None


def known_suites(door: Door) -> list[str]:
    """Every suite up to TLS 1.2 that this machine's OpenSSL can offer."""
    return [suite["name"] for suite in client(door, OLD).get_ciphers() if suite["protocol"] != "TLSv1.3"]


def recommended(door: Door) -> set[str]:
    return {f"ECDHE-{door.key}-{cipher}" for cipher in RECOMMENDED}


def test_who_speaks_everything_is_spoken_to_in_tls_1_3(door: Door) -> None:
    spoken = shake_hands(door, client(door))
    assert spoken is not None
    assert spoken.version == "TLSv1.3"
    assert spoken.compression is None


def test_who_speaks_tls_1_2_alone_gets_forward_secrecy_and_neither_compression_nor_a_ticket(door: Door) -> None:
    spoken = shake_hands(door, client(door, OLD))
    assert spoken is not None
    assert (spoken.version, spoken.compression, spoken.ticket) == ("TLSv1.2", None, False)
    assert spoken.suite in recommended(door)


def test_of_tls_1_2_only_the_recommended_suites_are_spoken(door: Door) -> None:
    suites = known_suites(door)
    kinds = ("AES128-SHA", "AES256-GCM-SHA384", f"ECDHE-{door.key}-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256")
    assert set(suites) >= recommended(door) | set(kinds)
    taken = {suite for suite in suites if shake_hands(door, client(door, OLD, f"{suite}:@SECLEVEL=0"))}
    assert taken == recommended(door)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=lambda version: version.name)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_versions_are_refused(door: Door, version: ssl.TLSVersion) -> None:
    assert shake_hands(door, client(door, version)) is None
    with lax_server(door.certificate) as lax:  # the same client is understood where they are spoken
        spoken = shake_hands(door._replace(port=lax), client(door, version))
    assert spoken is not None
    assert spoken.version == {"TLSv1": "TLSv1", "TLSv1_1": "TLSv1.1"}[version.name]


def test_nobody_can_renegotiate(door: Door) -> None:
    """RFC 9325 section 3.5. `R` on a line of its own is how s_client asks for it."""
    with lax_server(door.certificate, renegotiates=True) as lax:  # where it is allowed it works
        assert renegotiates(door._replace(port=lax))
    assert not renegotiates(door)


def renegotiates(door: Door) -> bool:
    openssl = shutil.which("openssl")
    assert openssl is not None, "the openssl command is missing"
    options = ["-tls1_2", "-CAfile", str(door.certificate.authority), "-connect", f"{door.host}:{door.port}"]
    done = subprocess.run(
        [openssl, "s_client", *options], input=b"R\nQ\n", capture_output=True, timeout=20, check=False
    )
    assert b"RENEGOTIATING" in done.stdout + done.stderr
    return done.returncode == 0


def test_nothing_is_answered_without_tls(door: Door) -> None:
    with socket.create_connection((door.host, door.port), timeout=10) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionResetError):
            assert b"HTTP/" not in plain.recv(100)


@contextmanager
def lax_server(certificate: Certificate, *, renegotiates: bool = False) -> Iterator[int]:
    """A server that speaks whatever it is asked to; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    context.set_ciphers(EVERY_SUITE)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    if renegotiates:
        context.options |= _ALLOW_CLIENT_RENEGOTIATION
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=partial(_serve_once, listener, context))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


_ALLOW_CLIENT_RENEGOTIATION = 1 << 8  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION, which Python has no name for


def _serve_once(listener: socket.socket, context: ssl.SSLContext) -> None:
    listener.settimeout(20)
    connection, _ = listener.accept()
    with connection, suppress(ssl.SSLError, OSError), context.wrap_socket(connection, server_side=True) as secured:
        while secured.recv(1000).startswith(b"GET"):
            secured.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
