"""Metrics, for Prometheus to scrape."""

import asyncio
import hmac
from importlib.metadata import version

from watchword import metrics
from watchword.database import StoreUnavailable, outbox
from watchword.metrics import Gauge
from watchword.protocol.errors import InvalidToken, MissingToken
from watchword.services import Services
from watchword.web.answers import file_answer, json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

_MOST_JOBS = 10_000  # counted; more of them is no other news


async def show(exchange: Exchange) -> Answer:
    """Answer what all workers counted, and how things stand now. One statement, one step of the ephemeral store.

    Raises:
        MissingToken: the operator wants a token, and there is none.
        InvalidToken: it is another one.
    """
    settings = exchange.services.settings
    if settings.metrics == "off":
        return json_answer({"error": "not_found"}, status=404)
    if settings.metrics_token is not None:
        _check_token(exchange.headers.get("authorization", ""), settings.metrics_token.get_secret_value())
    gauges = [*_standing(exchange.services), *await _stores(exchange.services)]
    text = await asyncio.to_thread(metrics.exposition, gauges)
    return file_answer(text, media_type=metrics.MEDIA_TYPE, headers={"cache-control": "no-store"})


def _check_token(authorization: str, token: str) -> None:
    scheme, _, presented = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise MissingToken("Present the metrics token as a bearer token.")
    if not hmac.compare_digest(presented.strip().encode(), token.encode()):
        raise InvalidToken("This is not the metrics token.")


def _standing(services: Services) -> list[Gauge]:
    guarded = services.condition.guarded
    return [
        Gauge("build_info", "The version that runs.", {version("watchword"): 1}, "version"),
        Gauge("guarded_mode", "1 while an attack on codes is under way.", {"": int(guarded)}),
    ]


async def _stores(services: Services) -> list[Gauge]:
    """Look at both stores; what the durable one does not tell is left out, while the rest is told."""
    up = {"durable": 1, "ephemeral": 1}
    jobs = []
    try:
        depth = await outbox.depth(services.database, most=_MOST_JOBS)
        jobs.append(Gauge("outbox_jobs", f"Jobs of the outbox, counted up to {_MOST_JOBS} of a state.", depth, "state"))
    except StoreUnavailable:
        up["durable"] = 0
    try:
        await services.ephemeral.ping()
    except StoreUnavailable:
        up["ephemeral"] = 0
    return [*jobs, Gauge("store_up", "1 while a store answers.", up, "store")]
