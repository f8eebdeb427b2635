"""`watchword keys`: the signing keys."""

import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from watchword.cli.running import OPERATOR, answer, fail, with_services
from watchword.database import Transaction
from watchword.database import keys as stored
from watchword.events import record
from watchword.events.catalogue.operation import KeyImported, KeyMade, KeyRevoked
from watchword.key_upkeep import rotate_and_tell, tell_rotation
from watchword.keys import rotation
from watchword.keys.importing import MAX_FILE_BYTES, ImportedKey, read_key
from watchword.keys.keyring import ACTIVE, KEY_ALGORITHMS, NEXT, RETIRING
from watchword.keys.making import new_signing_keys, seal_key
from watchword.keys.rotation import Awaited, KeyRefused, Revoked, Rotated, Turn
from watchword.protocol.vocabulary import SigningAlgorithm
from watchword.services import Services

command = typer.Typer(help="Signing keys.", no_args_is_help=True)
_AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@command.command("list")
def list_keys(as_json: _AsJson = False) -> None:
    """List the keys of any state, oldest first, and since when they are in it."""

    async def work(services: Services) -> list[dict[str, str]]:
        return await stored.listing(services.database)

    answer(with_services(work), as_json=as_json)


@command.command()
def rotate(
    algorithm: Annotated[list[str] | None, typer.Option(help="Of this algorithm alone; may be repeated.")] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Even if the next key was published too recently for everybody to know it.")
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Let the next keys sign, and publish keys to follow them. What was signed before stays good.

    A key that was published less than five minutes ago waits for that, since some may keep the key set so long; a
    running provider rotates it then.
    """
    names = [_known(name) for name in algorithm] if algorithm else list(KEY_ALGORITHMS)

    async def work(services: Services) -> list[dict[str, Any]]:
        active = {key.algorithm: key for key in await stored.ages(services.database) if key.state == ACTIVE}
        chosen = [name for name in KEY_ALGORITHMS if name in names and name in active]
        fresh = await new_signing_keys(chosen, services.roots, rsa_bits=services.settings.rsa_bits)
        turns = [Turn(active[name], key) for name, key in zip(chosen, fresh, strict=True)]
        rotated = await services.database.transaction(lambda transaction: _rotate(transaction, turns, at_once=now))
        return [_told(turn) for turn in rotated]

    try:
        answer(with_services(work), as_json=as_json)
    except KeyRefused as refused:
        fail(f"nothing was rotated: {refused}")


async def _rotate(transaction: Transaction, turns: Sequence[Turn], *, at_once: bool) -> Sequence[Rotated | Awaited]:
    if at_once:
        no_time = timedelta(0)
        return await rotate_and_tell(transaction, turns, used=no_time, published=no_time, caller=OPERATOR)
    rotated = await rotation.rotate_when_known(transaction, turns)
    await tell_rotation(transaction, rotated, OPERATOR)
    return rotated


def _told(turn: Rotated | Awaited) -> dict[str, Any]:
    if isinstance(turn, Rotated):
        return {"algorithm": turn.algorithm, "active": turn.kid, "retiring": turn.retiring}
    return {"algorithm": turn.algorithm, "next": turn.kid, "follows_in": max(round(turn.wait.total_seconds()), 1)}


@command.command(context_settings={"ignore_unknown_options": True})  # a thumbprint may begin with a dash
def revoke(
    kid: Annotated[str, typer.Argument(help="The key's name, as `watchword keys list` shows it.")],
    as_json: _AsJson = False,
) -> None:
    """Revoke a key that somebody else may have: at once nothing it signed is good any more.

    If it signed, its successor does from now on.
    """

    async def work(services: Services) -> dict[str, str]:
        found = await stored.find(services.database, kid)
        if found is None:
            raise KeyRefused(f"there is no key {kid}. `watchword keys list` shows them.")
        (fresh,) = await new_signing_keys(
            [_known(found.algorithm)], services.roots, rsa_bits=services.settings.rsa_bits
        )

        async def change(transaction: Transaction) -> Revoked:
            revoked = await rotation.revoke(transaction, kid, fresh)
            event = KeyRevoked(kid=kid, algorithm=revoked.algorithm, successor=revoked.successor or "")
            await record(transaction, event, OPERATOR)
            if revoked.published:
                made = KeyMade(kid=fresh.kid, algorithm=fresh.algorithm, state=NEXT)
                await record(transaction, made, OPERATOR)
            return revoked

        revoked = await services.database.transaction(change)
        return {"revoked": kid, "algorithm": revoked.algorithm} | (
            {"active": revoked.successor} if revoked.successor else {}
        )

    try:
        answer(with_services(work), as_json=as_json)
    except KeyRefused as refused:
        fail(f"nothing was revoked: {refused}")


@command.command("import")
def import_key(
    file: Annotated[Path, typer.Argument(help="PEM (PKCS #8, PKCS #1, SEC 1), a JWK, or a JWK set with one key.")],
    algorithm: Annotated[
        str | None, typer.Option(help="What it is for, if the file does not say; RS256 for an RSA key.")
    ] = None,
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="Publish it for tokens of another provider, and sign nothing with it.")
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Bring a key from elsewhere. It is the next one of its algorithm, and signs after a rotation.

    A JWK keeps its name (kid), so that what it signed elsewhere verifies here; others get their thumbprint (RFC 7638).
    """
    try:
        wanted = None if algorithm is None else _known(algorithm)
        with warnings.catch_warnings(action="ignore"):  # of a weak key, which is refused in our own words
            imported = read_key(_content(file), algorithm=wanted, verify_only=verify_only)
        state = RETIRING if verify_only else NEXT
        answer(with_services(lambda services: _take_in(services, imported, state)), as_json=as_json)
    except KeyRefused as refused:
        fail(f"nothing was imported: {refused}")


async def _take_in(services: Services, imported: ImportedKey, state: str) -> dict[str, Any]:
    key = seal_key(imported.algorithm, imported.key, services.roots, state=state, kid=imported.kid)

    async def change(transaction: Transaction) -> None:
        await rotation.take_in(transaction, key)
        await record(transaction, KeyImported(kid=key.kid, algorithm=key.algorithm, state=state), OPERATOR)

    await services.database.transaction(change)
    return {"kid": key.kid, "algorithm": key.algorithm, "state": state}


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as problem:
        raise KeyRefused(f"cannot read {file}: {problem.strerror}.") from None


def _known(name: str) -> SigningAlgorithm:
    wanted = "EdDSA" if name == "Ed25519" else name  # one key for both names
    found = next((known for known in KEY_ALGORITHMS if known == wanted), None)
    return found or fail(f"--algorithm {name}: is none of {', '.join(KEY_ALGORITHMS)}.")
