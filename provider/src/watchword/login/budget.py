"""The budget of an identifier: how many wrong codes it takes, and what strangers get once it runs low.

Strangers share one budget, whatever their network, client and channel. Each remembered device has its own, so that
nobody locks an owner out of the browser they use. A phone keeps one more for longer codes, for a person who has nothing
but a number and a new phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from watchword.accounts import Identifier
from watchword.database import Transaction, budgets
from watchword.login.challenge import CONSONANTS, DIGITS, GUARDED, STRANGERS, Challenge
from watchword.login.limits import RateLimited, Scope
from watchword.login.tags import budget_tag
from watchword.services import Services
from watchword.settings.limits import Windows

_DAY = timedelta(days=1)
_GUARDED_LENGTH = 8  # 34.6 bits in letters, 26.6 in digits


@dataclass(frozen=True, slots=True)
class Terms:
    """How a new challenge is guessed at: which budget counts, and what its code looks like."""

    scope: str
    alphabet: str
    length: int


async def terms_for(services: Services, identifier: Identifier, device: UUID | None) -> Terms:
    """Return the terms of a new challenge. One statement.

    Raises:
        RateLimited: the budget is spent.
    """
    scopes = (STRANGERS, GUARDED) if device is None else (str(device), str(device))
    longest = max(_DAY, *(window.period for window in _windows(services, scopes[0])))
    about = budget_tag(services, identifier)
    failures, guarded = await budgets.recent(services.database, about, scopes, period=longest)
    if device is not None:
        _check(services, str(device), failures)
        return _plain(services, str(device))
    return _terms_of_strangers(services, identifier, failures, guarded)


def _terms_of_strangers(
    services: Services, identifier: Identifier, failures: Sequence[timedelta], guarded: Sequence[timedelta]
) -> Terms:
    phone = identifier.kind == "phone"
    if phone and lifts_in(failures, services.settings.failures_per_identifier) is not None:
        _check(services, GUARDED, guarded)
        return _guarded(services, identifier, GUARDED)
    _check(services, STRANGERS, failures)
    today = sum(1 for age in failures if age < _DAY)
    if services.condition.guarded or today >= services.settings.guard_identifier_after:
        return _guarded(services, identifier, STRANGERS)
    return _plain(services, STRANGERS)


async def charge_guess(services: Services, challenge: Challenge) -> UUID:
    """Count a guess that is about to be compared, and commit it. One transaction of two statements, three if refused.

    Raises:
        RateLimited: the budget is spent; nothing was counted.
    """
    guess_id, scope = uuid4(), challenge.scope
    about, windows = budget_tag(services, challenge.identifier), _windows(services, scope)

    async def work(transaction: Transaction) -> Sequence[timedelta] | None:
        if await budgets.charge(transaction, guess_id, tag=about, scope=scope, windows=windows):
            return None
        period = max(window.period for window in windows)
        return (await budgets.recent(transaction, about, (scope, scope), period=period))[0]

    spent = await services.database.transaction(work)
    if spent is not None:
        raise _refusal(scope, lifts_in(spent, windows) or timedelta(0))
    return guess_id


def lifts_in(ages: Sequence[timedelta], windows: Windows) -> timedelta | None:
    """Return how long until a spent budget takes a guess again; None when it takes one now.

    `ages` are those of the failures, the newest first. A window is open again once fewer than its amount lie inside it.
    """
    waits = [window.period - ages[window.amount - 1] for window in windows if len(ages) >= window.amount]
    return max((wait for wait in waits if wait > timedelta(0)), default=None)


def _check(services: Services, scope: str, failures: Sequence[timedelta]) -> None:
    wait = lifts_in(failures, _windows(services, scope))
    if wait is not None:
        raise _refusal(scope, wait)


def _refusal(scope: str, wait: timedelta) -> RateLimited:
    if scope in {STRANGERS, GUARDED}:
        return RateLimited("failures_per_identifier", Scope.IDENTIFIER, wait)
    return RateLimited("failures_per_device", Scope.BROWSER, wait)


def _windows(services: Services, scope: str) -> Windows:
    settings = services.settings
    return settings.failures_per_identifier if scope in {STRANGERS, GUARDED} else settings.failures_per_device


def _plain(services: Services, scope: str) -> Terms:
    return Terms(scope, DIGITS, services.settings.one_time_code_length)


def _guarded(services: Services, identifier: Identifier, scope: str) -> Terms:
    if identifier.value in services.settings.test_identifiers:  # its code is fixed, and so is its shape
        return _plain(services, scope)
    alphabet = DIGITS if identifier.kind == "phone" else CONSONANTS
    return Terms(scope, alphabet, max(_GUARDED_LENGTH, services.settings.one_time_code_length))
