"""The rows that other rows hang on: a client, an account, its session, a grant, and what grows from them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from watchword.database import Transaction, accounts, clients, grants, keys, refresh_families, sessions
from watchword.database.grants import AuthorizationCode
from watchword.database.keys import StoredMacKey
from watchword.protocol.client import Client

# First-party, so that no consent need be there for a code to be redeemed.
CLIENT = Client(id="notes", name="Notes", redirect_uris=("https://notes.example/callback",), first_party=True)
ACCOUNT_ID, SESSION_ID, GRANT_ID, FAMILY_ID = (UUID(int=number) for number in range(1, 5))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
CODE_HASH = b"hash of the code"
MINUTE = timedelta(minutes=1)
CODE = AuthorizationCode(
    client_id=CLIENT.id,
    account_id=ACCOUNT_ID,
    session_id=SESSION_ID,
    redirect_uri=CLIENT.redirect_uris[0],
    code_challenge="challenge",
    scope=("openid", "offline_access"),
    resources=(),
    nonce=None,
    auth_time=LONG_AGO,
    amr=("otp",),
)


async def add_session(transaction: Transaction) -> None:
    """A client, and an account signed in."""
    await clients.add(transaction, CLIENT, registered_by="operator")
    await accounts.add(transaction, ACCOUNT_ID, profile={})
    await sessions.put(
        transaction,
        SESSION_ID,
        renew=False,
        token_hash=b"hash of the cookie",
        account_id=ACCOUNT_ID,
        origin=b"hash of the challenge",
        amr=("otp",),
        lifetime=YEAR,
        user_agent="",
        address="",
    )


async def add_code(transaction: Transaction) -> None:
    """On top of it, an authorization code."""
    await add_session(transaction)
    await grants.add_code(transaction, CODE_HASH, CODE, lifetime=MINUTE)


async def add_grant(transaction: Transaction) -> None:
    """On top of it, a grant."""
    await add_session(transaction)
    await grants.add(transaction, GRANT_ID, CODE, code_hash=CODE_HASH)


async def add_family(transaction: Transaction) -> None:
    """On top of a grant, a family of refresh tokens."""
    await add_grant(transaction)
    await keys.add_mac_key(transaction, StoredMacKey("kid", "refresh", b"sealed"))
    await refresh_families.add(
        transaction,
        FAMILY_ID,
        grant_id=GRANT_ID,
        secret=b"family secret",
        mac_kid="kid",
        jkt=None,
        idle=60 * MINUTE,
        lifetime=120 * MINUTE,
    )
