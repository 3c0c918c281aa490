"""The ledger: visits, people, grants, requests for time, acknowledgements, audit and rule
versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import Instant

revision = "ledger_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    _create_visits()
    _create_grants()
    _create_time_requests()
    _create_records()


def downgrade() -> None:
    """Back; indexes go with their tables."""
    for table in (
        "time_requests",
        "visits",
        "rule_versions",
        "people",
        "grants",
        "audit",
        "acknowledgements",
    ):
        op.drop_table(table)


def _number() -> sa.Column[int]:
    return sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False
    )


def _create_visits() -> None:
    op.create_table(
        "visits",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("section", sa.Text()),
        sa.Column("allowance", sa.Text()),
        sa.Column("rule", sa.Text()),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_visits_not_backwards")),
        sa.PrimaryKeyConstraint("id", name="pk_visits"),
    )
    op.create_index("ix_visits_person_ended_at", "visits", ["person", "ended_at"])
    op.create_index("ix_visits_ended_at", "visits", ["ended_at"])
    op.create_index("ix_visits_updated_at", "visits", ["updated_at"])


def _create_grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("allowance", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("expires_at >= created_at", name=op.f("ck_grants_not_backwards")),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    op.create_index("ix_grants_person_expires_at", "grants", ["person", "expires_at"])
    op.create_index("ix_grants_expires_at", "grants", ["expires_at"])
    op.create_index("ix_grants_updated_at", "grants", ["updated_at"])


def _create_time_requests() -> None:
    op.create_table(
        "time_requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("allowance", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant()),
        sa.Column("decided_by", sa.Text()),
        sa.Column("grant_id", sa.Text()),
        sa.CheckConstraint(
            "status IN ('open', 'granted', 'refused')", name=op.f("ck_time_requests_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["grants.id"], name="fk_time_requests_grant_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_time_requests"),
    )
    op.create_index("ix_time_requests_person_created_at", "time_requests", ["person", "created_at"])
    op.create_index("ix_time_requests_status_created_at", "time_requests", ["status", "created_at"])
    op.create_index("ix_time_requests_grant_id", "time_requests", ["grant_id"])


def _create_records() -> None:
    op.create_table(
        "people",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_people"),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("person", "digest", name="pk_acknowledgements"),
    )
    op.create_table(
        "audit",
        _number(),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_subject_at", "audit", ["subject", "at"])
    op.create_table(
        "rule_versions",
        _number(),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("loaded_at", Instant(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule_versions"),
    )
    op.create_index("ix_rule_versions_loaded_at", "rule_versions", ["loaded_at"])
