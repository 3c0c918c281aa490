"""`proxy_addon/ledger/availability.py`: whether it is worth asking the ledger now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.ledger.availability import PATIENCE, LedgerAvailability
from proxy_addon.ledger.interface import LedgerUnavailable
from proxy_addon.ledger.writer_state import WriterState
from tests.ledger.writers import Stopwatch

UP = WriterState(True, 0, None, {}, None, 0, 0)


class Known:
    """A ledger whose writer knows what a test says; the time is the stopwatch's."""

    def __init__(self, watch: Stopwatch) -> None:
        self.state = UP
        self.watch = watch
        self.availability = LedgerAvailability(lambda: self.state)

    def refuses(self, seconds: float) -> bool:
        """Whether a call with so much patience is not made."""
        try:
            self.availability.require(seconds)
        except LedgerUnavailable:
            return True
        return False


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    """A ledger that is up."""
    watch = Stopwatch()
    watch.at = 100.0
    monkeypatch.setattr("proxy_addon.ledger.availability.timer", watch)
    return Known(watch)


def test_a_ledger_that_is_up(known: Known) -> None:
    """It is asked."""
    assert not known.availability.is_away
    assert not known.refuses(PATIENCE)


def test_one_that_is_away_but_answers(known: Known) -> None:
    """What cannot be written may well be read, and a refusal comes at once: it is asked."""
    known.state = replace(UP, up=False, message="read-only")
    assert known.availability.is_away
    assert not known.refuses(PATIENCE)


def test_one_that_is_silent(known: Known) -> None:
    """Nobody waits for it."""
    known.state = replace(UP, up=False, is_silent=True)
    assert known.availability.is_away
    assert known.refuses(PATIENCE) and known.refuses(0.5)


def test_a_call_that_was_given_up(known: Known) -> None:
    """No other waits, and it counts as away, until the writer has had an answer or a call has come
    back."""
    known.state = replace(UP, answered_at=99.0)
    known.availability.given_up(PATIENCE)
    assert known.availability.is_away and known.refuses(PATIENCE) and known.refuses(1.0)
    known.state = replace(UP, answered_at=101.0)
    assert not known.availability.is_away and not known.refuses(PATIENCE)
    known.watch.at = 102.0
    known.availability.given_up(PATIENCE)
    assert known.refuses(PATIENCE)
    known.availability.answered()
    assert not known.availability.is_away and not known.refuses(1.0)


def test_a_call_with_little_patience(known: Known) -> None:
    """That it was given up says nothing to those that would wait longer."""
    known.availability.given_up(1.0)
    assert known.refuses(1.0) and known.refuses(0.5)
    assert not known.refuses(PATIENCE) and not known.availability.is_away
    known.availability.given_up(PATIENCE)
    known.availability.given_up(1.0)
    assert known.availability.is_away


def test_without_a_writer() -> None:
    """Only what pages have met counts."""
    availability = LedgerAvailability()
    availability.require(PATIENCE)
    availability.given_up(PATIENCE)
    assert availability.is_away
