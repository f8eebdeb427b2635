"""The raw limits that no provider on this machine can beat: bare signatures and bare statements, in CPU microseconds.

Signatures are those of `cryptography` with keys of the provider's kind; statements are prepared ones on a plain
`sqlite3` connection with the provider's pragmas, on a file like its own.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from watchword.keys.keyring import RSA_BITS

_MESSAGE = b"m" * 600  # about the signing input of an ID token
_ROWS = 5000
_SCHEMA = """CREATE TABLE entry (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, name TEXT NOT NULL,
    at INTEGER NOT NULL, account_id TEXT, detail TEXT NOT NULL)"""
_INSERT = "INSERT INTO entry (key, name, at, account_id, detail) VALUES (?1, ?2, ?3, ?4, ?5)"
_SELECT = "SELECT id, name, at, account_id, detail FROM entry WHERE key = ?1 AND at < ?2"


class Limits:
    """One set of keys and one file, measured as often as asked."""

    def __init__(self, folder: Path) -> None:
        self._rsa = rsa.generate_private_key(65537, RSA_BITS)
        self._ec = ec.generate_private_key(ec.SECP256R1())
        self._database = _open(folder / "limits.sqlite3")
        self._keys = [os.urandom(32) for _ in range(_ROWS)]
        self._insert_all(self._keys)

    def measure(self, times: int) -> dict[str, float]:
        """Measure each limit over `times` repetitions (the RSA signature over a tenth); CPU microseconds each."""
        signature = self._ec.sign(_MESSAGE, ec.ECDSA(SHA256()))
        public = self._ec.public_key()
        write = _microseconds(lambda: self._insert_all(os.urandom(32) for _ in range(times)), 1) / times
        return {
            "rs256": _microseconds(lambda: self._rsa.sign(_MESSAGE, padding.PKCS1v15(), SHA256()), times // 10),
            "es256": _microseconds(lambda: self._ec.sign(_MESSAGE, ec.ECDSA(SHA256())), times),
            "verification": _microseconds(lambda: public.verify(signature, _MESSAGE, ec.ECDSA(SHA256())), times),
            "read": _microseconds(self._select, times),
            "write": write,
            "commit": _microseconds(self._insert_and_commit, times) - write,
        }

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _select(self) -> None:
        key = self._keys[time.perf_counter_ns() % _ROWS]
        self._database.execute(_SELECT, (key, 1_900_000_000_000_000)).fetchone()

    def _insert(self, key: bytes) -> None:
        row = (
            key,
            "token.issued",
            1_800_000_000_000_000,
            "0b7e0f0e-5b0a-4f3c-9a43-6d8d5c3f2a10",
            '{"grant_type":"refresh_token","scope":"openid"}',
        )
        self._database.execute(_INSERT, row)

    def _insert_and_commit(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._insert(os.urandom(32))
        self._database.execute("COMMIT")

    def _insert_all(self, keys: Iterable[bytes]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        for key in keys:
            self._insert(key)
        self._database.execute("COMMIT")


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(_SCHEMA)
    return connection


def _microseconds(work: Callable[[], object], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times * 1e6
