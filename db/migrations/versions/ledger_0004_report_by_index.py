"""The report of a month reads an index alone, on Postgres."""

from __future__ import annotations

from alembic import op

revision = "ledger_0004"
down_revision = "ledger_0003"
branch_labels = None
depends_on = None

_NAME = "ix_visits_person_ended_at"
_COLUMNS = ["person", "ended_at"]


def upgrade() -> None:
    """Forward. Some seconds for some million visits; SQLite has no such indexes and keeps what it
    has."""
    _make_anew(["started_at", "allowance", "platform"])


def downgrade() -> None:
    """Back."""
    _make_anew(None)


def _make_anew(include: list[str] | None) -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.drop_index(_NAME, "visits")
    op.create_index(_NAME, "visits", _COLUMNS, postgresql_include=include)
