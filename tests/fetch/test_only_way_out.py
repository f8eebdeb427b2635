"""Nothing but the guarded fetch and the gateways can open a connection to an address that somebody else chose."""

import ast
from pathlib import Path

PROVIDER = Path(__file__).parents[2] / "provider" / "src" / "watchword"
WAYS_OUT = {
    "httpx2", "httpcore2", "httpx", "requests", "aiohttp", "urllib3", "urllib.request", "http.client", "ftplib",
    "smtplib", "telnetlib", "aiosmtplib", "xmlrpc", "websockets",
}  # fmt: skip
CALLS = {"open_connection", "create_connection", "urlopen", "urlretrieve"}
# Where the operator says whom to reach: gateways and stores.
ELSEWHERE = {"delivery/gateways/smtp.py", "ephemeral/redis/dial.py"}


def leads_out(path: Path) -> bool:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    imported = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    imported += [
        f"{node.module}.{name.name}" for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names
    ]
    called = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return any(map(is_way_out, imported)) or not called.isdisjoint(CALLS)


def is_way_out(module: str) -> bool:
    return any(f"{module}.".startswith(f"{way}.") for way in WAYS_OUT)


def test_the_guarded_fetch_is_the_only_way_out() -> None:
    found = {str(path.relative_to(PROVIDER)) for path in PROVIDER.rglob("*.py") if leads_out(path)}
    assert found - ELSEWHERE == {"fetch/guarded.py"}


def test_the_rule_would_find_another(tmp_path: Path) -> None:
    file = tmp_path / "another.py"
    for line in ("import httpx2", "from urllib import request", "import urllib.request", "asyncio.open_connection(h)"):
        file.write_text(line)
        assert leads_out(file), line
    file.write_text("from urllib.parse import urlsplit\nfrom watchword.fetch import Fetch")
    assert not leads_out(file)
