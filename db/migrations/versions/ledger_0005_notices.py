"""Confirmations of written policies: which notice and version, by which page; who has met which;
and the texts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import Instant

revision = "ledger_0005"
down_revision = "ledger_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Programs that know ledger_0004 may go on with it (`schema_compatibility`)."""
    compatibility = op.create_table(
        "schema_compatibility", sa.Column("oldest", sa.Text(), nullable=False)
    )
    op.bulk_insert(compatibility, [{"oldest": "ledger_0004"}])
    for name in ("notice", "version", "page"):
        op.add_column(
            "acknowledgements", sa.Column(name, sa.Text(), nullable=False, server_default="")
        )
    op.add_column(
        "acknowledgements", sa.Column("major", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("acknowledgements", sa.Column("updated_at", Instant(), nullable=True))
    op.create_index("ix_acknowledgements_updated_at", "acknowledgements", ["updated_at"])
    op.create_table(
        "notice_meetings",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("major", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("later_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("person", "notice", "major", name="pk_notice_meetings"),
    )
    op.create_index("ix_notice_meetings_updated_at", "notice_meetings", ["updated_at"])
    op.create_table(
        "notice_versions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("major", sa.Integer(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_notice_versions"),
    )


def downgrade() -> None:
    """Back. Who has confirmed which digest, and when, stays; everybody meets the notices anew."""
    op.drop_table("notice_versions")
    op.drop_table("notice_meetings")
    op.drop_index("ix_acknowledgements_updated_at", "acknowledgements")
    for name in ("updated_at", "major", "page", "version", "notice"):
        op.drop_column("acknowledgements", name)
    op.drop_table("schema_compatibility")
