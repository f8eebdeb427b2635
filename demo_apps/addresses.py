"""Where the demo listens: every port follows from one base."""

import errno
import socket
from dataclasses import dataclass

_LOOPBACK = ("127.0.0.1", "::1")  # `localhost` may mean either to a browser


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of the demo.

    The provider is `localhost` and the apps are `127.0.0.1`, so that browsers take them for different sites.
    """

    port_base: int

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port that is needed."""
        return tuple(range(self.port_base, self.port_base + 3))

    @property
    def issuer(self) -> str:
        """The provider."""
        return f"http://localhost:{self.port_base}"

    @property
    def notes_web(self) -> str:
        """The app to sign in to."""
        return f"http://127.0.0.1:{self.port_base + 1}"

    @property
    def notes_api(self) -> str:
        """The API, and the audience of its tokens."""
        return f"http://127.0.0.1:{self.port_base + 2}"

    @property
    def mailbox(self) -> str:
        """Where codes can be read."""
        return f"{self.issuer}/dev/mailbox"

    def find_taken_port(self) -> int | None:
        """Return the first port that something else listens on."""
        return next((port for port in self.ports if any(_is_taken(host, port) for host in _LOOPBACK)), None)


def _is_taken(host: str, port: int) -> bool:
    """Say whether somebody listens there; a machine without IPv6 has nobody listening on it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as problem:
        return problem.errno == errno.EADDRINUSE
    return False
