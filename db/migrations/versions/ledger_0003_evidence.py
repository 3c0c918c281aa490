"""What opened, extended and closed a visit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "ledger_0003"
down_revision = "ledger_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Visits that are there already have none."""
    op.add_column("visits", sa.Column("evidence", sa.Text(), nullable=True))


def downgrade() -> None:
    """Back."""
    op.drop_column("visits", "evidence")
