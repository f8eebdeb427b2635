"""The frozen bundle that every endpoint receives: what the composition root made, and nothing found by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchword.client_keys import ClientKeys
from watchword.clock import Clock
from watchword.condition import Condition
from watchword.database import Database
from watchword.delivery.gateway import Gateway
from watchword.delivery.message import Channel
from watchword.ephemeral import EphemeralStore
from watchword.fetch import Fetch
from watchword.keys import CurrentKeys, Keyring, Roots
from watchword.outbox import Outbox
from watchword.protocol.jwt import SeenTokens
from watchword.registry import Registry
from watchword.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, clock, stores, keys, clients, outbox, gateways by channel, and what is known of the whole provider."""

    settings: Settings
    clock: Clock
    database: Database
    ephemeral: EphemeralStore
    roots: Roots
    keys: CurrentKeys
    restore_epoch: int
    registry: Registry
    outbox: Outbox
    gateways: Mapping[Channel, Gateway]
    condition: Condition
    fetch: Fetch
    client_keys: ClientKeys
    seen_tokens: SeenTokens = field(default_factory=SeenTokens)

    @property
    def issuer(self) -> str:
        """The provider's own URL."""
        return self.settings.issuer

    @property
    def keyring(self) -> Keyring:
        """The keys as they are now. Ask for each use: they rotate while a worker runs."""
        return self.keys.ring
