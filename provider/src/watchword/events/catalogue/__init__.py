"""Every event that can be recorded: a closed list. A name is never used for something else once it was released.

No field can hold a code, a token or a whole identifier: identifiers arrive masked.
"""

from types import ModuleType

from watchword.events.catalogue import clients, codes, operation, people, protocol
from watchword.events.catalogue.event import Event

_MODULES: tuple[ModuleType, ...] = (clients, codes, operation, people, protocol)


def catalogue() -> tuple[type[Event], ...]:
    """Return every event, by name."""
    # A slotted dataclass is a second class beside the one that was written; whichever is in its module counts.
    own = (thing for module in _MODULES for thing in vars(module).values() if isinstance(thing, type))
    found = (thing for thing in own if issubclass(thing, Event) and thing is not Event)
    return tuple(sorted(found, key=lambda event: event.name))
