"""The limits on sending and guessing: what is counted against whom, and how a refusal names what refused.

Limits of different channels have keys of their own, so that one never closes another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache

from watchword.accounts import Identifier
from watchword.delivery.message import Channel
from watchword.ephemeral import Charge, Limit
from watchword.login.challenge import LONGEST_LIFE
from watchword.login.networks import networks_of
from watchword.login.tags import mailbox_of, rate_key
from watchword.protocol.errors import ProtocolError
from watchword.services import Services
from watchword.settings.limits import Window, Windows

_GUARDED_DIVISOR = 4
_SHORTEST_WAIT = timedelta(seconds=1)


class Scope(StrEnum):
    """What a limit is counted for, as a refusal names it."""

    IDENTIFIER = "identifier"
    NETWORK = "network"
    BROWSER = "browser"


class RateLimited(ProtocolError):
    """Too many codes were sent, or too many wrong ones typed.

    `limit` names the setting that refuses, `scope` whose share is used up, `retry_after` when it lifts. All three are
    the same for identifiers that nobody has.
    """

    error = "rate_limited"
    status = 429

    def __init__(self, limit: str, scope: Scope, retry_after: timedelta) -> None:
        self.limit, self.scope = limit, scope
        self.retry_after = max(retry_after, _SHORTEST_WAIT)
        what = "wrong codes" if self.about_guesses else "codes"
        super().__init__(f"Too many {what} for this {scope} ({limit}). Wait before trying again.")

    @property
    def about_guesses(self) -> bool:
        """Whether wrong codes were counted; else codes that were sent."""
        return self.limit.startswith("failures_")


@dataclass(frozen=True, slots=True)
class Counted:
    """A charge, and what its key stands for."""

    charge: Charge
    scope: Scope


async def charge(services: Services, counted: Sequence[Counted]) -> None:
    """Count all of it or nothing. One step of the ephemeral store; none where limits are off.

    Raises:
        RateLimited: nothing was counted.
    """
    if not counted:
        return
    refusal = await services.ephemeral.charge([each.charge for each in counted])
    if refusal is not None:
        scope = next(each.scope for each in counted if each.charge.key == refusal.key)
        raise RateLimited(_setting_of(refusal.limit), scope, refusal.retry_after)


async def refund(services: Services, counted: Sequence[Counted]) -> None:
    """Give back what was counted for something that then did not happen. One step of the ephemeral store."""
    if counted:
        await services.ephemeral.refund([each.charge for each in counted])


def sending(
    services: Services, identifier: Identifier, channel: Channel, *, device: str | None, address: str, begins: bool
) -> tuple[Counted, ...]:
    """Return what one code sent is counted as.

    A remembered device has a share of its own and no network: strangers cannot use it up, and it cannot be used to send
    to others. Everybody else shares what the identifier and their network have; `begins` says that it is another
    browser waiting for a code.
    """
    settings = services.settings
    if settings.test_limits == "off":
        return ()
    limits = cool_downs(settings.cool_downs) + at_most("sends_per_identifier", settings.sends_per_identifier)
    own = _own_sends(services, limits, identifier, channel, device)
    if device is not None:
        return (own,)
    networks = _networks(services, f"send {channel}", address, "sends_per_network", settings.sends_per_network)
    return (own, *networks, _live(services, identifier)) if begins else (own, *networks)


def arrived(
    services: Services, identifier: Identifier, channel: Channel, *, device: str | None, sends: int
) -> tuple[Counted, ...]:
    """Return what a code that turned out right no longer counts as: its person may ask for the next at once.

    The waits between its sends, and the place among those who wait. What was sent in an hour and in a day stays.
    """
    settings = services.settings
    if settings.test_limits == "off":
        return ()
    waits = (_own_sends(services, cool_downs(settings.cool_downs), identifier, channel, device),) * sends
    return waits if device is not None else (*waits, _live(services, identifier))


def _own_sends(
    services: Services, limits: tuple[Limit, ...], identifier: Identifier, channel: Channel, device: str | None
) -> Counted:
    if device is not None:
        return Counted(Charge(limits, rate_key(services, f"send {channel}", "device", device)), Scope.BROWSER)
    key = rate_key(services, f"send {channel}", identifier.kind, mailbox_of(identifier))
    return Counted(Charge(limits, key), Scope.IDENTIFIER)


def _live(services: Services, identifier: Identifier) -> Counted:
    """One more may begin whenever one that was begun is certainly over."""
    live = Limit.spaced("live_challenges", services.settings.live_challenges, LONGEST_LIFE)
    return Counted(Charge((live,), rate_key(services, "live", identifier.kind, identifier.value)), Scope.IDENTIFIER)


def guessing(services: Services, *, device: str | None, address: str) -> tuple[Counted, ...]:
    """Return what one guess is counted as against its network, until it turns out right.

    A remembered device is not counted, for it has a budget of its own: strangers on its network do not stop it.
    """
    settings = services.settings
    if settings.test_limits == "off" or device is not None:
        return ()
    return tuple(_networks(services, "guess", address, "failures_per_network", settings.failures_per_network))


def _networks(services: Services, purpose: str, address: str, setting: str, windows: Windows) -> Iterator[Counted]:
    divisor = _GUARDED_DIVISOR if services.condition.guarded else 1
    for network, share in networks_of(address):
        limits = at_most(setting, windows, share=share, divisor=divisor)
        yield Counted(Charge(limits, rate_key(services, purpose, "network", network)), Scope.NETWORK)


@cache
def at_most(setting: str, windows: tuple[Window, ...], *, share: int = 1, divisor: int = 1) -> tuple[Limit, ...]:
    """Return the limits of a setting's windows, `share` times as wide and `divisor` times as narrow."""
    return tuple(
        Limit.at_most(f"{setting}_{number}", max(window.amount * share // divisor, 1), window.period)
        for number, window in enumerate(windows, 1)
    )


@cache
def cool_downs(waits: tuple[timedelta, ...]) -> tuple[Limit, ...]:
    """Return growing waits as limits: after k sends the next one waits until the first k waits are over.

    A limit that takes k at once and one more every w1 + ... + wk admits the (k+1)-th no earlier than w1 + ... + wk
    after the first, which is when the waits would have admitted it.
    """
    return tuple(
        Limit.spaced(f"cool_down_{number}", number, sum(waits[:number], timedelta(0)))
        for number in range(1, len(waits) + 1)
    )


def _setting_of(limit: Limit) -> str:
    name, _, number = limit.name.rpartition("_")
    return name if number.isdecimal() else limit.name
