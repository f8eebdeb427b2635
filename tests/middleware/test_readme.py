import ast
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from tests.middleware.support import echo_app
from watchword_asgi import Identity, Login, Rule, Unavailable, Watchword

README = Path(__file__).parents[2] / "middleware/README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def names() -> dict[str, Any]:
    """What a reader's own module already has."""
    return {
        "app": echo_app,
        "api": FastAPI(),
        "request": SimpleNamespace(scope={"watchword": Identity("ada", None, frozenset())}),
        "redirect_location": "https://id.example.com/authorize?"
        "response_type=code&client_id=c&redirect_uri=https://app.example.com/auth/callback&scope=openid"
        "&state=s&nonce=n&code_challenge=c&code_challenge_method=S256",
        "NEW": "0123456789abcdefghijklmnopqrstuvwxyz",
        "OLD": "zyxwvutsrqponmlkjihgfedcba9876543210",
        "JSONResponse": JSONResponse,
        "Login": Login,
        "Rule": Rule,
        "Unavailable": Unavailable,
        "Watchword": Watchword,
    }


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_code_block_of_the_readme_runs(block: str) -> None:
    module = ast.parse(block)
    # What would ask a provider on the network is compiled, and not run.
    offline = [part for part in module.body if not any(isinstance(each, ast.Await) for each in ast.walk(part))]
    compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    exec(compile(ast.Module(offline, []), "README.md", "exec"), names())
