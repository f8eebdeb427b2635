"""Before workers start: settings checked to the end; schema, store's row and first keys made once by the parent."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from watchword import database as durable
from watchword.clock import Clock
from watchword.database import Database, StoreUnavailable, Trail, Transaction, migrate, replicas, store
from watchword.database.keys import StoredSigningKey
from watchword.ephemeral import StoreUnfit, open_store
from watchword.events import Caller, record
from watchword.events.catalogue.operation import KeyMade
from watchword.keys import (
    Roots,
    UndecipherableKey,
    WeakKey,
    load_keyring,
    load_roots,
    make_first_keys,
    reseal_keys,
)
from watchword.messages.gateways import open_gateways
from watchword.messages.mailbox import Mailbox
from watchword.settings import PREFIX, Settings, SettingsError

_DATABASE_URL = "WATCHWORD_DATABASE_URL"
_EPHEMERAL_URL = "WATCHWORD_EPHEMERAL_URL"
_SEE_THE_SERVER = "See that the server runs and that the URL is right, then start again."
MOST_CLOCK_DIFFERENCE = timedelta(seconds=5)


def check_settings(settings: Settings) -> None:
    """See that stores, gateways and countries are ones we have: what workers would else find out one by one.

    Opens the gateways and forgets them, which connects nothing. Whether a server behind one answers is not checked.

    Raises:
        SettingsError: naming the setting that cannot be used.
    """
    check_stores(settings)
    if settings.phone_regions:
        _check_countries(settings)
    clock = Clock()
    open_gateways(settings, now=clock.now, journal=Mailbox(open_store(settings.ephemeral_url, now=clock.now)))


def check_stores(settings: Settings) -> None:
    """See that the stores' URLs name stores we have, and two of them. Opens neither.

    Raises:
        SettingsError: naming the URL that cannot be used.
    """
    try:
        durable.open_database(settings.database_url, Clock())
    except ValueError as problem:
        raise SettingsError(_DATABASE_URL, str(problem), "Give a SQLite file, or a PostgreSQL database.") from None
    try:
        open_store(settings.ephemeral_url, now=Clock().now)
    except ValueError as problem:
        raise SettingsError(_EPHEMERAL_URL, str(problem), "A SQLite file is the default.") from None
    if settings.ephemeral_url.startswith("sqlite:") and _file(settings.database_url) == _file(settings.ephemeral_url):
        raise SettingsError(_EPHEMERAL_URL, "is the file of the durable store", "Give it a file of its own.")


def upgrade_schema(settings: Settings, *, on_request: bool) -> None:
    """Bring the schema up to date. The embedded store upgrades itself, others only on request.

    Raises:
        SettingsError: the schema is old and nobody asked for the upgrade, or a store cannot be used.
    """
    check_stores(settings)
    embedded = durable.is_embedded(settings.database_url)
    if embedded:
        try:
            durable.prepare_file(settings.database_url)
        except StoreUnavailable as problem:
            raise SettingsError(_DATABASE_URL, str(problem), "Give a SQLite file that nobody holds locked.") from None
    try:
        if migrate.is_current(settings.database_url):
            return
        if not (embedded or on_request):
            raise SettingsError(_DATABASE_URL, "the schema is not up to date", "Run `watchword db upgrade`.")
        migrate.upgrade(settings.database_url)
    except StoreUnavailable as problem:
        raise SettingsError(_DATABASE_URL, str(problem), _SEE_THE_SERVER) from None


async def prepare_store(settings: Settings) -> None:
    """Make the store's row and the first keys where they are missing, and see that every key can be used.

    Raises:
        SettingsError: the keys were sealed under another secret key, one is too weak, the store cannot be written or
            tells another time, or the ephemeral one is not fit to hold what it is told.
    """
    await _check_ephemeral_store(settings)
    roots = load_roots(settings)
    database = durable.open_database(settings.database_url, Clock())
    try:
        await _prepare(database, roots, settings.rsa_bits)
        check_clocks(Clock().now(), await store.clock(database))
    except UndecipherableKey:
        raise SettingsError(
            "WATCHWORD_SECRET_KEY",
            "does not open the keys in the database, which were made under another one",
            "Give that one, or give it as WATCHWORD_SECRET_KEY_PREVIOUS to change it.",
        ) from None
    except WeakKey as problem:
        raise SettingsError(_DATABASE_URL, str(problem), "Give the database its own keys back.") from None
    except StoreUnavailable as problem:
        remedy = "See which process holds it, then start again."
        embedded = durable.is_embedded(settings.database_url)
        raise SettingsError(_DATABASE_URL, str(problem), remedy if embedded else _SEE_THE_SERVER) from None
    finally:
        await database.close()


def check_clocks(here: datetime, in_the_store: datetime | None) -> None:
    """See that this machine and the database's agree on the time: tokens carry the one's, rows the other's.

    Raises:
        SettingsError: they differ by more than five seconds.
    """
    if in_the_store is not None and abs(in_the_store - here) > MOST_CLOCK_DIFFERENCE:
        raise SettingsError(
            _DATABASE_URL,
            f"the server's clock and this machine's differ by {abs(in_the_store - here).total_seconds():.0f} s",
            "Keep both right by NTP, then start again.",
        )


async def check_pairing(settings: Settings) -> None:
    """See that no live worker uses another ephemeral store with this database: single use means nothing on two.

    Workers that are started at the same moment find out by themselves and answer 503 where codes are concerned.

    Raises:
        SettingsError: one does, or a store does not answer.
    """
    if settings.ephemeral_url.startswith("memory:"):
        return  # every process has its own
    clock = Clock()
    database = durable.open_database(settings.database_url, clock)
    ephemeral = open_store(settings.ephemeral_url, now=clock.now)
    try:
        row = await store.find(database)
        clock.offset = row.clock_offset if row is not None and settings.env == "test" else clock.offset
        if await replicas.sees_another(database, await ephemeral.identity()):
            raise SettingsError(
                _EPHEMERAL_URL,
                "is another store than the one other running replicas use with this database",
                "Give the same one, or stop them first and wait 15 seconds.",
            )
    except StoreUnavailable as problem:
        raise SettingsError(_EPHEMERAL_URL, str(problem), "See that it runs, then start again.") from None
    finally:
        await ephemeral.close()
        await database.close()


async def _check_ephemeral_store(settings: Settings) -> None:
    ephemeral = open_store(settings.ephemeral_url, now=Clock().now)
    try:
        await ephemeral.check()
    except StoreUnfit as unfit:
        raise SettingsError(_EPHEMERAL_URL, unfit.problem, unfit.remedy) from None
    except StoreUnavailable as problem:
        raise SettingsError(_EPHEMERAL_URL, str(problem), "See that it runs, then start again.") from None
    finally:
        await ephemeral.close()


def _check_countries(settings: Settings) -> None:
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415 - large tables

    for name, regions in (("PHONE_REGIONS", settings.phone_regions), ("DEFAULT_REGION", (settings.default_region,))):
        for region in regions:
            if region not in SUPPORTED_REGIONS:
                raise SettingsError(
                    PREFIX + name, f"holds {region!r}, which is no country with phone numbers", "Give codes such as IN."
                )


async def _prepare(database: Database, roots: Roots, rsa_bits: int) -> None:
    await database.transaction(store.prepare)
    made = await make_first_keys(database, roots, rsa_bits=rsa_bits)
    await reseal_keys(database, roots)
    keyring = await load_keyring(database, roots)
    if made:  # told right after: the key that marks events is among the first
        database.trail = Trail(keyring.audit.current, keyring.audit.secret, Clock().microseconds)
        await database.transaction(lambda transaction: _tell(transaction, made))


async def _tell(transaction: Transaction, made: Iterable[StoredSigningKey]) -> None:
    for key in made:
        await record(transaction, KeyMade(kid=key.kid, algorithm=key.algorithm, state=key.state), Caller())


def _file(url: str) -> Path:
    return Path(url.partition(":///")[2]).resolve()
