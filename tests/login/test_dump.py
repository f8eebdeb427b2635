"""What a stolen copy of both stores tells about a live code: nothing, and nothing to try codes against."""

import hashlib
import hmac
import re
import sqlite3
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import orjson

from tests.login.doors import fresh_email, page_of, until
from tests.support.person import Person
from tests.support.relying_party import RelyingParty
from tests.support.secrecy import remember_secret
from tests.support.smtp import running_smtp_server

_HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")


def _stored(file: Path) -> Iterator[bytes]:
    """Every value of every table, and of every JSON document in one."""
    with closing(sqlite3.connect(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):
                for value in row:
                    yield from _leaves(value)


def _leaves(value: object) -> Iterator[bytes]:
    raw = value if isinstance(value, bytes) else str(value).encode()
    yield raw
    if raw[:1] in {b"{", b"["}:
        with suppress(orjson.JSONDecodeError):  # a MAC may begin like a document
            yield from _members(orjson.loads(raw))
    try:
        yield bytes.fromhex(raw.decode())
    except ValueError:
        return


def _members(document: object) -> Iterator[bytes]:
    if isinstance(document, dict | list):
        for member in document.values() if isinstance(document, dict) else document:
            yield from _members(member)
    else:
        yield from _leaves(document)


def _digests(code: str, salts: set[bytes]) -> Iterator[bytes]:
    """Every digest of the code that somebody with the copy could make for all million codes."""
    plain = code.encode()
    for name in _HASHES:
        yield hashlib.new(name, plain).digest()
        for salt in salts:
            yield hashlib.new(name, salt + plain).digest()
            yield hashlib.new(name, plain + salt).digest()
            yield hmac.digest(salt, plain, name)


async def test_a_copy_of_both_stores_gives_no_code_and_nothing_to_search_one_with(
    posting_party: RelyingParty, smtp_port: int
) -> None:
    email, folder = fresh_email(), posting_party.provider.folder
    async with running_smtp_server(starttls=False, login=False, port=smtp_port) as server, Person() as person:
        await person.open(posting_party.authorization_url())
        await person.type_identifier(email)
        assert "one_time_code" in page_of(person).text
        [mail] = await until(lambda: server.messages)
    code = remember_secret(mail.mail["Subject"].partition(" ")[0])
    stored = {*_stored(folder / "watchword.sqlite3"), *_stored(folder / "ephemeral.sqlite3")}
    assert email.encode() in stored  # the live challenge is among what was searched
    assert not [value for value in stored if re.search(rb"(?<!\d)" + code.encode() + rb"(?!\d)", value)]
    everything = b"\n".join(stored)
    found = [digest for digest in _digests(code, stored) if _stands_in(digest, everything)]
    assert found == []


def _stands_in(digest: bytes, everything: bytes) -> bool:
    forms = (digest, digest.hex().encode(), b64encode(digest), urlsafe_b64encode(digest).rstrip(b"="))
    return any(form[:16] in everything for form in forms)


def test_the_search_would_find_a_salted_hash() -> None:
    salt = b"challenge-id"
    kept = b"...\n" + hashlib.sha256(salt + b"123456").hexdigest().encode() + b"\n..."
    assert any(_stands_in(digest, kept) for digest in _digests("123456", {salt}))
    assert not any(_stands_in(digest, kept) for digest in _digests("123457", {salt}))


def test_the_files_are_their_owners_alone(posting_party: RelyingParty) -> None:
    for name in ("watchword.sqlite3", "ephemeral.sqlite3"):
        assert (posting_party.provider.folder / name).stat().st_mode & 0o077 == 0
