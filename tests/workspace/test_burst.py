"""A thousand connections at once: they wait their turn, and every one of them is answered."""

import asyncio
from collections import Counter
from urllib.parse import urlsplit

from tests.support.provider import RunningProvider, running_provider
from tests.support.relying_party import register

CONNECTIONS = 1000


async def ask(provider: RunningProvider, number: int, head: str, body: str = "") -> str:
    """Send one request from an address of its own, and return the status of its answer."""
    issuer = urlsplit(provider.issuer)
    reader, writer = await asyncio.open_connection("127.0.0.1", issuer.port)
    address = f"198.51.{number // 250}.{number % 250}"
    writer.write(
        f"{head} HTTP/1.1\r\nHost: {issuer.netloc}\r\nX-Forwarded-For: {address}\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    answer = await reader.read()
    writer.close()
    return answer.partition(b" ")[2][:3].decode()


async def test_a_thousand_connections_at_once_are_all_answered() -> None:
    with running_provider(workers=2, trusted_proxies="127.0.0.1/32") as provider:
        target = register(provider).authorization_url().removeprefix(provider.issuer)
        requests = (("GET " + target, ""), ("POST /token", "grant_type=x&client_id=nobody"), ("GET /readyz", ""))
        async with asyncio.timeout(60):
            statuses = Counter(
                await asyncio.gather(*(ask(provider, n, *requests[n % len(requests)]) for n in range(CONNECTIONS)))
            )
        assert sum(statuses.values()) == CONNECTIONS
        assert statuses.keys() == {"303", "401", "200"}, statuses
