"""The people who sign in: each with an identifier and an address of their own, as strangers on the internet have."""

import ipaddress
from dataclasses import dataclass
from itertools import count

# All known to the provider before it starts: enough that nobody comes twice in a run.
PEOPLE = 50_000
_MULTIPLIER = 2_654_435_761  # odd, so that the numbers below 2**32 map one to one


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    identifier: str
    address: str


def person(number: int) -> Person:
    """Return a person: always the same for a number. Neighbouring numbers live in networks far apart."""
    scattered = (number + 1) * _MULTIPLIER % 2**32
    return Person(f"person{number}@bench.example", str(ipaddress.IPv4Address(scattered)))


class People:
    """Hands out one person after another."""

    def __init__(self, most: int = PEOPLE) -> None:
        self._numbers, self._most = count(), most

    def next(self) -> Person:
        """Return the next person."""
        return person(next(self._numbers) % self._most)
