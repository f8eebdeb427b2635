"""Every gateway with its far side in the tester's hand. A new one joins the conformance suite by a line in `RIGS`."""

import io
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from tests.delivery.examples import NOW, SENDER
from tests.support.smtp import running_smtp_server
from watchword.delivery.gateway import Gateway, Provisions
from watchword.delivery.gateways import open_gateway
from watchword.delivery.gateways.smtp import SmtpGateway
from watchword.delivery.message import Channel


class FarSide(StrEnum):
    """What happens to the next message."""

    TAKES = "takes"
    REFUSES_RECIPIENT = "refuses_recipient"
    FAILS_FOR_NOW = "fails_for_now"
    HANGS = "hangs"


@dataclass(frozen=True, slots=True)
class Rig:
    gateway: Gateway
    arrived: Callable[[], int]  # how many messages the far side has


Opener = Callable[[FarSide, Channel, Path], AbstractAsyncContextManager[Rig]]


class Journal:
    """A journal in memory that can fail as a file or a remote store would."""

    def __init__(self, far_side: FarSide = FarSide.TAKES) -> None:
        self.far_side = far_side
        self.entries: list[bytes] = []

    async def append(self, entry: bytes) -> None:
        match self.far_side:
            case FarSide.HANGS:
                raise TimeoutError("the entry was " + entry.decode())
            case FarSide.FAILS_FOR_NOW:
                raise OSError(28, "no space for " + entry.decode())
            case _:
                self.entries.append(entry)


class BrokenStream(io.StringIO):
    """A terminal that has gone away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "could not write " + text)


@asynccontextmanager
async def _mailbox(far_side: FarSide, channel: Channel, directory: Path) -> AsyncIterator[Rig]:
    journal = Journal(far_side)
    provisions = Provisions(journal=journal, now=lambda: NOW)
    yield Rig(open_gateway("mailbox://", channel, provisions, development=True), lambda: len(journal.entries))


@asynccontextmanager
async def _console(far_side: FarSide, channel: Channel, directory: Path) -> AsyncIterator[Rig]:
    stream = BrokenStream() if far_side is FarSide.FAILS_FOR_NOW else io.StringIO()
    gateway = open_gateway("console://", channel, Provisions(stream=stream), development=True)
    yield Rig(gateway, lambda: stream.getvalue().count("--- " + channel))


@asynccontextmanager
async def _smtp(far_side: FarSide, channel: Channel, directory: Path) -> AsyncIterator[Rig]:
    async with running_smtp_server(directory) as server:
        gateway = open_gateway(server.url(), channel, Provisions(sender=SENDER, now=lambda: NOW))
        assert isinstance(gateway, SmtpGateway)
        match far_side:
            case FarSide.REFUSES_RECIPIENT:
                server.recipient_reply = "550 5.1.1 <asha.private@mail.example> does not exist"
            case FarSide.FAILS_FOR_NOW:
                server.recipient_reply = "450 4.2.0 <asha.private@mail.example> is greylisted"
            case FarSide.HANGS:
                server.hangs = True
                gateway = replace(gateway, total_timeout=timedelta(milliseconds=300))
            case FarSide.TAKES:
                pass
        yield Rig(gateway, lambda: len(server.messages))


ALL: Final = frozenset(FarSide)
RIGS: Final[Mapping[str, tuple[Opener, frozenset[FarSide]]]] = {
    "console": (_console, frozenset({FarSide.TAKES, FarSide.FAILS_FOR_NOW})),
    "mailbox": (_mailbox, ALL - {FarSide.REFUSES_RECIPIENT}),
    "smtp": (_smtp, ALL),
}
"""Gateway to its rig, and to what its far side can do."""
