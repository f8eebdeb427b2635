"""From a proved identifier to an account: the one that owns it, or a new one."""

from uuid import UUID, uuid4

from watchword.accounts.proof import Identifier, Proof
from watchword.database import Transaction, accounts
from watchword.events import Caller, record
from watchword.events.catalogue.people import AccountCreated


class AccountDisabled(Exception):
    """The identifier's account may not sign in."""

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        super().__init__("the account is disabled")


async def account_of(transaction: Transaction, proof: Proof, *, client_id: str, caller: Caller) -> UUID:
    """Return the account of a proved identifier, made now if there was none.

    One statement for a known person, four for a new one. No account exists before its identifier is proved.

    Raises:
        AccountDisabled: the account exists and may not sign in.
        Conflict: somebody else made the account at this very moment; try again.
    """
    known = await accounts.find_by_identifier(transaction, kind=proof.identifier.kind, value=proof.identifier.value)
    if known is None:
        return await add_account(transaction, (proof.identifier,), profile={}, client_id=client_id, caller=caller)
    if not known.active:
        raise AccountDisabled(known.id)
    return known.id


async def add_account(
    transaction: Transaction,
    identifiers: tuple[Identifier, ...],
    *,
    profile: dict[str, object],
    client_id: str | None,
    caller: Caller,
) -> UUID:
    """Make an account that owns `identifiers`. Two statements, and one for each identifier.

    Raises:
        Conflict: an identifier belongs to an account already.
    """
    account_id = uuid4()
    await accounts.add(transaction, account_id, profile=profile)
    for identifier in identifiers:
        await accounts.add_identifier(
            transaction,
            uuid4(),
            account_id,
            kind=identifier.kind,
            value=identifier.value,
            display=identifier.display,
        )
    masked = identifiers[0].masked if identifiers else ""
    await record(transaction, AccountCreated(account_id=account_id, client_id=client_id, identifier=masked), caller)
    return account_id
