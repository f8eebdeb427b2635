"""Finds secrets in logs: codes as whole words, and tokens, cookies and identifiers in any of their usual spellings.

A code of six digits also occurs by chance in a timestamp or a process number, so those are taken out of a line first;
anything longer is random or an address, and is found wherever it stands.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.support.secrecy import log_file

_NOT_TEXT = frozenset({"timestamp", "request_id"})
_CHANCE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?|\bprocess \[\d+\]", re.IGNORECASE)
_DIGITS = re.compile(r"(?<!\w)(?<!\d\.)\d{4,10}(?!\w)")
_PHONE = re.compile(r"\+?\d[\d\s().\-]{6,}\d")
_HEAD = 8  # characters by which a line is first looked through
_SHORTEST_TOKEN = 12
_LAST_DIGITS = 10  # a number without its country


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not be found, sorted by how it is looked for."""

    codes: frozenset[str]
    phones: frozenset[str]
    spellings: dict[str, tuple[str, ...]]  # by their first characters


def sort_secrets(values: Iterable[str]) -> Secrets:
    """Sort what tests noted. What is neither digits nor an address nor long and without blanks is nobody's secret."""
    codes, phones, spellings = set(), set(), set[str]()
    for value in values:
        if re.fullmatch(r"\d{4,10}", value):
            codes.add(value)
        if re.fullmatch(r"\+?[\d\s().\-]{8,}", value):
            phones.add(re.sub(r"\D", "", value)[-_LAST_DIGITS:])
        elif "@" in value[1:] or (len(value) >= _SHORTEST_TOKEN and not re.search(r"\s", value)):
            spellings.update(text.casefold() for text in (value, quote(value, safe=""), quote_plus(value)))
    heads: dict[str, tuple[str, ...]] = {}
    for spelling in spellings:
        heads[spelling[:_HEAD]] = (*heads.get(spelling[:_HEAD], ()), spelling)
    return Secrets(frozenset(codes), frozenset(phones), heads)


def find_secrets(line: str, secrets: Secrets) -> Iterator[str]:
    """Find every secret in one line of a log, as it stands there."""
    for text in _texts(line):
        clean = _CHANCE.sub(" ", text)
        yield from (found for found in _DIGITS.findall(clean) if found in secrets.codes)
        for found in _PHONE.findall(clean):
            if re.sub(r"\D", "", found)[-_LAST_DIGITS:] in secrets.phones:
                yield found
        yield from _find_spellings(text.casefold(), secrets.spellings)


def sweep(files: Iterable[Path], secrets: Secrets) -> list[str]:
    """Look through files; each finding is `file:line` and the line with its secrets blotted out."""
    return [
        f"{file.name}:{number}: {_blot(line, found)}"
        for file in files
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1)
        if (found := set(find_secrets(line, secrets)))
    ]


def keep_logs_of_this_process() -> None:
    """Write what the packages log inside the test process into a file like those of the processes it starts."""
    keeper = logging.FileHandler(log_file("in-process"), delay=True)
    for package in ("watchword", "watchword_asgi"):
        logging.getLogger(package).addHandler(keeper)


def _find_spellings(text: str, spellings: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for start in range(len(text) - 2):
        for spelling in spellings.get(text[start : start + _HEAD], ()):
            if text.startswith(spelling, start):
                yield spelling


def _texts(line: str) -> Iterator[str]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if isinstance(entry, dict):
        yield from _leaves({name: value for name, value in entry.items() if name not in _NOT_TEXT})
    else:
        yield line


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    else:
        yield str(value)


def _blot(line: str, found: Iterable[str]) -> str:
    for secret in found:
        if secret.casefold() not in line.casefold():
            return "(not shown: it stands there in an escaped form)"
        line = re.sub(re.escape(secret), "█" * 8, line, flags=re.IGNORECASE)
    return line[:500]
