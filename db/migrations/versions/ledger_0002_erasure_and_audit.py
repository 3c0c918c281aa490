"""Resets, erasure markers, and an audit that the database itself protects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.types import Instant

revision = "ledger_0002"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None

_SQLITE = (
    "CREATE TRIGGER audit_not_changed BEFORE UPDATE ON audit WHEN NOT allowance_audit_open() "
    "BEGIN SELECT RAISE(ABORT, 'the audit is appended to, never changed'); END",
    "CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit WHEN NOT allowance_audit_open() "
    "BEGIN SELECT RAISE(ABORT, 'the audit is appended to, never changed'); END",
)
_POSTGRES = (
    """
    CREATE FUNCTION allowance_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF coalesce(current_setting('allowance.audit', true), '') <> 'open' THEN
            RAISE EXCEPTION 'the audit is appended to, never changed'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF TG_OP = 'UPDATE' THEN RETURN NEW; END IF;
        RETURN OLD;
    END $$
    """,
    "CREATE TRIGGER audit_guard BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION allowance_audit_guard()",
    "CREATE TRIGGER audit_guard_all BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION allowance_audit_guard()",
)


def upgrade() -> None:
    """Forward."""
    op.add_column(
        "grants", sa.Column("resets", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("erased_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    for statement in _SQLITE if _is_sqlite() else _POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """Back. Resets have no place there: what they forgave counts again."""
    if _is_sqlite():
        op.execute("DROP TRIGGER audit_not_deleted")
        op.execute("DROP TRIGGER audit_not_changed")
    else:
        op.execute("DROP TRIGGER audit_guard_all ON audit")
        op.execute("DROP TRIGGER audit_guard ON audit")
        op.execute("DROP FUNCTION allowance_audit_guard()")
    op.drop_table("erasures")
    op.execute("DELETE FROM grants WHERE resets")
    op.drop_column("grants", "resets")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
