"""The guarded fetch against sites that misbehave, over real sockets and real TLS."""

import asyncio
import gzip
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from tests.support.site import Heard, Site, running_site, sending
from watchword.fetch import Fetch, FetchFailed, FetchRefused, guarded

HOST = "keys.example"
JSON = "application/json"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site in TLS, whose certificate is for HOST."""
    async with running_site(HOST, folder=tmp_path) as running:
        yield running


@pytest.fixture
async def plain() -> AsyncIterator[Site]:
    """A site without TLS."""
    async with running_site() as running:
        yield running


def named(*answers: Sequence[str]) -> tuple[Callable[[str, int], Awaitable[Sequence[str]]], list[str]]:
    """Return a resolver that gives each of the answers in turn, the last one for ever, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


@pytest.fixture
async def fetch(site: Site) -> AsyncIterator[Fetch]:
    """Loopback is open, and every host is there."""
    fetch = Fetch(loopback=True, extra_ca=site.cafile, resolve=named(["127.0.0.1"])[0])
    yield fetch
    await fetch.close()


@pytest.fixture
async def local() -> AsyncIterator[Fetch]:
    """Loopback is open, and the machine resolves."""
    fetch = Fetch(loopback=True)
    yield fetch
    await fetch.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a fetch last no longer than it takes to see that it is over."""
    monkeypatch.setattr(guarded, "TOTAL_TIMEOUT", timedelta(seconds=0.7))


async def test_a_document_is_fetched_by_name_from_the_one_address(site: Site, fetch: Fetch) -> None:
    site.answers({"keys": []})
    assert await fetch.get_json(site.url(HOST, "/keys?of=us")) == {"keys": []}
    heard = site.heard[0]
    assert (heard.method, heard.target) == ("GET", "/keys?of=us")
    assert (heard.headers["host"], heard.server_name, heard.tls) == (f"{HOST}:{site.port}", HOST, "TLSv1.3")
    assert heard.headers["accept-encoding"] == "identity"
    assert heard.headers.keys() == {"host", "accept", "accept-encoding", "user-agent", "connection"}


async def test_an_array_is_a_document_too(site: Site, fetch: Fetch) -> None:
    site.answers(["https://a.example/", "https://b.example/"], content_type="application/json; charset=utf-8")
    assert await fetch.get_json(site.url(HOST)) == ["https://a.example/", "https://b.example/"]


async def test_a_form_is_posted_and_the_status_returned(site: Site, fetch: Fetch) -> None:
    site.reply = sending(204)
    assert await fetch.post_form(site.url(HOST), {"logout_token": "a.b+c", "x": "é&="}) == 204
    heard = site.heard[0]
    assert (heard.method, heard.body) == ("POST", b"logout_token=a.b%2Bc&x=%C3%A9%26%3D")
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    site.reply = sending(500, b"inside out")
    assert await fetch.post_form(site.url(HOST), {}) == 500


async def test_a_certificate_of_another_host_is_no_answer(site: Site, fetch: Fetch) -> None:
    with pytest.raises(FetchFailed):
        await fetch.get_json(site.url("other.example"))
    assert site.heard == []


async def test_a_certificate_of_another_authority_is_no_answer(site: Site) -> None:
    fetch = Fetch(loopback=True, resolve=named(["127.0.0.1"])[0])
    with pytest.raises(FetchFailed):
        await fetch.get_json(site.url(HOST))
    assert site.heard == []
    await fetch.close()


async def test_a_connection_is_never_used_for_another_host_of_the_same_address(site: Site, fetch: Fetch) -> None:
    await fetch.get_json(site.url(HOST))
    await fetch.get_json(site.url(HOST))
    with pytest.raises(FetchFailed):
        await fetch.get_json(site.url("other.example"))
    assert [heard.connection for heard in site.heard] == [1, 2]


async def test_an_ip_address_needs_a_certificate_for_itself(tmp_path: Path) -> None:
    authority = trustme.CA()
    for hosts, works in ((["127.0.0.1"], True), ([HOST], False)):
        async with running_site(*hosts, folder=tmp_path, authority=authority) as site:
            fetch = Fetch(loopback=True, extra_ca=site.cafile)
            if works:
                assert await fetch.get_json(site.url("127.0.0.1")) == {}
            else:
                with pytest.raises(FetchFailed):
                    await fetch.get_json(site.url("127.0.0.1"))
            await fetch.close()


async def test_a_host_is_resolved_once_and_an_address_of_the_inside_is_never_connected_to(site: Site) -> None:
    resolve, asked = named(["127.0.0.1"], ["127.0.0.1", "10.0.0.1"])
    fetch = Fetch(loopback=True, extra_ca=site.cafile, resolve=resolve)
    await fetch.get_json(site.url(HOST))
    assert asked == [HOST]
    with pytest.raises(FetchRefused):
        await fetch.get_json(site.url(HOST))
    assert (len(asked), site.connections) == (2, 1)
    await fetch.close()


async def test_without_the_switch_loopback_is_the_inside(site: Site, plain: Site) -> None:
    fetch = Fetch(extra_ca=site.cafile)
    for url in (site.url("localhost"), site.url("127.0.0.1"), plain.url(), "https://localhost/", "https://127.0.0.1/"):
        with pytest.raises(FetchRefused) as refused:
            await fetch.get_json(url)
        assert "127" not in str(refused.value)
    assert (site.connections, plain.connections) == (0, 0)
    await fetch.close()


@pytest.mark.parametrize(
    ("problem", "refusal"),
    [
        pytest.param(socket.gaierror(socket.EAI_NONAME, "unknown"), FetchRefused, id="no such name"),
        pytest.param(socket.gaierror(socket.EAI_FAIL, "failed"), FetchRefused, id="a broken resolver"),
        pytest.param(socket.gaierror(socket.EAI_AGAIN, "busy"), FetchFailed, id="a resolver that is busy"),
        pytest.param(OSError("10.0.0.53 is down"), FetchRefused, id="no network"),
        pytest.param(UnicodeError("label"), FetchRefused, id="a name that cannot be encoded"),
    ],
)
async def test_what_does_not_resolve_is_not_fetched(problem: Exception, refusal: type[Exception]) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise problem

    fetch = Fetch(resolve=resolve)
    with pytest.raises(refusal) as refused:
        await fetch.get_json("https://keys.example/")
    assert str(problem) not in str(refused.value)


async def test_the_next_address_is_tried_where_nobody_takes_the_connection(site: Site) -> None:
    fetch = Fetch(loopback=True, extra_ca=site.cafile, resolve=named(["127.0.0.2", "127.0.0.1"])[0])
    assert await fetch.get_json(site.url(HOST)) == {}
    await fetch.close()
    fetch = Fetch(loopback=True, extra_ca=site.cafile, resolve=named(["127.0.0.2"])[0])
    with pytest.raises(FetchFailed) as failed:
        await fetch.get_json(site.url(HOST))
    assert "127" not in str(failed.value)
    await fetch.close()


async def test_names_that_never_resolve_hold_up_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, asked = threading.Event(), threading.Semaphore(0)

    def look_up(host: str, *_: object, **__: object) -> list[object]:
        if host != HOST:
            asked.release()
            go_on.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", site.port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    fetch = Fetch(loopback=True, extra_ca=site.cafile)
    hanging = [asyncio.create_task(fetch.get_json(f"https://never{number}.example/")) for number in range(32)]
    try:
        for _ in hanging:
            assert await asyncio.to_thread(asked.acquire, timeout=4)
        assert await fetch.get_json(site.url(HOST)) == {}
    finally:
        go_on.set()
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        await fetch.close()


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_refused_and_not_followed(plain: Site, local: Fetch, status: int) -> None:
    async with running_site() as inside:
        plain.reply = sending(status, location=inside.url())
        with pytest.raises(FetchRefused):
            await local.get_json(plain.url())
        plain.reply = sending(status, location="http://169.254.169.254/latest/meta-data/")
        with pytest.raises(FetchRefused):
            await local.post_form(plain.url(), {})
        assert inside.connections == 0
    assert len(plain.heard) == 2


@pytest.mark.parametrize("status", [201, 204, 400, 404, 500, 503])
async def test_another_status_than_200_is_no_document(plain: Site, local: Fetch, status: int) -> None:
    plain.reply = sending(status, b"{}", content_type=JSON)
    with pytest.raises(FetchFailed):
        await local.get_json(plain.url())


@pytest.mark.parametrize("media_type", [JSON, "application/jwk-set+json", "Application/JSON ; charset=utf-8"])
async def test_json_goes_by_several_names(plain: Site, local: Fetch, media_type: str) -> None:
    plain.answers({"a": 1}, content_type=media_type)
    assert await local.get_json(plain.url()) == {"a": 1}


@pytest.mark.parametrize("media_type", ["text/html", "text/plain", "application/octet-stream", "image/svg+xml", ""])
async def test_another_content_type_is_no_document(plain: Site, local: Fetch, media_type: str) -> None:
    plain.answers({}, content_type=media_type)
    with pytest.raises(FetchFailed):
        await local.get_json(plain.url())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a":1,"a":2}', b"NaN", b"[" * 50_000, b"\xff", b"[[[[[[[[[1]]]]]]]]]", b"1e999", b"[1] [2]"],
)
async def test_json_is_read_strictly(plain: Site, local: Fetch, body: bytes) -> None:
    plain.reply = sending(200, body, content_type=JSON)
    with pytest.raises(FetchFailed):
        await local.get_json(plain.url())


async def test_an_answer_that_is_too_long_is_not_read_to_its_end(plain: Site, local: Fetch) -> None:
    sent = 0

    async def gigabyte(heard: Heard, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" " * 65536)
            sent += 65536
            await writer.drain()

    plain.reply = gigabyte
    with pytest.raises(FetchFailed, match="more than 65536 bytes"):
        await local.get_json(plain.url())
    assert await local.post_form(plain.url(), {}) == 200
    assert sent < 50_000_000  # what the kernel's buffers swallow


@pytest.mark.parametrize(("length", "fits"), [(1000, True), (1001, False)])
async def test_the_most_bytes_are_the_callers_to_say(plain: Site, local: Fetch, length: int, fits: bool) -> None:
    plain.reply = sending(200, b'"' + b"x" * (length - 2) + b'"', content_type=JSON)
    if fits:
        assert await local.get_json(plain.url(), most=1000) == "x" * 998
    else:
        with pytest.raises(FetchFailed):
            await local.get_json(plain.url(), most=1000)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "x-unheard-of"])
async def test_a_compressed_answer_is_not_unpacked(plain: Site, local: Fetch, encoding: str) -> None:
    for body in (gzip.compress(b" " * 1_000_000), b"{}"):
        plain.reply = sending(200, body, content_type=JSON, content_encoding=encoding)
        with pytest.raises(FetchFailed, match="encoding"):
            await local.get_json(plain.url())


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_drips_is_over_when_the_time_is(plain: Site, local: Fetch) -> None:
    async def drip(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)  # the misbehaviour itself

    plain.reply = drip
    async with asyncio.timeout(3):
        with pytest.raises(FetchFailed, match="in time"):
            await local.get_json(plain.url())


def test_five_seconds_are_all_that_a_fetch_may_take() -> None:
    """J-02. The others would wait too long for it."""
    assert guarded.TOTAL_TIMEOUT.total_seconds() == 5
    assert guarded.CONNECT_TIMEOUT.total_seconds() == 2


async def silent(heard: Heard, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.usefixtures("impatient")
async def test_silence_is_over_when_the_time_is(plain: Site, local: Fetch) -> None:
    plain.reply = silent
    async with asyncio.timeout(3):
        with pytest.raises(FetchFailed):
            await local.post_form(plain.url(), {})


@pytest.mark.usefixtures("impatient")
async def test_a_resolver_that_never_answers_is_given_up() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with asyncio.timeout(3):
        with pytest.raises(FetchFailed):
            await Fetch(resolve=resolve).get_json("https://keys.example/")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"nonsense\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{}", id="cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000, id="headers without an end"),
    ],
)
async def test_what_is_no_whole_answer_fails(plain: Site, local: Fetch, answer: bytes) -> None:
    async def reply(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    plain.reply = reply
    with pytest.raises(FetchFailed):
        await local.get_json(plain.url())


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"])
async def test_tls_that_breaks_after_the_handshake_fails(site: Site, fetch: Fetch, before: bytes) -> None:
    async def reply(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(before)
        await writer.drain()
        raw = writer.get_extra_info("socket").dup()
        raw.setblocking(True)
        raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))  # a record that no key of the connection sealed
        raw.close()

    site.reply = reply
    with pytest.raises(FetchFailed):
        await fetch.get_json(site.url(HOST))


async def test_no_cookie_comes_back(plain: Site, local: Fetch) -> None:
    plain.answers({}, set_cookie="follow=me; Path=/")
    await local.get_json(plain.url())
    await local.get_json(plain.url())
    assert [heard.headers.get("cookie") for heard in plain.heard] == [None, None]


async def test_proxies_and_passwords_of_the_environment_mean_nothing(
    plain: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    fetch = Fetch(loopback=True)
    assert await fetch.get_json(plain.url()) == {}
    assert "authorization" not in plain.heard[0].headers
    await fetch.close()


async def test_only_so_many_run_at_once(plain: Site, local: Fetch) -> None:
    all_there, go_on = asyncio.Event(), asyncio.Event()

    async def wait(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if plain.open == guarded._MOST_AT_ONCE:
            all_there.set()
        await go_on.wait()
        await sending(200, json.dumps(1).encode(), content_type=JSON)(heard, writer)

    plain.reply = wait
    tasks = [asyncio.create_task(local.get_json(plain.url())) for _ in range(guarded._MOST_AT_ONCE + 10)]
    await all_there.wait()
    assert plain.connections == guarded._MOST_AT_ONCE
    go_on.set()
    assert await asyncio.gather(*tasks) == [1] * len(tasks)
    assert plain.most_open <= guarded._MOST_AT_ONCE


async def test_what_is_given_up_leaves_no_connection(plain: Site, local: Fetch) -> None:
    arrived = asyncio.Event()

    async def wait(heard: Heard, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await silent(heard, writer)

    plain.reply = wait
    task = asyncio.create_task(local.get_json(plain.url()))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    plain.answers({"free": True})
    assert await local.get_json(plain.url()) == {"free": True}
    assert local._places._value == guarded._MOST_AT_ONCE
