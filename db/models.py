"""The tables of the ledger. Facts, not counters: what was spent is the union of a person's visits.

Least data: a person's name, platform and interval, and the kinds of evidence for it with their
times. No URL, no title, no content, in any table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.types import EvidenceColumn, Instant, TextsColumn
from proxy_addon.core.types import EvidenceSummary

# Named constraints can be changed by a later migration on both engines.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables; `str` is text without a limit, `float` is a double."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar = {str: Text()}


def _numbered() -> Mapped[int]:
    """A key that counts upwards; SQLite counts only in a column of type INTEGER."""
    return mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), Identity(), primary_key=True
    )


class VisitRow(Base):
    """A stretch of attention. Written again with a higher `rev` as it goes on or is shortened."""

    __tablename__ = "visits"
    __table_args__ = (
        CheckConstraint("ended_at >= started_at", name="not_backwards"),
        # What `db.totals_query` asks for is all in the index on Postgres; so is the order.
        Index(
            None, "person", "ended_at", postgresql_include=["started_at", "allowance", "platform"]
        ),
        Index(None, "ended_at"),
        Index(None, "updated_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str]
    platform: Mapped[str]
    section: Mapped[str | None]
    allowance: Mapped[str | None]  # null: free time
    rule: Mapped[str | None]
    started_at: Mapped[float] = mapped_column(Instant())
    ended_at: Mapped[float] = mapped_column(Instant())
    node: Mapped[str]
    rev: Mapped[int] = mapped_column(BigInteger())
    updated_at: Mapped[float] = mapped_column(Instant())  # the database's clock, see SqlLedger.news
    evidence: Mapped[EvidenceSummary | None] = mapped_column(EvidenceColumn())  # null: not recorded


class PersonRow(Base):
    """A person, independent of what they used."""

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(primary_key=True)
    added_at: Mapped[float] = mapped_column(Instant())
    added_by: Mapped[str]


class GrantRow(Base):
    """Extra seconds for one person and one allowance, valid from `created_at` until
    `expires_at`."""

    __tablename__ = "grants"
    __table_args__ = (
        CheckConstraint("expires_at >= created_at", name="not_backwards"),
        Index(None, "person", "expires_at"),
        Index(None, "expires_at"),
        Index(None, "updated_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str]
    allowance: Mapped[str]
    seconds: Mapped[float]
    reason: Mapped[str]
    granted_by: Mapped[str]
    created_at: Mapped[float] = mapped_column(Instant())
    expires_at: Mapped[float] = mapped_column(Instant())
    updated_at: Mapped[float] = mapped_column(Instant())
    resets: Mapped[bool] = mapped_column(server_default=false())  # see core.types.Grant


class TimeRequestRow(Base):
    """A person asks for more; `status` is open, granted or refused."""

    __tablename__ = "time_requests"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'granted', 'refused')", name="status_known"),
        Index(None, "person", "created_at"),
        Index(None, "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str]
    allowance: Mapped[str]
    seconds: Mapped[float]
    reason: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[float] = mapped_column(Instant())
    decided_at: Mapped[float | None] = mapped_column(Instant())
    decided_by: Mapped[str | None]
    grant_id: Mapped[str | None] = mapped_column(
        ForeignKey("grants.id", ondelete="SET NULL"), index=True
    )


class AcknowledgementRow(Base):
    """A person has confirmed one text of a written policy; `page` says where."""

    __tablename__ = "acknowledgements"
    __table_args__ = (Index(None, "updated_at"),)

    person: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    acknowledged_at: Mapped[float] = mapped_column(Instant())
    notice: Mapped[str] = mapped_column(server_default="")
    version: Mapped[str] = mapped_column(server_default="")
    page: Mapped[str] = mapped_column(server_default="")
    major: Mapped[int] = mapped_column(server_default="0")  # of the version, to compare by
    updated_at: Mapped[float | None] = mapped_column(Instant())  # null: from before ledger_0005


class NoticeMeetingRow(Base):
    """A person has met a version of a notice: since when the grace time runs, and until when they
    are not asked again."""

    __tablename__ = "notice_meetings"
    __table_args__ = (Index(None, "updated_at"),)

    person: Mapped[str] = mapped_column(primary_key=True)
    notice: Mapped[str] = mapped_column(primary_key=True)
    major: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_at: Mapped[float] = mapped_column(Instant())
    later_at: Mapped[float] = mapped_column(Instant())
    updated_at: Mapped[float] = mapped_column(Instant())


class NoticeVersionRow(Base):
    """The texts of a notice under their digest, kept to show what somebody read."""

    __tablename__ = "notice_versions"

    digest: Mapped[str] = mapped_column(primary_key=True)
    notice: Mapped[str]
    version: Mapped[str]
    major: Mapped[int]
    seen_at: Mapped[float] = mapped_column(Instant())
    texts: Mapped[Mapping[str, str]] = mapped_column(TextsColumn())


class AuditRow(Base):
    """Who did what to whom, when. Appended to, never changed by the proxy."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "at"), Index(None, "subject", "at"))

    id: Mapped[int] = _numbered()
    at: Mapped[float] = mapped_column(Instant())
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]


class ErasureRow(Base):
    """A person was erased: a salted marker, kept for some weeks, by which late rows of theirs are
    recognised."""

    __tablename__ = "erasures"

    id: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[str]
    digest: Mapped[str]
    erased_at: Mapped[float] = mapped_column(Instant())
    updated_at: Mapped[float] = mapped_column(Instant())


class RuleVersionRow(Base):
    """A rule set came into force on a node; `digest` is the one of the rule files."""

    __tablename__ = "rule_versions"
    __table_args__ = (Index(None, "loaded_at"),)

    id: Mapped[int] = _numbered()
    digest: Mapped[str]
    loaded_at: Mapped[float] = mapped_column(Instant())
    node: Mapped[str]


# One row: what identifies this ledger wherever it moves to; see db/identity.py.
IDENTITY = Table(
    "ledger_identity",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", Instant(), nullable=False),
)

# What older programs have to know; see db/engine.py. It describes the database it is in: no copy.
COMPATIBILITY = Table("schema_compatibility", Base.metadata, Column("oldest", Text, nullable=False))
