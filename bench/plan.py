"""What a run measures, and for how long."""

import argparse
from collections.abc import Collection
from dataclasses import dataclass

from bench.contender import OURS, Contender, Name
from bench.scenarios import LOGINS, OF_BARE, SCENARIOS, Scenario

BESIDE = 16
"""The connections at which contenders are compared."""
CROWD = 64
"""The connections at which a login must still make no error."""

PAIRS = ("embedded", "networked")
PEERS = ("node", "flask")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure. `seconds` is a round's length by connections."""

    rounds: int
    seconds: dict[int, float]
    limit_repetitions: int
    warm_up: float
    people: int
    starts: int
    footprint_logins: int


FULL = Plan(
    rounds=3,
    seconds={1: 0.3, BESIDE: 0.7, CROWD: 0.7},
    limit_repetitions=1000,
    warm_up=0.5,
    people=50_000,
    starts=3,
    footprint_logins=5000,
)
QUICK = Plan(
    rounds=1,
    seconds={1: 0.05, BESIDE: 0.1, CROWD: 0.1},
    limit_repetitions=100,
    warm_up=0.0,
    people=5000,
    starts=1,
    footprint_logins=64,
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of everything to measure."""

    only: tuple[str, ...] = ()
    pairs: Collection[str] = PAIRS
    peers: Collection[str] = PEERS

    @property
    def whole(self) -> bool:
        """Whether nothing was left out, so that the tables may be written into the document."""
        return not self.only and set(self.pairs) == set(PAIRS) and set(self.peers) == set(PEERS)

    def scenarios(self) -> tuple[Scenario, ...]:
        """Return the chosen scenarios; the floors are always among them."""
        chosen = (s for s in SCENARIOS if not self.only or any(part in s.name for part in self.only))
        names = {each.name for each in chosen} | OF_BARE
        return tuple(each for each in SCENARIOS if each.name in names)


def connections_for(contender: Contender, scenario: Scenario) -> tuple[int, ...]:
    """Return the numbers of connections to measure a scenario at; the peer's only one follows directly on ours."""
    if contender.name not in (*OURS, Name.BARE):
        return (BESIDE,)
    alone = () if contender.name is Name.NETWORKED else (1,)
    crowd = (CROWD,) if scenario.name in LOGINS else ()
    return (*alone, *crowd, BESIDE)


def parse_arguments(arguments: list[str] | None = None) -> tuple[Plan, Selection, argparse.Namespace]:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios to peers and raw limits in one run.")
    parser.add_argument("--quick", action="store_true", help="once and briefly: does everything work?")
    parser.add_argument("--only", type=_words, default=(), help="parts of scenarios' names: login,refresh")
    parser.add_argument("--pair", choices=(*PAIRS, "all"), default="all", help="the stores beneath ours and the peer")
    parser.add_argument("--peer", choices=(*PEERS, "all", "none"), default="all")
    parser.add_argument("--scale", action="store_true", help="instead: 1,000 accounts beside 1,000,000")
    given = parser.parse_args(arguments)
    pairs = PAIRS if given.pair == "all" else (given.pair,)
    peers = {"all": PEERS, "none": ()}.get(given.peer, (given.peer,))
    return QUICK if given.quick else FULL, Selection(given.only, pairs, peers), given


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
