"""Twin of proxy_addon/ledger/pending.py: what waits is the newest, and bounded."""

from __future__ import annotations

from structlog.testing import capture_logs

from proxy_addon.core.types import Visit
from proxy_addon.ledger.pending import PendingVisits


def visit(number: int, rev: int = 1) -> Visit:
    """A visit that grows by a second with each rev."""
    return Visit(f"v{number}", "ana", "x", None, "daily", "r", 0.0, rev, "a", rev)


def test_the_newest_revision_waits() -> None:
    """Of one visit the highest rev is kept, whatever the order, at the place where it came
    first."""
    waiting = PendingVisits(10)
    for each in (visit(1), visit(2), visit(1, 3), visit(1, 2)):
        waiting.put(each)
    assert waiting.first(10) == (visit(1, 3), visit(2))
    assert waiting.first(1) == (visit(1, 3),)


def test_a_newer_revision_is_not_forgotten() -> None:
    """What was written leaves; a revision that came in the meantime stays."""
    waiting = PendingVisits(10)
    waiting.put(visit(1))
    waiting.put(visit(2))
    written = waiting.first(2)
    waiting.put(visit(2, 2))
    waiting.forget(written)
    assert waiting.first(10) == (visit(2, 2),)


def test_fresh_is_returned_once() -> None:
    """What was taken is not fresh any more; what is given back is, unless a newer revision came."""
    waiting = PendingVisits(10)
    waiting.put(visit(1))
    waiting.put(visit(2))
    taken = waiting.take_fresh()
    assert taken == (visit(1), visit(2))
    assert waiting.take_fresh() == ()
    waiting.put(visit(2, 2))
    waiting.give_back(taken)
    assert waiting.take_fresh() == (visit(1), visit(2, 2))


def test_what_was_written_is_not_fresh() -> None:
    """A visit that reached the ledger before anybody asked does not go to the journal."""
    waiting = PendingVisits(10)
    waiting.put(visit(1))
    waiting.forget(waiting.first(1))
    assert waiting.take_fresh() == ()


def test_it_is_bounded() -> None:
    """Beyond the bound the oldest is dropped, counted, and said once."""
    waiting = PendingVisits(10)
    with capture_logs() as lines:
        for number in range(25):
            waiting.put(visit(number))
    assert (len(waiting), waiting.dropped) == (10, 15)
    assert [each.id for each in waiting.take_fresh()] == [f"v{n}" for n in range(15, 25)]
    assert [line["event"] for line in lines] == ["visits are dropped"]


def test_the_same_revision_is_not_fresh_again() -> None:
    """What is put once more as it was goes to the journal no second time."""
    waiting = PendingVisits(10)
    waiting.put(visit(1, 2))
    taken = waiting.take_fresh()
    waiting.put(visit(1, 2))
    assert waiting.take_fresh() == ()
    assert waiting.first(10) == taken


def test_the_first_that_is_dropped_is_logged() -> None:
    """As many as may wait are taken in silence; the first one beyond that is dropped, counted and
    said."""
    waiting = PendingVisits(2)
    with capture_logs() as lines:
        waiting.put(visit(1))
        waiting.put(visit(2))
    assert (lines, waiting.dropped) == ([], 0)
    with capture_logs() as lines:
        waiting.put(visit(3))
    assert [line["event"] for line in lines] == ["visits are dropped"]
    assert (waiting.first(3), waiting.dropped) == ((visit(2), visit(3)), 1)
