"""`proxy_addon/ledger/refused.py`: what a database refuses, on both engines, waits and is tried
again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger import refused
from proxy_addon.ledger.interface import LedgerRefused, LedgerUnavailable
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.journal_records import read
from proxy_addon.ledger.refused import AGAIN_AFTER, CALLS, LONGEST, RefusedVisits, write_apart
from proxy_addon.ledger.replay import replay
from tests.db.engines import ENGINES, new_url
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.writers import Stopwatch, make, visit

PLACE = JournalOwner("place")
ALL, SOME = "1 = 1", "id = 'a50'"

type Refusing = Callable[[str], AbstractContextManager[None]]


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger on each engine."""
    made = new_url(request.param, request, tmp_path)
    upgrade(made)
    return made


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    """A real ledger."""
    with closing(SqlLedger(url, "a")) as ledger:
        yield ledger


@pytest.fixture
def refusing(url: str) -> Refusing:
    """A database that refuses visits of which a condition holds: by a trigger, or a constraint."""

    @contextmanager
    def on_sqlite(condition: str) -> Iterator[None]:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
            which = condition.replace("id", "NEW.id")
            other.execute(
                f"CREATE TRIGGER boom BEFORE INSERT ON visits WHEN {which} "
                "BEGIN SELECT RAISE(ABORT, 'boom'); END"
            )
            yield
            other.execute("DROP TRIGGER boom")

    @contextmanager
    def on_postgres(condition: str) -> Iterator[None]:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                f"ALTER TABLE visits ADD CONSTRAINT boom CHECK (NOT ({condition})) NOT VALID"
            )
            yield
            other.execute("ALTER TABLE visits DROP CONSTRAINT boom")

    return on_sqlite if url.startswith("sqlite") else on_postgres


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """The time that goes by between two tries."""
    stopwatch = Stopwatch()
    monkeypatch.setattr(refused, "timer", stopwatch)
    return stopwatch


def revs(ledger: SqlLedger) -> dict[str, int]:
    """What the ledger holds."""
    return {row.id: row.rev for row in ledger.visits(0.0)}


def test_one_of_many_is_refused(
    ledger: SqlLedger, refusing: Refusing, tmp_path: Path, watch: Stopwatch
) -> None:
    """All others are written, also its neighbours; it is in the journal, is named by its id once,
    and is written with its last rev when the database takes it."""
    journal = Journal(tmp_path, "a", PLACE)
    writer = make(ledger, journal=journal)
    with capture_logs() as lines, refusing(SOME):
        for number in range(100):
            writer.put(visit(number))
        assert writer.flush_now()
        writer.put(visit(50, rev=2))
        writer.put(visit(51, rev=2))
        assert writer.flush_now()
        state = writer.state()
        assert (state.up, state.refused, state.pending, state.dropped) == (True, 1, 0, 0)
        assert revs(ledger) == {f"a{n}": 2 if n == 51 else 1 for n in range(100) if n != 50}
        assert read(journal.path)[0] == [visit(50, rev=2)]
        watch.at += AGAIN_AFTER
        assert writer.flush_now()
        assert writer.state().refused == 1
    watch.at += LONGEST
    assert writer.flush_now()
    assert (writer.state().refused, journal.held) == (0, 0)
    assert revs(ledger)["a50"] == 2
    said = [line["visit"] for line in lines if line["event"] == "the ledger refuses a visit"]
    assert said == ["a50"]
    assert "ana" not in str(lines)
    journal.close()


def test_all_are_refused_for_a_while(ledger: SqlLedger, refusing: Refusing) -> None:
    """A ledger that takes nothing is away, with words that name no person; nothing is set aside,
    and all is there afterwards."""
    writer = make(ledger)
    writer.put(visit(500))
    assert writer.flush_now()
    for number in range(300):
        writer.put(visit(number))
    with capture_logs() as lines, refusing(ALL):
        assert not writer.flush_now()
        state = writer.state()
        assert (state.up, state.refused, state.pending) == (False, 0, 300)
        assert (state.message, dict(state.errors)) == (refused.AT_FAULT, {"refused": 1})
    assert [line["event"] for line in lines] == ["the ledger is away"]
    assert "ana" not in str(lines)
    assert writer.flush_now()
    assert len(revs(ledger)) == 301


def test_a_process_ends_while_the_database_refuses(
    ledger: SqlLedger, refusing: Refusing, tmp_path: Path
) -> None:
    """What it left is tried by each replay, stays as long as it is refused, and nothing else stays
    with it."""
    journal = Journal(tmp_path, "a", PLACE)
    journal.add([visit(number) for number in range(100)])
    for file in (*journal._files, journal._lock):  # as kill -9 does
        os.close(file)
    with refusing(SOME), capture_logs() as lines:
        done = replay(tmp_path, PLACE, ledger)
        assert (done.visits, done.refused) == (99, 1)
        assert read(journal.path)[0] == [visit(50)]
        assert replay(tmp_path, PLACE, ledger).refused == 1
    with refusing(ALL):
        assert replay(tmp_path, PLACE, ledger).refused == 1
    assert [line["event"] for line in lines] == [
        "a journal was replayed",
        "the ledger refuses visits of a journal",
        "the ledger refuses visits of a journal",
    ]
    assert replay(tmp_path, PLACE, ledger).visits == 1
    assert list(tmp_path.glob("a*")) == list(tmp_path.glob("*.lock")) == []
    assert len(revs(ledger)) == 100


class PickyLedger(MemoryLedger):
    """Refuses every visit whose id is in `refused`; counts calls."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self.refused = {f"a{number}" for number in numbers}
        self.calls = 0

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """See Ledger."""
        self.calls += 1
        if any(row.id in self.refused for row in visits):
            raise LedgerRefused("no", kind="refused")
        super().write_visits(visits)


def set_up(ledger: PickyLedger) -> RefusedVisits:
    """As the writer has them."""

    def written(visits: Sequence[Visit]) -> None:
        aside.waiting.forget(visits)

    aside = RefusedVisits(ledger, 1000, written=written, refused=lambda _: None)
    return aside


def test_a_bad_row_alone(watch: Stopwatch) -> None:
    """Whether it is the row or the ledger shows the visit that was written last, for an hour;
    without one the ledger is taken to be at fault."""
    ledger = PickyLedger(1)
    aside = set_up(ledger)
    with pytest.raises(LedgerUnavailable):
        aside.write([visit(1)])
    aside.write([visit(0)])
    assert aside.write([visit(1)]) == (visit(1),)
    ledger.refused |= {"a0", "a2"}
    with pytest.raises(LedgerUnavailable):
        aside.write([visit(2)])
    ledger.refused.remove("a0")
    watch.at = 3601.0
    with pytest.raises(LedgerUnavailable):
        aside.write([visit(2)])


def test_a_ledger_at_fault_is_asked_little() -> None:
    """A thousand visits that are refused are a few calls, not thousands: at most fifteen."""
    ledger = PickyLedger(*range(1000))
    assert len(write_apart(ledger, [visit(n) for n in range(1000)], lambda _: None)) == 1000
    assert ledger.calls <= 15


def test_what_is_tried_again(watch: Stopwatch) -> None:
    """Refused visits are tried when it is time, in few calls, less often while none is taken, and
    without a pause while some are."""
    ledger = PickyLedger(*range(1, 200))
    aside = set_up(ledger)
    aside.write([visit(0)])
    aside.write([visit(number) for number in range(1, 200)])
    assert len(aside) == 199
    ledger.calls = 0
    aside.try_again()
    assert ledger.calls == 0
    pauses = []
    for _ in range(4):
        watch.at = aside._again_at
        aside.try_again()
        pauses.append(aside._again_at - watch.at)
    assert pauses == [10.0, 20.0, 40.0, LONGEST]
    assert ledger.calls == 4 * CALLS
    ledger.refused = {"a7"}
    for _ in range(100):
        watch.at += LONGEST
        aside.try_again()
    assert [row.id for row in aside.waiting.first(9)] == ["a7"]
