"""The peers as contenders: how each is started, and what it offers."""

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from bench.contender import REDIRECT_URI, RESOURCE, Clients, Contender, Name, Registration, Routes
from bench.peers.install import install_flask_peer, install_node_peer
from bench.peers.login import NameLogin
from bench.people import People
from bench.scenarios import BESIDE_NODE, LOGIN_RS256
from bench.server import free_port, running


@contextlib.contextmanager
def running_node(folder: Path, redis_url: str | None = None) -> Iterator[Contender]:
    """Run oidc-provider with its memory adapter, or with the Redis adapter.

    Raises:
        PeerMissing: it cannot be installed.
        Failed: it did not start.
    """
    installed, port, clients = install_node_peer(), free_port(), _new_clients()
    configuration = {
        "port": port,
        "resource": RESOURCE,
        "redisUrl": redis_url,
        "clients": [
            _metadata(clients.rs256, id_token_signed_response_alg="RS256"),
            _metadata(clients.es256, id_token_signed_response_alg="ES256"),
        ],
    }
    environment = _environment(configuration) | {"NODE_ENV": "production"}
    command = [installed / "node_modules" / ".bin" / "node", installed / "server.mjs"]
    routes = Routes(authorization="/auth", userinfo="/me", introspection="/token/introspection")
    name = Name.NODE_REDIS if redis_url else Name.NODE_MEMORY
    with running(command, port, environment, folder / f"{name}.log", ready=routes.discovery) as server:
        walk = NameLogin(f"localhost:{port}", People(), routes.authorization, redirect=303)
        yield Contender(name, server, BESIDE_NODE, clients, walk, routes, jwt={"resource": RESOURCE})


@contextlib.contextmanager
def running_flask(folder: Path) -> Iterator[Contender]:
    """Run the Authlib provider with one worker process.

    Raises:
        PeerMissing: it cannot be installed.
        Failed: it did not start.
    """
    installed, port, clients = install_flask_peer(), free_port(), _new_clients()
    metadata = _metadata(clients.rs256, scope="openid email")
    configuration = {"port": port, "database": str(folder / "flask.sqlite3"), "clients": [metadata]}
    environment = _environment(configuration) | {"AUTHLIB_INSECURE_TRANSPORT": "1"}
    gunicorn: list[str | Path] = [
        installed / "venv" / "bin" / "gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
        "--log-level",
        "warning",
    ]
    # More threads take turns at the interpreter's lock and serve fewer logins.
    command = [*gunicorn, "--workers", "1", "--worker-class", "gthread", "--threads", "1", "app:app"]
    with running(command, port, environment, folder / "flask.log", ready="/", folder=installed) as server:
        walk = NameLogin(f"localhost:{port}", People(), "/authorize", redirect=302)
        yield Contender(Name.FLASK, server, frozenset({LOGIN_RS256}), clients, walk)


def _new_clients() -> Clients:
    return Clients(*(Registration(secrets.token_hex(8), secrets.token_urlsafe(32)) for _ in range(2)))


def _metadata(client: Registration, **more: str) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "redirect_uris": [REDIRECT_URI],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
        **more,
    }


def _environment(configuration: dict[str, object]) -> dict[str, str]:
    return {**os.environ, "PEER_CONFIGURATION": json.dumps(configuration)}
