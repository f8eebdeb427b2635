"""Write the reference pages from the code they describe, or compare them with it: `reference.py [--check]`."""

import difflib
import inspect
import re
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from watchword.cli.commands import command
from watchword.endpoints import ENDPOINTS
from watchword.events.catalogue import catalogue
from watchword.events.catalogue.event import Event
from watchword.pages import PAGES
from watchword.protocol.errors import ProtocolError
from watchword.settings import PREFIX, Settings
from watchword.web.endpoint import Access, Endpoint

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
HEADER = "<!-- Written by scripts/reference.py from the code: change the code, then run `make docs`. -->\n\n"
_NUMBER = r"\d+(?:\.\d+)*"
_SOURCE = re.compile(rf"(?:RFC \d+|OpenID Connect [A-Z][a-z]+) sections? {_NUMBER}(?:(?:,| and) {_NUMBER})*")
_ACCESS = {
    Access.PUBLIC: "anybody",
    Access.PERSON: "a browser",
    Access.CLIENT: "a client that authenticates",
    Access.TOKEN: "a live access token",
    Access.OPERATOR: "whoever the operator lets",
    Access.DEVELOPMENT: "anybody, in development and test mode only",
}


def main(arguments: Sequence[str]) -> int:
    """Write every page; with `--check` only show how the files differ from what would be written."""
    pages = {f"{name}.md": HEADER + "\n".join(write()) + "\n" for name, write in PAGE_WRITERS.items()}
    if "--check" in arguments:
        return check_pages(pages)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def check_pages(pages: dict[str, str]) -> int:
    """Print a diff for every page that is not what the code says, and for every page nobody writes."""
    stored = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
    different = [name for name in sorted(pages.keys() | stored.keys()) if pages.get(name) != stored.get(name)]
    for name in different:
        before, after = stored.get(name, "").splitlines(), pages.get(name, "").splitlines()
        print("\n".join(difflib.unified_diff(before, after, f"docs/reference/{name}", "the code", lineterm="")))
    if different:
        print("run `make docs`", file=sys.stderr)
    return 1 if different else 0


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lay out a Markdown table; a bar inside a cell is escaped."""
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def code(text: str) -> str:
    """Set a text as code; nothing stays nothing."""
    return f"`{text}`" if text else ""


def first_paragraph(thing: object) -> str:
    """Return the first paragraph of a docstring in one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


# --- settings


def settings_page() -> Iterator[str]:
    """List every setting: its variable, what it may hold, its default, its meaning."""
    yield "# Settings\n"
    yield (
        "Each setting is an environment variable, a line in `.env`, a file of that name (lower case) in the\n"
        f"folder that `{PREFIX}SECRETS_DIR` names, or a key of `watchword.toml` (lower case, without the prefix). The\n"
        "first of these that holds it wins. Durations are seconds (`900`) or ISO 8601 (`PT15M`). A value that cannot\n"
        f"be used, and any `{PREFIX}` variable that is not in this list, stops the start with one line that names it.\n"
    )
    rows = (
        (code(PREFIX + name.upper()), setting_type(field), setting_default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    yield from table(("variable", "holds", "default", "meaning"), rows)


def setting_type(field: FieldInfo) -> str:
    """Say in words what a setting may hold, its bounds included."""
    annotation = without_none(field.annotation)
    if get_origin(annotation) is Literal:
        return " or ".join(code(str(choice)) for choice in get_args(annotation))
    names: dict[Any, str] = {int: "whole number", str: "text", SecretStr: "secret", timedelta: "duration", Path: "path"}
    name = names.get(annotation) or ("pairs" if get_origin(annotation) is dict else "list, comma separated")
    return ", ".join([name, *bounds(field)])


def without_none(annotation: Any) -> Any:
    """Return the type that an optional setting holds when it is set."""
    if get_origin(annotation) in {Union, types.UnionType}:
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def bounds(field: FieldInfo) -> Iterator[str]:
    """Say the limits that pydantic will hold a value to."""
    limits = {
        name: getattr(rule, name)
        for rule in field.metadata
        for name in ("ge", "le", "min_length", "max_length", "pattern")
        if getattr(rule, name, None) is not None
    }
    if "ge" in limits and "le" in limits:
        yield f"{spell(limits['ge'])} to {spell(limits['le'])}"
    elif "le" in limits:
        yield f"at most {spell(limits['le'])}"
    if "max_length" in limits:
        yield f"{limits.get('min_length', 0)} to {limits['max_length']} characters"
    if "pattern" in limits:
        yield f"like {code(limits['pattern'])}"


def setting_default(field: FieldInfo) -> str:
    """Say what holds when a setting is not given."""
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined or value in ((), {}):
        return "none"
    if isinstance(value, tuple):
        return code(",".join(str(part.seconds) if isinstance(part, timedelta) else str(part) for part in value))
    return spell(value) if isinstance(value, timedelta) else code(str(value))


def spell(value: object) -> str:
    """Write a duration in its largest whole unit; other values as they are."""
    if not isinstance(value, timedelta):
        return str(value)
    seconds = int(value.total_seconds())
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


# --- endpoints


def endpoints_page() -> Iterator[str]:
    """List the routes of the protocol and of the hosted pages."""
    yield "# Endpoints\n"
    yield "Paths below the issuer. `HEAD` is answered where `GET` is, except where even a `GET` acts."
    for title, routes in (("Protocol", ENDPOINTS), ("Hosted pages", PAGES)):
        yield f"\n## {title}\n"
        rows = (row for endpoint in routes for row in endpoint_rows(endpoint))
        yield from table(("path", "method", "what it does", "who may call it", "member of discovery"), rows)


def endpoint_rows(endpoint: Endpoint) -> Iterator[tuple[str, ...]]:
    """Give methods that share a handler one row."""
    methods: dict[Any, list[str]] = {}
    for method, handler in endpoint.methods.items():
        methods.setdefault(handler, []).append(method)
    for handler, names in methods.items():
        what = first_paragraph(handler)
        yield code(endpoint.path), ", ".join(names), what, _ACCESS[endpoint.access], code(endpoint.metadata or "")


# --- events


def events_page() -> Iterator[str]:
    """List the closed catalogue of audit events."""
    yield "# Audit events\n"
    yield (
        "Every event is written in the transaction of what it tells of. All of them may name an account, a client and\n"
        "a session. Identifiers are masked; no field can hold a code or a token. A name is never reused.\n"
    )
    shared = {field.name for field in fields(Event)}
    by_name = {event.name: event for event in catalogue()}
    rows = (
        (code(name), first_paragraph(event), ", ".join(code(f.name) for f in fields(event) if f.name not in shared))
        for name, event in by_name.items()
    )
    yield from table(("name", "what happened", "its own fields"), rows)


# --- errors


def errors_page() -> Iterator[str]:
    """List every error that can be answered, by its code."""
    yield "# Errors\n"
    yield (
        "Programs get `error` and `error_description` as JSON; people get a page; a relying party gets `error` at its\n"
        "redirect URI once client and redirect URI are trusted. The description says what to do and never repeats\n"
        "input. With status 429 and 503 the header `Retry-After` holds seconds.\n"
    )
    errors = sorted(subclasses(ProtocolError), key=lambda error: (error.error, error.status, error.__name__))
    rows = ((code(error.error), str(error.status), *error_meaning(error)) for error in errors)
    yield from table(("code", "status", "meaning", "source"), rows)


def subclasses(root: type[ProtocolError]) -> Iterator[type[ProtocolError]]:
    """Walk all classes below `root`."""
    for child in root.__subclasses__():
        yield child
        yield from subclasses(child)


def error_meaning(error: type[ProtocolError]) -> tuple[str, str]:
    """Split a docstring into what it says and the section it names; a bare source speaks for itself."""
    text = first_paragraph(error)
    source = _SOURCE.search(text)
    if source is None:
        return text, ""
    meaning = re.sub(rf"[;,]? ?\(?{re.escape(source[0])}\)?", "", text).strip(" .:")
    return f"{meaning[:1].upper()}{meaning[1:] or 'As the standard defines it'}.", source[0]


# --- command line


def cli_page() -> Iterator[str]:
    """Describe every command of `watchword` with its arguments and options."""
    root = get_command(command)
    if not isinstance(root, TyperGroup):
        raise TypeError("watchword is a group of commands")
    yield "# The command `watchword`\n"
    yield f"{root.help}\n"
    yield "A setting that cannot be used is one line and exit status 2; a command that fails, one line and status 1."
    yield from group_pages(root, "watchword")


def group_pages(group: TyperGroup, prefix: str) -> Iterator[str]:
    """Describe the commands of a group, then those of the groups in it."""
    nested = sorted(group.commands.items(), key=lambda entry: isinstance(entry[1], TyperGroup))
    for name, entry in nested:
        if isinstance(entry, TyperGroup):
            yield from group_pages(entry, f"{prefix} {name}")
        elif isinstance(entry, TyperCommand):
            yield from command_page(entry, f"{prefix} {name}")


def command_page(entry: TyperCommand, name: str) -> Iterator[str]:
    """Describe one command."""
    arguments = " ".join(str(p.name).upper() for p in entry.params if not isinstance(p, TyperOption))
    yield f"\n## `{f'{name} {arguments}'.strip()}`\n"
    yield str(entry.help)
    options = [parameter for parameter in entry.params if isinstance(parameter, TyperOption)]
    if options:
        yield ""
        yield from table(("option", "default", "meaning"), map(option_row, options))


def option_row(option: TyperOption) -> tuple[str, str, str]:
    """Describe an option; a switch and an absent value have no default worth naming."""
    default = "**required**" if option.required else "" if option.is_flag else code(str(option.default or ""))
    return code(", ".join(option.opts)), default, option.help or ""


PAGE_WRITERS = {
    "settings": settings_page,
    "endpoints": endpoints_page,
    "events": events_page,
    "errors": errors_page,
    "cli": cli_page,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
