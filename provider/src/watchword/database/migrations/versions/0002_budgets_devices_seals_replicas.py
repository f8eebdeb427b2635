"""budgets, devices, seals, replicas

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


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
    )
    with op.batch_alter_table("guess", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guess_at"), ["at"], unique=False)
        batch_op.create_index("ix_guess_budget", ["tag", "scope", "at"], unique=False)

    op.create_table(
        "guess_budget",
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("charged_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tag"),
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

    with op.batch_alter_table("mac_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purpose", sa.Text(), server_default="refresh", nullable=False))

    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.add_column(sa.Column("guarded_until", sa.BigInteger(), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.drop_column("guarded_until")

    with op.batch_alter_table("mac_key", schema=None) as batch_op:
        batch_op.drop_column("purpose")

    with op.batch_alter_table("audit_event", schema=None) as batch_op:
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
    with op.batch_alter_table("audit_seal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_seal_sealed_at"))

    op.drop_table("audit_seal")
