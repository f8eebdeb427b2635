"""The walk through a peer's own pages: asked to sign in, a name typed, sent back with a code. No message, no code."""

from dataclasses import dataclass

from bench.contender import Registration, SignedIn
from bench.cookies import CookieJar
from bench.load import Answer, Sender
from bench.people import People
from bench.requests import get, location_target, post_form
from bench.walks import authorization_target, code_of


@dataclass(frozen=True, slots=True)
class NameLogin:
    """Signs the next person in by their name alone: four requests. `redirect` is the status its redirects have."""

    host: str
    people: People
    authorization: str
    redirect: int

    async def __call__(self, sender: Sender, client: Registration) -> SignedIn:
        """Walk from an empty cookie jar to the authorization code."""
        jar = CookieJar()

        async def ask(target: str, status: int, form: dict[str, str] | None = None) -> Answer:
            cookie = jar.header(target)
            prepared = (
                get(self.host, target, cookie=cookie)
                if form is None
                else post_form(self.host, target, form, cookie=cookie)
            )
            answer = await sender.fetch(prepared, status)
            jar.keep(answer)
            return answer

        page = location_target(await ask(authorization_target(self.authorization, client), self.redirect))
        await ask(page, 200)
        typed = {"prompt": "login", "login": self.people.next().identifier}
        back = location_target(await ask(page, self.redirect, typed))
        return SignedIn(code_of(await ask(back, self.redirect)))
