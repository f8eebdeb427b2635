"""Before workers start: the schema, the store's row and the first keys, made once by the parent process."""

from watchword import database as durable
from watchword.clock import Clock
from watchword.database import Transaction, migrate, store
from watchword.keys import Roots, make_first_keys
from watchword.secret_key import resolve_secret_key
from watchword.settings import Settings, SettingsError


def upgrade_schema(settings: Settings, *, on_request: bool) -> None:
    """Bring the schema up to date. The embedded store upgrades itself, others only on request.

    Raises:
        SettingsError: the schema is old and nobody asked for the upgrade.
    """
    try:
        embedded = durable.is_embedded(settings.database_url)
        durable.open_database(settings.database_url, Clock())
    except ValueError as problem:
        raise SettingsError("WATCHWORD_DATABASE_URL", str(problem), "Give a SQLite file.") from None
    if embedded:
        durable.prepare_file(settings.database_url)
    if migrate.is_current(settings.database_url):
        return
    if not (embedded or on_request):
        raise SettingsError("WATCHWORD_DATABASE_URL", "the schema is not up to date", "Run `watchword db upgrade`.")
    migrate.upgrade(settings.database_url)


async def prepare_store(settings: Settings) -> None:
    """Make the store's row and the first keys where they are missing."""
    previous = settings.secret_key_previous
    roots = Roots.derive(resolve_secret_key(settings), previous.get_secret_value() if previous else None)
    database = durable.open_database(settings.database_url, Clock())

    async def work(transaction: Transaction) -> None:
        await store.prepare(transaction)

    try:
        await database.transaction(work)
        await make_first_keys(database, roots)
    finally:
        await database.close()
