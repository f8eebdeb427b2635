"""The composition root: settings become services, services and endpoints become an ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from watchword import database as durable
from watchword.clock import Clock
from watchword.database import Transaction, store
from watchword.endpoints import ENDPOINTS
from watchword.ephemeral import open_store
from watchword.housekeeping import follow_parent, keep_house
from watchword.keys import load_keyring, load_roots
from watchword.locale import load_catalogues
from watchword.login.sending import JOB, code_sender
from watchword.messages.gateways import open_gateways
from watchword.messages.mailbox import Mailbox
from watchword.outbox import Outbox
from watchword.pages import PAGES
from watchword.pages.brand import Brand
from watchword.pages.problem import problem_page
from watchword.pages.render import STATIC_PATH, Pages
from watchword.registry import Registry
from watchword.services import Services
from watchword.settings import Settings, load_settings
from watchword.telemetry import configure_logging, get_logger
from watchword.web.dispatch import Dispatch

log = get_logger(__name__)


@dataclass(slots=True)
class Provider:
    """The application of one worker. Services exist between startup and shutdown of its lifespan."""

    settings: Settings
    services: Services | None = None

    def build(self) -> ASGIApp:
        """Return the ASGI application: requests go straight to the dispatch, the lifespan to Starlette."""
        shell = Starlette(lifespan=self._lifespan)
        base_path = urlsplit(self.settings.issuer).path
        dispatch = Dispatch(
            (*ENDPOINTS, *PAGES),
            base_path=base_path,
            renderer=Pages(_brand(self.settings), load_catalogues(), static_path=base_path + STATIC_PATH),
            locales=tuple(load_catalogues()),
            problem_page=problem_page,
            services=self._running,
        )

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await shell(scope, receive, send)
                return
            if self.settings.env == "test":
                await self._follow_clock()
            await dispatch(scope, receive, send)

        return application

    def _running(self) -> Services:
        if self.services is None:
            raise RuntimeError("the application's lifespan has not started")
        return self.services

    async def _follow_clock(self) -> None:
        """Test mode only: another worker may have moved the clock."""
        services = self._running()
        with contextlib.suppress(durable.StoreUnavailable):
            row = await store.find(services.database)
            if row is not None:
                services.clock.offset = row.clock_offset

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        services = self.services = await open_services(self.settings)
        await _pair_stores(services)
        services.outbox.start({JOB: code_sender(services)})
        beside = [asyncio.create_task(keep_house(services)), asyncio.create_task(follow_parent())]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await close_services(services)


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Make the application of one worker; the database must be prepared (`watchword.prepare`)."""
    settings = settings or load_settings()
    configure_logging(settings.log_level)
    return Provider(settings).build()


async def open_services(settings: Settings) -> Services:
    """Open the stores and load the keys."""
    clock = Clock()
    roots = load_roots(settings)
    database = durable.open_database(settings.database_url, clock)
    ephemeral = open_store(settings.ephemeral_url, now=clock.now)
    row = await store.find(database)
    if row is None:
        raise RuntimeError("the database is not prepared: run `watchword db upgrade`")
    clock.offset = row.clock_offset if settings.env == "test" else timedelta(0)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        ephemeral=ephemeral,
        roots=roots,
        keyring=await load_keyring(database, roots),
        restore_epoch=row.restore_epoch,
        registry=Registry(database, clock.now),
        outbox=Outbox(database),
        gateways=open_gateways(settings, now=clock.now, journal=Mailbox(ephemeral)),
    )


async def close_services(services: Services) -> None:
    """Stop the outbox, then close gateways and stores."""
    await services.outbox.stop()
    for gateway in set(services.gateways.values()):
        await gateway.close()
    await services.ephemeral.close()
    await services.database.close()


async def _pair_stores(services: Services) -> None:
    """Record which ephemeral store goes with this database; an empty one gets a fresh id and takes over.

    A worker that starts while somebody holds the file locked waits for its turn instead of taking the others down.
    """
    identity = await services.ephemeral.identity()

    async def work(transaction: Transaction) -> None:
        await store.set_ephemeral_id(transaction, identity)

    while True:
        row = await store.find(services.database)
        if row is None or row.ephemeral_id == identity:
            return
        try:
            await services.database.transaction(work)
        except durable.StoreUnavailable as problem:
            log.warning("a starting worker waits for the database", problem=str(problem))


def _brand(settings: Settings) -> Brand:
    return Brand(
        name=settings.brand_name,
        accent=settings.brand_color,
        logo_url=settings.brand_logo_url,
        support_url=settings.support_url,
        privacy_url=settings.privacy_url,
        terms_url=settings.terms_url,
    )
