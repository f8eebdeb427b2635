"""Authentication context classes: what a sign-in amounts to, and what a client demands of one.

A sign-in has a method (`email`, `sms`, `whatsapp`), known from its `amr`; the operator's table gives each method its
`acr` value. One demand is met by one of its values exactly: there is no order among them, so a weaker method never
passes for a stronger one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

METHODS: Final = ("email", "sms", "whatsapp")
# Which kind of identifier a method proves.
KIND_OF_METHOD: Final[Mapping[str, str]] = {"email": "email", "sms": "phone", "whatsapp": "phone"}


@dataclass(frozen=True, slots=True)
class AcrDemand:
    """The `acr` values that a client asks for, in its order; any of them will do, and none asks for nothing.

    `essential`: without one of them there is no answer (OpenID Connect Core section 5.5.1.1). Otherwise they are
    wishes, as all of `acr_values` are.
    """

    values: tuple[str, ...] = ()
    essential: bool = False

    def within(self, supported: Collection[str]) -> frozenset[str]:
        """Return the values that can be had here."""
        return frozenset(value for value in self.values if value in supported)


NO_DEMAND: Final = AcrDemand()


def method_of(amr: Iterable[str]) -> str | None:
    """Return the method that `amr` tells of; None when it is none of ours."""
    used = frozenset(amr)
    if "otp" not in used:
        return None
    return next((method for method in ("whatsapp", "sms") if method in used), "email")


def acr_of(amr: Iterable[str], table: Mapping[str, str]) -> str | None:
    """Return the `acr` of a sign-in by the operator's table from methods to values; None when it has none."""
    method = method_of(amr)
    return None if method is None else table.get(method)


def kinds_for(demand: AcrDemand, table: Mapping[str, str]) -> frozenset[str]:
    """Return the kinds of identifiers whose proof meets a demand. All when it asks for nothing that can be had."""
    wanted = demand.within(table.values()) or table.values()
    return frozenset(KIND_OF_METHOD[method] for method, acr in table.items() if acr in wanted)
