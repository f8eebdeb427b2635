"""Before workers start: settings checked to the end; schema, store's row and first keys made once by the parent."""

from pathlib import Path

from watchword import database as durable
from watchword.clock import Clock
from watchword.database import Database, StoreUnavailable, migrate, store
from watchword.ephemeral import open_store
from watchword.keys import Roots, UndecipherableKey, load_roots, make_first_keys, reseal_keys
from watchword.messages.gateways import open_gateways
from watchword.messages.mailbox import Mailbox
from watchword.settings import PREFIX, Settings, SettingsError

_DATABASE_URL = "WATCHWORD_DATABASE_URL"
_EPHEMERAL_URL = "WATCHWORD_EPHEMERAL_URL"


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
        raise SettingsError(_DATABASE_URL, str(problem), "Give a SQLite file.") from None
    try:
        open_store(settings.ephemeral_url, now=Clock().now)
    except ValueError as problem:
        raise SettingsError(_EPHEMERAL_URL, str(problem), "A SQLite file is the default.") from None
    if _file(settings.database_url) == _file(settings.ephemeral_url):
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
    if migrate.is_current(settings.database_url):
        return
    if not (embedded or on_request):
        raise SettingsError(_DATABASE_URL, "the schema is not up to date", "Run `watchword db upgrade`.")
    migrate.upgrade(settings.database_url)


async def prepare_store(settings: Settings) -> None:
    """Make the store's row and the first keys where they are missing, and see that every key opens.

    Raises:
        SettingsError: the keys were sealed under another secret key, or the store cannot be written.
    """
    roots = load_roots(settings)
    database = durable.open_database(settings.database_url, Clock())
    try:
        await _prepare(database, roots)
    except UndecipherableKey:
        raise SettingsError(
            "WATCHWORD_SECRET_KEY",
            "does not open the keys in the database, which were made under another one",
            "Give that one, or give it as WATCHWORD_SECRET_KEY_PREVIOUS to change it.",
        ) from None
    except StoreUnavailable as problem:
        raise SettingsError(_DATABASE_URL, str(problem), "See which process holds it, then start again.") from None
    finally:
        await database.close()


def _check_countries(settings: Settings) -> None:
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415 - large tables

    for name, regions in (("PHONE_REGIONS", settings.phone_regions), ("DEFAULT_REGION", (settings.default_region,))):
        for region in regions:
            if region not in SUPPORTED_REGIONS:
                raise SettingsError(
                    PREFIX + name, f"holds {region!r}, which is no country with phone numbers", "Give codes such as IN."
                )


async def _prepare(database: Database, roots: Roots) -> None:
    await database.transaction(store.prepare)
    await make_first_keys(database, roots)
    await reseal_keys(database, roots)


def _file(url: str) -> Path:
    return Path(url.partition(":///")[2]).resolve()
