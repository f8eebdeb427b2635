"""The composition root: settings become services, services and endpoints become an ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from watchword import database as durable
from watchword import metrics
from watchword.client_keys import ClientKeys
from watchword.clock import Clock
from watchword.condition import POLL_SECONDS, Condition
from watchword.database import Trail, store
from watchword.endpoints import ENDPOINTS
from watchword.ephemeral import open_store
from watchword.fetch import Fetch
from watchword.housekeeping import (
    DUTIES,
    FOLLOW_KEYS,
    Candidate,
    Duty,
    do_regularly,
    follow_parent,
    keep_house,
    log_checkpoint,
    seal_trail,
    tell_suppressed,
)
from watchword.keys import CurrentKeys, load_keyring, load_roots
from watchword.locale import load_catalogues
from watchword.login.breaker import watch_failures
from watchword.login.sending import JOB, code_sender
from watchword.login.telling import TELL, logout_teller
from watchword.messages.gateways import open_gateways
from watchword.messages.mailbox import Mailbox
from watchword.outbox import Outbox
from watchword.pages import PAGES
from watchword.pages.brand import Brand
from watchword.pages.problem import problem_page
from watchword.pages.render import STATIC_PATH, Pages
from watchword.registry import Registry
from watchword.replica import Replica
from watchword.services import Services
from watchword.settings import Settings, load_settings
from watchword.telemetry import configure_logging
from watchword.web.dispatch import Dispatch

ELECTED = (*DUTIES, Duty("watch the failures of all accounts", 5, watch_failures))


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
            settings=self.settings,
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
        replica = Replica(services)
        await replica.join()
        services.outbox.start({JOB: code_sender(services), TELL: logout_teller(services)})
        candidate = Candidate(services, replica.id)
        beside = [asyncio.create_task(task) for task in _beside(services, replica, candidate)]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await services.outbox.stop()
            await _take_leave(services, replica, candidate)
            await close_services(services)


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Make the application of one worker; the database must be prepared (`watchword.prepare`)."""
    settings = settings or load_settings()
    configure_logging(settings.log_level)
    if settings.metrics != "off":
        metrics.enable()
    return Provider(settings).build()


async def open_services(settings: Settings) -> Services:
    """Open the stores and load the keys."""
    clock = Clock()
    roots = load_roots(settings)
    database = durable.open_database(settings.database_url, clock, pool_size=settings.database_pool)
    ephemeral = open_store(settings.ephemeral_url, now=clock.now, offset=lambda: clock.offset)
    row = await store.find(database)
    if row is None:
        raise RuntimeError("the database is not prepared: run `watchword db upgrade`")
    clock.offset = row.clock_offset if settings.env == "test" else timedelta(0)
    keyring = await load_keyring(database, roots)
    database.trail = Trail(keyring.audit.current, keyring.audit.secret, clock.microseconds)
    fetch = Fetch(loopback=settings.test_loopback_fetch == "on", extra_ca=settings.extra_ca)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        ephemeral=ephemeral,
        roots=roots,
        keys=CurrentKeys(keyring),
        restore_epoch=row.restore_epoch,
        registry=Registry(database, clock.now),
        outbox=Outbox(database),
        gateways=open_gateways(settings, now=clock.now, journal=Mailbox(ephemeral)),
        condition=Condition(),
        fetch=fetch,
        client_keys=ClientKeys(fetch, clock.now),
    )


async def close_services(services: Services) -> None:
    """Stop the outbox, then close gateways and stores."""
    await services.outbox.stop()
    for gateway in set(services.gateways.values()):
        await gateway.close()
    await services.fetch.close()
    await services.ephemeral.close()
    await services.database.close()


def _beside(services: Services, replica: Replica, candidate: Candidate) -> Iterable[Coroutine[Any, Any, None]]:
    """What a worker does beside answering."""
    yield follow_parent()
    yield do_regularly(services, Duty("follow the whole provider", POLL_SECONDS, lambda _: replica.follow()))
    yield do_regularly(services, FOLLOW_KEYS)
    yield do_regularly(services, Duty("tell what was suppressed", 60, tell_suppressed))
    yield keep_house(services, candidate, ELECTED)


async def _take_leave(services: Services, replica: Replica, candidate: Candidate) -> None:
    """Write the last events; the elected worker seals them, logs the head of the chain and lets another follow."""
    await replica.leave()
    with contextlib.suppress(durable.StoreUnavailable):
        await tell_suppressed(services)
        if await candidate.is_elected():
            await seal_trail(services)
            await log_checkpoint(services)
            await candidate.resign()


def _brand(settings: Settings) -> Brand:
    return Brand(
        name=settings.brand_name,
        accent=settings.brand_color,
        logo_url=settings.brand_logo_url,
        support_url=settings.support_url,
        privacy_url=settings.privacy_url,
        terms_url=settings.terms_url,
    )
