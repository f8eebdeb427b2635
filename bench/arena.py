"""Everybody who is measured in a run, started side by side; whoever cannot be had is left out with one line."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from bench.contender import Clients, Contender, Name, Registration, SignedIn
from bench.load import Sender
from bench.ours import prepare, running_ours
from bench.peers.contenders import running_flask, running_node
from bench.peers.install import PeerMissing
from bench.plan import Plan, Selection
from bench.scenarios import OF_BARE
from bench.server import Failed, running_bare
from bench.stores import StoresMissing, running_stores


@contextlib.asynccontextmanager
async def running_contenders(plan: Plan, selection: Selection, folder: Path) -> AsyncIterator[list[Contender]]:
    """Run the floor, ours on each chosen pair of stores, and the chosen peers."""
    async with contextlib.AsyncExitStack() as stack:
        bare = stack.enter_context(running_bare(folder))
        contenders = [Contender(Name.BARE, bare, OF_BARE, Clients(_STRANGER, _STRANGER), _NobodyWalks())]
        if "embedded" in selection.pairs:
            contenders += await _embedded(stack, plan, selection, folder)
        if "networked" in selection.pairs:
            contenders += await _networked(stack, plan, selection, folder)
        yield contenders


async def _embedded(
    stack: contextlib.AsyncExitStack, plan: Plan, selection: Selection, folder: Path
) -> list[Contender]:
    prepared = await prepare(folder / "embedded", plan.people)
    running = running_ours(Name.EMBEDDED, prepared, folder / "embedded.log")
    contenders = [await stack.enter_async_context(running)]
    if "node" in selection.peers:
        contenders += _peer(stack, Name.NODE_MEMORY, running_node(folder))
    if "flask" in selection.peers:
        contenders += _peer(stack, Name.FLASK, running_flask(folder))
    return contenders


async def _networked(
    stack: contextlib.AsyncExitStack, plan: Plan, selection: Selection, folder: Path
) -> list[Contender]:
    try:
        stores = await stack.enter_async_context(running_stores(folder))
        urls = {"DATABASE_URL": stores.postgres, "EPHEMERAL_URL": stores.redis}
        prepared = await prepare(folder / "networked", plan.people, **urls)
        running = running_ours(Name.NETWORKED, prepared, folder / "networked.log")
        contenders = [await stack.enter_async_context(running)]
    except (StoresMissing, Failed) as problem:
        print(f"skipped: {Name.NETWORKED} ({problem})", file=sys.stderr)
        return []
    if "node" in selection.peers:
        contenders += _peer(stack, Name.NODE_REDIS, running_node(folder, stores.peer_redis))
    return contenders


def _peer(
    stack: contextlib.AsyncExitStack, name: Name, running: contextlib.AbstractContextManager[Contender]
) -> list[Contender]:
    try:
        return [stack.enter_context(running)]
    except PeerMissing as problem:
        print(f"skipped: {name} ({problem})", file=sys.stderr)
        return []


class _NobodyWalks:
    async def __call__(self, sender: Sender, client: Registration) -> SignedIn:
        raise NotImplementedError("nobody signs in at the bare route")


_STRANGER = Registration("nobody", "nothing")
