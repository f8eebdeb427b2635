"""Interactions: an authorization request that waits while a person signs in or says yes.

The record holds the request's own parameters, which are checked anew whenever it goes on, and is bound to one browser.
"""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from watchword.accounts import Identifier
from watchword.clock import from_microseconds, to_microseconds
from watchword.protocol.digests import fingerprint
from watchword.protocol.interaction import Consent, Progress
from watchword.protocol.parameters import Parameters
from watchword.services import Services

LIFETIME = timedelta(hours=1)
_FINISHED_IS_KNOWN = timedelta(minutes=10)
_ID_LENGTH = 22
_FINISHED = b"finished:"


@dataclass(frozen=True, slots=True)
class Interaction:
    """One waiting request. `browser` is the hash of the secret of the browser it belongs to, empty until one claims it.

    `locale` is the language its person chose, empty until they did. `record` is what the store holds; changes are
    swapped against it. Of one that is `finished` only the browser is still known.
    """

    id: str
    parameters: Parameters
    started_at: datetime
    browser: str = ""
    cancelled: bool = False
    consented: Consent | None = None
    consented_by: UUID | None = None
    selected: UUID | None = None
    another: bool = False
    locale: str = ""
    identifier: Identifier | None = None
    finished: bool = False
    record: bytes = field(default=b"", repr=False)

    @property
    def progress(self) -> Progress:
        """What the dispatcher needs to know of it."""
        return Progress(self.started_at, self.cancelled, self.consented, self.consented_by, self.selected, self.another)


async def begin(services: Services, parameters: Parameters, *, binding: str | None) -> Interaction:
    """Keep a request for the browser that holds `binding`. One step of the ephemeral store.

    Without a binding (a cross-site POST, which carries no cookies) the first browser that opens it claims it.
    """
    interaction = Interaction(
        id=secrets.token_urlsafe(16),
        parameters=parameters,
        started_at=services.clock.now(),
        browser=_browser(binding) if binding else "",
    )
    record = _write(interaction)
    await services.ephemeral.put(_key(interaction.id), record, LIFETIME)
    return replace(interaction, record=record)


async def find(services: Services, interaction_id: str, *, binding: str | None) -> Interaction | None:
    """Return an interaction of this browser. One step of the ephemeral store; one more to claim an unclaimed one."""
    if len(interaction_id) != _ID_LENGTH or not binding:
        return None
    record = await services.ephemeral.get(_key(interaction_id))
    if record is None:
        return None
    interaction = _read(interaction_id, record)
    if not interaction.browser:
        claimed = await update(services, replace(interaction, browser=_browser(binding)))
        # Where another tab was faster, it is claimed by now: by this browser or by another one.
        return claimed or await find(services, interaction_id, binding=binding)
    return interaction if secrets.compare_digest(interaction.browser, _browser(binding)) else None


async def update(services: Services, changed: Interaction) -> Interaction | None:
    """Keep a changed interaction; None when another request changed it first. One step of the ephemeral store."""
    record = _write(changed)
    if not await services.ephemeral.swap(_key(changed.id), changed.record, record, LIFETIME):
        return None
    return replace(changed, record=record)


async def finish(services: Services, interaction: Interaction) -> bool:
    """Mark an interaction answered: exactly one of any number of callers may answer it. One step of the store."""
    record = _FINISHED + bytes.fromhex(interaction.browser)
    return await services.ephemeral.swap(_key(interaction.id), interaction.record, record, _FINISHED_IS_KNOWN)


async def reopen(services: Services, interaction: Interaction) -> None:
    """Take `finish` back: what should have answered the request could not be stored. One step of the store."""
    await services.ephemeral.put(_key(interaction.id), interaction.record, LIFETIME)


def location(services: Services, path: str, interaction: Interaction) -> str:
    """Return the address that goes on with an interaction at one of our paths."""
    return f"{services.issuer}{path}?interaction={interaction.id}"  # ours, so there is nothing to encode


def _key(interaction_id: str) -> str:
    return f"interaction:{interaction_id}"


def _browser(binding: str) -> str:
    return fingerprint(binding).hex()


def _write(interaction: Interaction) -> bytes:
    consented, identifier = interaction.consented, interaction.identifier
    return orjson.dumps(
        {
            "parameters": interaction.parameters.pairs(),
            "started_at": to_microseconds(interaction.started_at),
            "browser": interaction.browser,
            "cancelled": interaction.cancelled,
            "consented": consented and {name: sorted(scopes) for name, scopes in consented.scopes.items()},
            "consented_by": interaction.consented_by and str(interaction.consented_by),
            "selected": interaction.selected and str(interaction.selected),
            "another": interaction.another,
            "locale": interaction.locale,
            "identifier": identifier and [identifier.kind, identifier.value, identifier.display],
        }
    )


def _read(interaction_id: str, record: bytes) -> Interaction:
    if record.startswith(_FINISHED):
        return _finished(interaction_id, record)
    data: dict[str, Any] = orjson.loads(record)
    consented, identifier = data["consented"], data["identifier"]
    return Interaction(
        id=interaction_id,
        parameters=Parameters([(name, value) for name, value in data["parameters"]]),
        started_at=from_microseconds(data["started_at"]),
        browser=data["browser"],
        cancelled=data["cancelled"],
        consented=Consent({name: frozenset(scopes) for name, scopes in consented.items()}) if consented else None,
        consented_by=_account(data["consented_by"]),
        selected=_account(data.get("selected")),
        another=data.get("another", False),
        locale=data["locale"],
        identifier=Identifier(*identifier) if identifier else None,
        record=record,
    )


def _account(written: str | None) -> UUID | None:
    return UUID(written) if written else None


def _finished(interaction_id: str, record: bytes) -> Interaction:
    browser = record.removeprefix(_FINISHED).hex()
    return Interaction(interaction_id, Parameters([]), from_microseconds(0), browser, finished=True, record=record)
