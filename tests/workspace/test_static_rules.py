"""Rules of the source that no type checker knows, found by reading the syntax tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROVIDER = ROOT / "provider" / "src" / "watchword"
MIDDLEWARE = ROOT / "middleware" / "src" / "watchword_asgi"
SOURCES = sorted([*PROVIDER.rglob("*.py"), *MIDDLEWARE.rglob("*.py"), *(ROOT / "demo_apps").rglob("*.py")])
# Who may decode, and with what it does so.
WRAPPERS = {PROVIDER / "protocol" / "jwt.py", *(MIDDLEWARE / "tokens").glob("*.py"), MIDDLEWARE / "testing.py"}
DECODERS = ("joserfc.jwt", "joserfc.jws", "joserfc.jwe", "jwt", "jose", "authlib", "josepy", "jwcrypto", "python_jwt")
SIGNATURES = ("cryptography.hazmat.primitives.asymmetric.padding", "cryptography.hazmat.primitives.asymmetric.utils")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(module: ast.Module) -> Iterator[str]:
    """Every name that a module imports, with the module it comes from."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def names(path: Path, wanted: tuple[str, ...]) -> list[str]:
    """Those imports of a file that are one of the wanted modules or lie in one."""
    return [name for name in imports(tree(path)) if any(f"{name}.".startswith(f"{one}.") for one in wanted)]


def decodes(path: Path) -> bool:
    """Whether a file reads tokens: it imports what can, or calls `decode` of something that sounds like it."""
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute) and node.attr == "decode"]
    sounds = [
        node for node in calls if isinstance(node.value, ast.Name) and node.value.id in {"jwt", "jws", "jwe", "jose"}
    ]
    return bool(names(path, DECODERS + SIGNATURES) or sounds)


def test_one_wrapper_alone_reads_tokens() -> None:
    found = {path for path in SOURCES if decodes(path)}
    assert found <= WRAPPERS
    assert PROVIDER / "protocol" / "jwt.py" in found


def test_the_rule_would_find_another_reader(tmp_path: Path) -> None:
    file = tmp_path / "another.py"
    for line in ("import jwt", "from joserfc import jwt", "from authlib.jose import JsonWebToken", "import jose.jws"):
        file.write_text(line)
        assert decodes(file)
    file.write_text("def read(jwt, token): return jwt.decode(token)")
    assert decodes(file)
    file.write_text("from joserfc.jwk import RSAKey\nimport jwtools\nb''.decode()")
    assert not decodes(file)


def statements(module: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Statement":
            yield node


def constants(module: ast.Module) -> set[str]:
    """The names that a module gives to values of its own, once, outside any function."""
    assigned = [node for node in module.body if isinstance(node, ast.Assign)]
    return {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def test_every_statement_is_written_out_and_its_values_are_bound() -> None:
    """A text may be put together from constants of its own module; never from a value, never inside a function."""
    found = 0
    for path in sorted(PROVIDER.rglob("*.py")):
        module = tree(path)
        for call in statements(module):
            found += 1
            parts = list(ast.walk(call.args[0]))
            assert {part.id for part in parts if isinstance(part, ast.Name)} <= constants(module), (path, call.lineno)
            assert not any(isinstance(part, ast.Call) for part in parts), (path, call.lineno)
    assert found > 50


def test_no_redirect_that_repeats_a_body_exists() -> None:
    for path in PROVIDER.rglob("*.py"):
        numbers = {node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant)}
        assert not numbers & {301, 302, 307, 308}, path.name


# The first versions in which the known flaws of each are mended.
FIXED = {"authlib": (1, 9, 0), "joserfc": (1, 7, 6), "cryptography": (46, 0, 5), "starlette": (0, 49, 1)}


def test_libraries_with_known_flaws_are_locked_at_fixed_versions() -> None:
    locks = (ROOT / "locks" / "run.txt", ROOT / "locks" / "dev.txt")
    found = re.findall(r"^([a-z0-9-]+)==([0-9.]+)", "\n".join(lock.read_text() for lock in locks), re.MULTILINE)
    locked = {(name, tuple(map(int, version.split(".")))) for name, version in found if name in FIXED}
    assert {name for name, _ in locked} == FIXED.keys()
    assert [(name, version) for name, version in locked if version < FIXED[name]] == []
