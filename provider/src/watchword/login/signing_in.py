"""From a proof to a session: account, session and audit in one durable transaction."""

from dataclasses import dataclass, field
from uuid import UUID

from watchword import sessions
from watchword.accounts import Proof
from watchword.accounts.devices import remember_device
from watchword.accounts.registration import AccountDisabled, account_of
from watchword.database import Conflict, Transaction, budgets
from watchword.events import Caller, record, record_alone
from watchword.events.catalogue.codes import CodeVerified
from watchword.events.catalogue.people import SignInDenied
from watchword.login.guessing import CodeGone
from watchword.protocol.errors import AccessDenied
from watchword.protocol.interaction import Session
from watchword.services import Services
from watchword.sessions import StartedSession


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session, and the secret by which the browser will be known from strangers."""

    started: StartedSession
    device: str = field(repr=False)


async def sign_in(
    services: Services, proof: Proof, *, client_id: str, caller: Caller, current: Session | None, device: str | None
) -> SignedIn:
    """Start a session for the proof's account, made now if need be, and remember the browser.

    `device` is the secret the browser was given when it signed in before. One transaction: six statements for a known
    person in a known browser, three more for a new person, two for a new browser. The right guess is handed back in it:
    the account's budget is as if it had not been made.

    Raises:
        AccessDenied: the account may not sign in.
        CodeGone: the proof was spent before.
    """

    async def work(transaction: Transaction) -> SignedIn:
        account_id = await _account_of(transaction, proof, client_id, caller)
        origin, amr = proof.origin, proof.amr
        started = await sessions.start(
            services, transaction, account_id=account_id, origin=origin, amr=amr, caller=caller, current=current
        )
        return SignedIn(
            started, await remember_device(services, transaction, account_id, known_as=device, caller=caller)
        )

    try:
        try:
            return await services.database.transaction(work)
        except Conflict:  # the account was made by another request a moment ago, or the proof was spent: look again
            return await services.database.transaction(work)
    except Conflict:
        raise CodeGone from None
    except AccountDisabled as disabled:
        event = SignInDenied(account_id=disabled.account_id, client_id=client_id, reason="disabled")
        await record_alone(services.database, event, caller)
        raise AccessDenied("This account cannot sign in. Ask the people who run this service.") from None


async def _account_of(transaction: Transaction, proof: Proof, client_id: str, caller: Caller) -> UUID:
    """Return the proof's account, made now if need be; the right guess is recorded and handed back."""
    account_id = await account_of(transaction, proof, client_id=client_id, caller=caller)
    event = CodeVerified(
        account_id=account_id, client_id=client_id, channel=proof.channel.value, identifier=proof.identifier.masked
    )
    await record(transaction, event, caller)
    if proof.guess_id is not None:
        await budgets.withdraw(transaction, proof.guess_id)
    return account_id
