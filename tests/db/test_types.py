"""Twin of db/types.py."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from db.types import EvidenceColumn, Instant, TextsColumn
from proxy_addon.core.types import EvidenceSummary

SQLITE, POSTGRES = sqlite.dialect(), postgresql.dialect()
instants = st.floats(min_value=-6e10, max_value=2e11, allow_nan=False)


def stored(at: float) -> str:
    """What SQLite keeps."""
    return str(Instant().process_bind_param(at, SQLITE))


@given(instants)
def test_there_and_back(at: float) -> None:
    """Both engines give the instant back, rounded to the microsecond, and rounding again changes
    nothing."""
    for dialect in (SQLITE, POSTGRES):
        kind = Instant()
        once = kind.process_result_value(kind.process_bind_param(at, dialect), dialect)
        assert once is not None
        assert abs(once - at) <= max(1e-6, abs(at) * 1e-15)
        again = kind.process_result_value(kind.process_bind_param(once, dialect), dialect)
        assert again == once


@given(instants, instants)
def test_text_sorts_as_instants_do(one: float, other: float) -> None:
    """SQLite compares text; the order is that of the instants, to the microsecond."""
    if round(one, 6) < round(other, 6) and other - one > 2e-6:
        assert stored(one) < stored(other)


def test_one_width_and_a_zone() -> None:
    """Whole seconds are written with their microseconds, everything is UTC and says so."""
    assert stored(1_793_610_000.0) == "2026-11-02 09:00:00.000000+00:00"
    assert Instant().process_bind_param(0.5, POSTGRES).utcoffset().total_seconds() == 0


def test_the_ends_of_time() -> None:
    """Infinity becomes the first or last instant there is; nothing stays nothing."""
    assert stored(-inf).startswith("0001-01-01")
    assert stored(inf).startswith("9999-12-31")
    assert Instant().process_bind_param(None, SQLITE) is None
    assert Instant().process_result_value(None, SQLITE) is None


def test_evidence_there_and_back() -> None:
    """A summary is a text in the database; a text that is not one counts as none."""
    kind, summary = EvidenceColumn(), EvidenceSummary(("page-opened", 1.5))
    for dialect in (SQLITE, POSTGRES):
        assert (
            kind.process_result_value(kind.process_bind_param(summary, dialect), dialect) == summary
        )
        assert kind.process_bind_param(None, dialect) is None
        assert kind.process_result_value("[]", dialect) is None


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=30)))
def test_texts_there_and_back(texts: dict[str, str]) -> None:
    """Texts of any characters come back as they were, in their order, and are ASCII in the
    database."""
    kind = TextsColumn()
    for dialect in (SQLITE, POSTGRES):
        stored = kind.process_bind_param(texts, dialect)
        assert stored is not None and stored.isascii() and "\x00" not in stored
        back = kind.process_result_value(stored, dialect)
        assert back is not None and list(back.items()) == list(texts.items())
        assert kind.process_bind_param(None, dialect) is None
        assert kind.process_result_value(None, dialect) is None
