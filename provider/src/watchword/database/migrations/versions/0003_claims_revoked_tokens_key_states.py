"""claims asked for, revoked tokens, initial access tokens, states of signing keys

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "initial_access_token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    with op.batch_alter_table("initial_access_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_initial_access_token_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "revoked_token",
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("jti"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("revoked_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revoked_token_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("authorization_code", schema=None) as batch_op:
        batch_op.add_column(sa.Column("claims", sa.Text(), nullable=True))

    with op.batch_alter_table("authorization_grant", schema=None) as batch_op:
        batch_op.add_column(sa.Column("claims", sa.Text(), nullable=True))
        batch_op.create_index(
            "ix_authorization_grant_without_session",
            ["account_id"],
            unique=False,
            sqlite_where=sa.text("session_id IS NULL"),
            postgresql_where=sa.text("session_id IS NULL"),
        )

    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.add_column(sa.Column("management_hash", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("policy", sa.Text(), nullable=True))

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_due")
        batch_op.add_column(sa.Column("lane", sa.Text(), server_default="", nullable=False))
        batch_op.create_index("ix_outbox_due", ["state", "lane", "available_at"], unique=False)

    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_client_id"), ["client_id"], unique=False)

    with op.batch_alter_table("signing_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("since", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("wanted", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.alter_column("private_jwk", existing_type=sa.LargeBinary(), nullable=True)
        batch_op.create_index("ix_signing_key_state", ["state", "since"], unique=False)
        batch_op.create_index(
            "uq_signing_key_in_turn",
            ["algorithm", "state"],
            unique=True,
            sqlite_where=sa.text("state IN ('active', 'next')"),
            postgresql_where=sa.text("state IN ('active', 'next')"),
        )
    op.execute("UPDATE signing_key SET since = created_at")

    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.add_column(sa.Column("keys_revision", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.drop_column("keys_revision")

    op.execute("DELETE FROM signing_key WHERE private_jwk IS NULL")
    with op.batch_alter_table("signing_key", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_signing_key_in_turn",
            sqlite_where=sa.text("state IN ('active', 'next')"),
            postgresql_where=sa.text("state IN ('active', 'next')"),
        )
        batch_op.drop_index("ix_signing_key_state")
        batch_op.alter_column("private_jwk", existing_type=sa.LargeBinary(), nullable=False)
        batch_op.drop_column("wanted")
        batch_op.drop_column("since")

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_due")
        batch_op.drop_column("lane")
        batch_op.create_index("ix_outbox_due", ["state", "available_at"], unique=False)

    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_client_id"))

    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.drop_column("policy")
        batch_op.drop_column("management_hash")

    with op.batch_alter_table("authorization_grant", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_authorization_grant_without_session",
            sqlite_where=sa.text("session_id IS NULL"),
            postgresql_where=sa.text("session_id IS NULL"),
        )
        batch_op.drop_column("claims")

    with op.batch_alter_table("authorization_code", schema=None) as batch_op:
        batch_op.drop_column("claims")

    with op.batch_alter_table("revoked_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revoked_token_expires_at"))

    op.drop_table("revoked_token")
    with op.batch_alter_table("initial_access_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_initial_access_token_expires_at"))

    op.drop_table("initial_access_token")
