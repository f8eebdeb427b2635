"""budgets, devices, seals, replicas; and fewer indexes

Revision ID: 0002
Revises: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What PostgreSQL calls a foreign key that was given no name, and by which SQLite's nameless ones are found.
_NAMES = {"fk": "%(table_name)s_%(column_0_name)s_fkey"}
_CLIENTS, _ACCOUNTS = ("client_id", "client.id"), ("account_id", "account.id")


def upgrade() -> None:
    op.create_table(
        "audit_seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("mac_kid", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("audit_seal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_seal_sealed_at"), ["sealed_at"], unique=False)

    op.create_table(
        "audit_floor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("unmarked", sa.BigInteger(), nullable=False),
        sa.Column("mac_kid", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name="only_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "election",
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("duty"),
    )
    op.create_table(
        "guess",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("guess", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guess_at"), ["at"], unique=False)
        batch_op.create_index("ix_guess_budget", ["tag", "scope", "at"], unique=False)

    op.create_table(
        "guess_budget",
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("charged_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tag"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("guess_budget", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guess_budget_charged_at"), ["charged_at"], unique=False)

    op.create_table(
        "replica",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ephemeral_id", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("replica", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_replica_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "device",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_device_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mac_kid", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("mac", sa.LargeBinary(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("seal", sa.BigInteger(), nullable=True))
        batch_op.create_index("ix_audit_event_seal", ["seal", "id"], unique=False)
        batch_op.drop_index("ix_audit_event_account")
        batch_op.drop_index("ix_audit_event_at")
    op.execute("UPDATE audit_event SET seal = 0")  # from before there was a chain

    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("mac_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purpose", sa.Text(), server_default="refresh", nullable=False))

    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.add_column(sa.Column("guarded_until", sa.BigInteger(), nullable=True))

    _keep_codes_until_redeemed()
    op.execute("UPDATE session SET token_hash = substr(token_hash, 1, 16)")  # fingerprints are half as long
    op.execute("UPDATE client_secret SET hash = substr(hash, 1, 16)")
    _drop_keys("consent", _CLIENTS)
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_account_id")
    _drop_keys("refresh_family", _CLIENTS, ("mac_kid", "mac_key.kid"))
    op.drop_column("refresh_family", "client_id")  # its grant has it
    _drop_keys("authorization_grant", _CLIENTS, _ACCOUNTS)

    with op.batch_alter_table("identifier", schema=None) as batch_op:
        batch_op.drop_index("ix_identifier_account_id")
        batch_op.create_index("ix_identifier_of_account", ["account_id", "kind", "verified_at"], unique=False)


def _keep_codes_until_redeemed() -> None:
    """Move what is known of redeemed codes to their grants; those that wait, for a minute at most, are lost."""
    with op.batch_alter_table("authorization_grant", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("bound_to", sa.LargeBinary(), nullable=True))
        batch_op.create_index(batch_op.f("ix_authorization_grant_origin"), ["origin"], unique=True)
    op.execute(
        """UPDATE authorization_grant SET origin = substr(redeemed.hash, 1, 16)
        FROM authorization_code AS redeemed WHERE redeemed.grant_id = authorization_grant.id"""
    )
    op.drop_table("authorization_code")
    op.create_table(
        "authorization_code",
        *_columns_of_codes(),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_authorization_code_expires_at"), "authorization_code", ["expires_at"], unique=False)


def _columns_of_codes() -> list[sa.Column[Any]]:
    return [
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("auth_time", sa.BigInteger(), nullable=False),
        sa.Column("amr", sa.Text(), nullable=False),
    ]


def _drop_keys(table: str, *keys: tuple[str, str]) -> None:
    """Drop foreign keys and the indexes that only they used."""
    with op.batch_alter_table(table, schema=None, naming_convention=_NAMES) as batch_op:
        for column, _ in keys:
            batch_op.drop_constraint(f"{table}_{column}_fkey", type_="foreignkey")
            if column != "mac_kid":
                batch_op.drop_index(f"ix_{table}_{column}")


def _restore_keys(table: str, *keys: tuple[str, str]) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column, target in keys:
            parent, referred = target.split(".")
            batch_op.create_foreign_key(f"{table}_{column}_fkey", parent, [column], [referred], ondelete="CASCADE")
            if column != "mac_kid":
                batch_op.create_index(f"ix_{table}_{column}", [column], unique=False)


def _keep_codes_after_redemption() -> None:
    op.drop_table("authorization_code")
    op.create_table(
        "authorization_code",
        *_columns_of_codes(),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_at", sa.BigInteger(), nullable=True),
        sa.Column("grant_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
    )
    for column in ("account_id", "client_id", "expires_at", "session_id"):
        op.create_index(f"ix_authorization_code_{column}", "authorization_code", [column], unique=False)
    with op.batch_alter_table("authorization_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_authorization_grant_origin"))
        batch_op.drop_column("bound_to")
        batch_op.drop_column("origin")


def downgrade() -> None:
    with op.batch_alter_table("identifier", schema=None) as batch_op:
        batch_op.drop_index("ix_identifier_of_account")
        batch_op.create_index("ix_identifier_account_id", ["account_id"], unique=False)

    _restore_keys("authorization_grant", _CLIENTS, _ACCOUNTS)
    op.add_column("refresh_family", sa.Column("client_id", sa.Text(), server_default="", nullable=False))
    op.execute(
        """UPDATE refresh_family SET client_id = authorization_grant.client_id
        FROM authorization_grant WHERE authorization_grant.id = refresh_family.grant_id"""
    )
    _restore_keys("refresh_family", _CLIENTS, ("mac_kid", "mac_key.kid"))
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index("ix_consent_account_id", ["account_id"], unique=False)
    _restore_keys("consent", _CLIENTS)
    _keep_codes_after_redemption()

    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.drop_column("guarded_until")

    with op.batch_alter_table("mac_key", schema=None) as batch_op:
        batch_op.drop_column("purpose")

    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_expires_at"))

    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.create_index("ix_audit_event_at", ["at"], unique=False)
        batch_op.create_index("ix_audit_event_account", ["account_id", "at"], unique=False)
        batch_op.drop_index("ix_audit_event_seal")
        batch_op.drop_column("seal")
        batch_op.drop_column("mac")
        batch_op.drop_column("mac_kid")

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_expires_at"))
        batch_op.drop_index(batch_op.f("ix_device_account_id"))

    op.drop_table("device")
    with op.batch_alter_table("replica", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_replica_seen_at"))

    op.drop_table("replica")
    with op.batch_alter_table("guess_budget", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guess_budget_charged_at"))

    op.drop_table("guess_budget")
    with op.batch_alter_table("guess", schema=None) as batch_op:
        batch_op.drop_index("ix_guess_budget")
        batch_op.drop_index(batch_op.f("ix_guess_at"))

    op.drop_table("guess")
    op.drop_table("election")
    op.drop_table("audit_floor")
    with op.batch_alter_table("audit_seal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_seal_sealed_at"))

    op.drop_table("audit_seal")
