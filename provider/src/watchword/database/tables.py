"""The schema of the durable store. Migrations are made from it; statements elsewhere in this folder read and write it.

Times are microseconds since 1970 (`*_at`), so that both databases compare them as integers inside a statement.

Every index costs each login bytes and a write, so there is one only for what a statement looks for. A row that a
statement joins with a client and an account has no foreign key to them: those are never deleted but marked, and the key
would cost an index for a deletion that never comes, and on PostgreSQL a lock that all logins of a client share. On
SQLite a table that little else points into is stored in its primary key (`_KEYED`) instead of beside it; with
several more indexes that would be larger, for each repeats the key.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlmodel import Field, SQLModel

_Counter = BigInteger().with_variant(Integer, "sqlite")


_KEYED = {"sqlite_with_rowid": False}


def _text(**options: Any) -> Any:
    return Field(sa_column=Column(Text, nullable=options.pop("nullable", False), **options))


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(sa_column=Column(BigInteger, nullable=nullable, index=index))


def _refers(target: str, *, nullable: bool = False, index: bool = True, ondelete: str = "CASCADE") -> Any:
    return Field(sa_column=Column(Text, ForeignKey(target, ondelete=ondelete), nullable=nullable, index=index))


class Store(SQLModel, table=True):
    """One row about the store itself."""

    __tablename__ = "store"
    __table_args__ = (CheckConstraint("id = 1", name="only_one_row"),)
    id: int = Field(primary_key=True)
    ephemeral_id: str | None = _text(nullable=True)
    restore_epoch: int = Field(sa_column=Column(BigInteger, nullable=False))
    guarded_until: int | None = _time(nullable=True)
    clock_offset: int = Field(sa_column=Column(BigInteger, nullable=False))
    # Rises with each change of the signing keys, so that workers notice it by one number.
    keys_revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))


class Account(SQLModel, table=True):
    """A person's record. Addresses and numbers live in `identifier`."""

    __tablename__ = "account"
    __table_args__ = _KEYED
    id: str = _text(primary_key=True)
    status: str = _text()
    profile: str = _text()
    created_at: int = _time()
    updated_at: int = _time()


class Identifier(SQLModel, table=True):
    """Something a person types to sign in, proved to be theirs."""

    __tablename__ = "identifier"
    __table_args__ = (
        UniqueConstraint("kind", "value"),
        Index("ix_identifier_of_account", "account_id", "kind", "verified_at"),
    )
    id: str = _text(primary_key=True)
    account_id: str = _refers("account.id", index=False)
    kind: str = _text()
    value: str = _text()
    display: str = _text()
    verified_at: int = _time()
    created_at: int = _time()


class Client(SQLModel, table=True):
    """Registered software; `document` is RFC 7591's metadata."""

    __tablename__ = "client"
    id: str = _text(primary_key=True)
    document: str = _text()
    first_party: bool
    registered_by: str = _text()
    # Of the token by which a client that registered itself manages its registration (RFC 7592).
    management_hash: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    # Of the initial access token it came with: what it may never exceed, however it changes its metadata.
    policy: str | None = _text(nullable=True)
    status: str = _text()
    created_at: int = _time()
    updated_at: int = _time(index=True)


class InitialAccessToken(SQLModel, table=True):
    """What lets its holder register clients (RFC 7591 section 3), hashed, and what they may be."""

    __tablename__ = "initial_access_token"
    id: str = _text(primary_key=True)
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    policy: str = _text()
    uses_left: int
    created_at: int = _time()
    expires_at: int = _time(index=True)


class ClientSecret(SQLModel, table=True):
    """A client's secret, hashed. Two may overlap while one replaces the other."""

    __tablename__ = "client_secret"
    id: str = _text(primary_key=True)
    client_id: str = _refers("client.id")
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: int = _time()
    expires_at: int | None = _time(nullable=True)


class Resource(SQLModel, table=True):
    """A registered protected resource: an audience and its scopes."""

    __tablename__ = "resource"
    audience: str = _text(primary_key=True)
    scopes: str = _text()
    opaque: bool
    lifetime: int | None
    client_id: str | None = _refers("client.id", nullable=True)
    created_at: int = _time()


class SigningKey(SQLModel, table=True):
    """A key that signs tokens; its private part is under the key-encryption key, and gone once it signs no more."""

    __tablename__ = "signing_key"
    __table_args__ = (
        Index("ix_signing_key_state", "state", "since"),
        # One key signs for an algorithm, and one is published to follow it.
        Index(
            "uq_signing_key_in_turn",
            "algorithm",
            "state",
            unique=True,
            sqlite_where=text("state IN ('active', 'next')"),
            postgresql_where=text("state IN ('active', 'next')"),
        ),
    )
    kid: str = _text(primary_key=True)
    algorithm: str = _text()
    state: str = _text()
    public_jwk: str = _text()
    private_jwk: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    created_at: int = _time()
    since: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))  # in this state
    # The next key is to sign as soon as everybody knows it.
    wanted: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=false()))


class MacKey(SQLModel, table=True):
    """A symmetric key under the key-encryption key: of refresh tokens' tags, of opaque tokens, of the audit trail."""

    __tablename__ = "mac_key"
    kid: str = _text(primary_key=True)
    purpose: str = _text(server_default="refresh")
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: int = _time()


class Session(SQLModel, table=True):
    """A browser signed in at the provider."""

    __tablename__ = "session"
    id: str = _text(primary_key=True)
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    account_id: str = _refers("account.id")
    origin: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    amr: str = _text()
    auth_time: int = _time()
    seen_at: int = _time()
    expires_at: int = _time(index=True)
    ended_at: int | None = _time(nullable=True)
    user_agent: str = _text()
    address: str = _text()


class Device(SQLModel, table=True):
    """A browser that an account signed in with before: strangers' failures do not count against it."""

    __tablename__ = "device"
    id: str = _text(primary_key=True)
    account_id: str = _refers("account.id")
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    created_at: int = _time()
    seen_at: int = _time()
    expires_at: int = _time(index=True)
    revoked_at: int | None = _time(nullable=True)
    user_agent: str = _text()


class GuessBudget(SQLModel, table=True):
    """An identifier, as a keyed digest, that codes were guessed for; its row is what parallel guesses queue at."""

    __tablename__ = "guess_budget"
    __table_args__ = _KEYED
    tag: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    charged_at: int = _time(index=True)


class Guess(SQLModel, table=True):
    """A guess that was begun and did not turn out right. `scope` says whose: strangers', guarded, or one device's."""

    __tablename__ = "guess"
    __table_args__ = (Index("ix_guess_budget", "tag", "scope", "at"), _KEYED)
    id: str = _text(primary_key=True)
    tag: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    scope: str = _text()
    at: int = _time(index=True)


class Consent(SQLModel, table=True):
    """A person's yes to a client."""

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("account_id", "client_id", "resource"),)
    id: str = _text(primary_key=True)
    account_id: str = _refers("account.id", index=False)  # the unique constraint begins with it
    client_id: str = _text(index=True)  # whether anybody ever agreed to a client
    resource: str = _text()
    scope: str = _text()
    granted_at: int = _time()


class Grant(SQLModel, table=True):
    """What an account lets a client do, in one session. `session_id` is empty for grants without a browser.

    `origin` is the fingerprint of the authorization code that it grew from and `bound_to` that of the code's challenge,
    so that a replay finds what to revoke, and no code makes two grants.
    """

    __tablename__ = "authorization_grant"
    # The others are found by the sessions of their account.
    __table_args__ = (
        Index(
            "ix_authorization_grant_without_session",
            "account_id",
            sqlite_where=text("session_id IS NULL"),
            postgresql_where=text("session_id IS NULL"),
        ),
    )
    id: str = _text(primary_key=True)
    account_id: str | None = _text(nullable=True)
    client_id: str = _text()
    # A grant with `offline_access` outlives the row of its session.
    session_id: str | None = _refers("session.id", nullable=True, ondelete="SET NULL")
    origin: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True, unique=True, index=True))
    bound_to: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    scope: str = _text()
    resources: str = _text()
    claims: str | None = _text(nullable=True)
    auth_time: int = _time()
    amr: str = _text()
    created_at: int = _time()
    revoked_at: int | None = _time(nullable=True)


class AuthorizationCode(SQLModel, table=True):
    """An authorization code that waits to be redeemed, hashed. Redeeming it takes the row away and makes a grant."""

    __tablename__ = "authorization_code"
    __table_args__ = _KEYED
    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    client_id: str = _text()
    account_id: str = _text()
    session_id: str = _text()
    redirect_uri: str = _text()
    code_challenge: str | None = _text(nullable=True)
    scope: str = _text()
    resources: str = _text()
    claims: str | None = _text(nullable=True)
    nonce: str | None = _text(nullable=True)
    auth_time: int = _time()
    amr: str = _text()
    expires_at: int = _time(index=True)


class RefreshFamily(SQLModel, table=True):
    """A grant's line of refresh tokens; one row however often it rotates."""

    __tablename__ = "refresh_family"
    id: str = _text(primary_key=True)
    grant_id: str = _refers("authorization_grant.id")
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    mac_kid: str = _text()
    generation: int = Field(sa_column=Column(BigInteger, nullable=False))
    jkt: str | None = _text(nullable=True)
    rotated_at: int = _time()
    idle_expires_at: int = _time()
    expires_at: int = _time(index=True)
    revoked_at: int | None = _time(nullable=True)


class RevokedToken(SQLModel, table=True):
    """An access token that was revoked alone, by its `jti`, until it would have expired."""

    __tablename__ = "revoked_token"
    __table_args__ = _KEYED
    jti: str = _text(primary_key=True)
    expires_at: int = _time(index=True)


class OutboxJob(SQLModel, table=True):
    """Work to do after the commit that ordered it."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "state", "lane", "available_at"),)
    id: int | None = Field(default=None, sa_column=Column(_Counter, primary_key=True, autoincrement=True))
    kind: str = _text()
    # Whose jobs wait for one another and for nobody else: a host, or empty for what the operator's gateways send.
    lane: str = _text(server_default="")
    payload: str = _text()
    state: str = _text()
    attempts: int
    created_at: int = _time()
    available_at: int = _time()
    lease: str | None = _text(nullable=True)
    problem: str | None = _text(nullable=True)


class AuditEvent(SQLModel, table=True):
    """What happened: written in the transaction that made it happen, identifiers masked."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_seal", "seal", "id"),)
    id: int | None = Field(default=None, sa_column=Column(_Counter, primary_key=True, autoincrement=True))
    name: str = _text()
    at: int = _time()
    account_id: str | None = _text(nullable=True)
    client_id: str | None = _text(nullable=True)
    session_id: str | None = _text(nullable=True)
    request_id: str = _text()
    address: str = _text()
    detail: str = _text()
    # Empty in events from before there was a chain.
    mac_kid: str = _text(server_default="")
    mac: bytes = Field(sa_column=Column(LargeBinary, nullable=False, server_default=""))
    seal: int | None = Field(sa_column=Column(BigInteger, nullable=True))


class AuditSeal(SQLModel, table=True):
    """A link of the chain over the audit trail: the events it covers in order, and the seal before it."""

    __tablename__ = "audit_seal"
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    events: int
    previous: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    mac_kid: str = _text()
    sealed_at: int = _time(index=True)


class AuditFloor(SQLModel, table=True):
    """One row: where the chain begins. `unmarked` counts the events that are older than the chain."""

    __tablename__ = "audit_floor"
    __table_args__ = (CheckConstraint("id = 1", name="only_one_row"),)
    id: int = Field(primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    unmarked: int = Field(sa_column=Column(BigInteger, nullable=False))
    mac_kid: str = _text()
    mac: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Replica(SQLModel, table=True):
    """A worker process that is alive, and the ephemeral store it sees."""

    __tablename__ = "replica"
    id: str = _text(primary_key=True)
    ephemeral_id: str = _text()
    seen_at: int = _time(index=True)


class Election(SQLModel, table=True):
    """Who does a duty that one worker does for all."""

    __tablename__ = "election"
    duty: str = _text(primary_key=True)
    holder: str = _text()
    expires_at: int = _time()
