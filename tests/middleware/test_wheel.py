import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROTECT = """
import asyncio, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
from watchword_asgi import Watchword
from watchword_asgi.testing import LocalIssuer

assert "starlette" not in sys.modules and "fastapi" not in sys.modules and "watchword" not in sys.modules


class Door(BaseHTTPRequestHandler):
    def do_GET(self):
        answer = asyncio.run(issuer.respond(httpx2.Request("GET", issuer.issuer + self.path)))
        self.send_response(answer.status_code)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *arguments):
        pass


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["watchword"].subject.encode()})


async def main():
    protected = Watchword(app, issuer=issuer.issuer, audience=issuer.audience)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(protected), base_url="https://api.test") as client:
        stranger = await client.get("/")
        friend = await client.get("/", headers=issuer.bearer())
    await protected.aclose()
    print(stranger.status_code, friend.status_code, friend.text)


server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
issuer = LocalIssuer(f"http://127.0.0.1:{server.server_port}")
threading.Thread(target=server.serve_forever, daemon=True).start()
asyncio.run(main())
server.shutdown()
"""


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    words = [str(part) for part in command]
    done = subprocess.run(words, check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def uv() -> str:
    found = shutil.which("uv", path=f"{ROOT / '.tools/uv/bin'}{os.pathsep}{os.environ['PATH']}")
    assert found is not None, "uv is missing: run make"
    return found


@pytest.fixture(scope="module")
def wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(uv, "build", "--wheel", "--package", "watchword-asgi", "--out-dir", folder, cwd=ROOT)
    return next(folder.glob("watchword_asgi-*.whl"))


def test_the_wheel_installs_alone_and_protects_an_app(uv: str, wheel: Path, tmp_path: Path) -> None:
    run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "empty", cwd=tmp_path)
    python = tmp_path / "empty/bin/python"
    run(uv, "pip", "install", "--quiet", "--python", python, "-c", ROOT / "locks/run.txt", wheel, cwd=tmp_path)
    assert run(python, "-W", "error", "-c", PROTECT, cwd=tmp_path).split() == ["401", "200", "ada"]


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "watchword_asgi/py.typed" in names
    assert all(name.startswith(("watchword_asgi/", "watchword_asgi-")) for name in names)
    assert not any("test_" in name or "__pycache__" in name for name in names)
