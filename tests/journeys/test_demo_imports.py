"""The demo apps are what any app could be: of the two distributions they know the middleware alone."""

import ast
from pathlib import Path

import demo_apps

ROOT = Path(demo_apps.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))


def imported_packages(source: str) -> set[str]:
    """The top-level names that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or "").partition(".")[0])
    return found


def test_the_demo_apps_never_import_the_provider_or_the_tests() -> None:
    for module in MODULES:
        assert imported_packages(module.read_text()).isdisjoint({"watchword", "tests", "bench"}), module


def test_the_demo_apps_import_the_middleware() -> None:
    for app in ("notes_api", "notes_web"):
        assert "watchword_asgi" in imported_packages((ROOT / app / "app.py").read_text())


def test_an_app_does_not_import_another_one() -> None:
    for app, other in (("notes_api", "notes_web"), ("notes_web", "notes_api")):
        for module in (ROOT / app).rglob("*.py"):
            assert f"demo_apps.{other}" not in module.read_text(), module
