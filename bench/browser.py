"""The walk of a person's browser through our hosted pages: seven requests with the exchange, one message."""

from dataclasses import dataclass

from bench.contender import Registration, SignedIn
from bench.cookies import CookieJar
from bench.load import Answer, Sender
from bench.mailbox import Mailbox
from bench.people import People
from bench.requests import get, hidden_fields, location_target, post_form, refresh_target
from bench.walks import authorization_target, code_of


@dataclass(frozen=True, slots=True)
class CodeLogin:
    """Signs the next person in by a one-time code from the mailbox."""

    host: str
    people: People
    mailbox: Mailbox

    async def __call__(self, sender: Sender, client: Registration) -> SignedIn:
        """Walk from an empty cookie jar to the authorization code."""
        person, jar = self.people.next(), CookieJar()
        browser = _Browser(sender, self.host, person.address, jar)
        asked = location_target(await browser.get(authorization_target("/authorize", client), 303))
        page = hidden_fields(await browser.get(asked, 200))
        sent = await browser.post("/login", {**page, "identifier": person.identifier}, 303)
        page = hidden_fields(await browser.get(location_target(sent), 200))
        code, waited = await self.mailbox.one_time_code(person.identifier)
        signed_in = await browser.post("/login/code", {**page, "one_time_code": code}, 200)
        answered = await browser.get(refresh_target(signed_in), 303)
        return SignedIn(code_of(answered), waited, jar.header("/authorize"), person.address)


@dataclass(frozen=True, slots=True)
class _Browser:
    sender: Sender
    host: str
    address: str
    jar: CookieJar

    async def get(self, target: str, status: int) -> Answer:
        request = get(self.host, target, cookie=self.jar.header(target), address=self.address)
        return await self._fetch(request, status)

    async def post(self, path: str, form: dict[str, str], status: int) -> Answer:
        request = post_form(self.host, path, form, cookie=self.jar.header(path), address=self.address)
        return await self._fetch(request, status)

    async def _fetch(self, request: bytes, status: int) -> Answer:
        answer = await self.sender.fetch(request, status)
        self.jar.keep(answer)
        return answer
