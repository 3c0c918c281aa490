"""The ledger has an id of its own, by which what belongs to it is recognised wherever it moves."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

from db.types import Instant, database_now

revision = "ledger_0006"
down_revision = "ledger_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. `schema_compatibility` stays: programs that know ledger_0004 may go on with it."""
    identity = op.create_table(
        "ledger_identity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_identity"),
    )
    values = {"id": secrets.token_hex(16), "created_at": database_now()}
    op.get_bind().execute(sa.insert(identity).values(values))


def downgrade() -> None:
    """Back. The id is lost; forward again, the ledger gets another one."""
    op.drop_table("ledger_identity")
