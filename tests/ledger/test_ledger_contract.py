"""One contract for every ledger: memory, SQLite and a real Postgres."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import EvidenceSummary, Extension, Grant, Visit
from proxy_addon.ledger.interface import AuditEntry, Ledger, LedgerRefused
from proxy_addon.system.clock import SystemClock
from tests.ledger.memory_ledger import MemoryLedger

START = 1_793_610_000.0
Open = Callable[[], Ledger]


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("pgbouncer", marks=pytest.mark.postgres),
    ]
)
def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same ledger as often as it is called, as a process that starts again would."""
    opened: list[Ledger] = []
    if request.param == "memory":
        memory = MemoryLedger()
        yield lambda: memory
        return
    url = f"sqlite:///{tmp_path}/ledger.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    if request.param == "pgbouncer":
        server = request.getfixturevalue("postgres_server")
        url = request.getfixturevalue("transaction_pooler").url(server.new_database())
    upgrade(url)

    def open_one() -> Ledger:
        opened.append(SqlLedger(url, f"node{len(opened)}"))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Open) -> Ledger:
    """A ledger with nothing in it."""
    return open_ledger()


def visit(number: int = 1, **changes: object) -> Visit:
    """A visit of ten seconds; `number` moves it and gives it its id."""
    start = START + number * 60
    made = Visit(f"v{number}", "ana", "x", None, "daily", "Fifteen", start, start + 10.0, "a")
    return replace(made, **changes)


def grant(number: int = 1, **changes: object) -> Grant:
    """Ten minutes for ana, good for a day."""
    made = Grant(
        f"g{number}", "ana", "daily", 600.0, "course", "lead", START + number, START + 86_400.0
    )
    return replace(made, **changes)


def test_what_was_written_is_read(ledger: Ledger) -> None:
    """Every field of a visit comes back as it went in, the empty ones too."""
    written = [
        visit(1),
        visit(2, section="learning", allowance=None, rule=None, person="Zoë 🙂 'quoted'"),
    ]
    ledger.write_visits(written)
    assert list(ledger.visits(0.0)) == written


def test_evidence_is_kept_with_its_visit(ledger: Ledger) -> None:
    """Every part of a summary comes back, changes with a newer revision, and is in news and
    exports."""
    opened = EvidenceSummary(
        ("page-opened", START), (Extension("page-action", START + 0.125, START + 9.5, 14),)
    )
    ended = opened._replace(closed=("time-up", START + 9.5), given_back=12.25)
    ledger.write_visits([visit(1, evidence=opened), visit(2)])
    ledger.write_visits([visit(1, evidence=ended, rev=2), visit(1)])
    for found in (ledger.visits(0.0), ledger.news(0.0).visits, ledger.records("ana").visits):
        assert {row.id: row.evidence for row in found} == {"v1": ended, "v2": None}


def test_times_survive_to_the_microsecond(ledger: Ledger) -> None:
    """Instants come back equal to the microsecond, around seconds, days and the epoch."""
    starts = [
        0.0,
        0.000001,
        86_399.999999,
        START + 0.123456,
        START + 0.999999,
        4_102_444_799.000001,
    ]
    ledger.write_visits([visit(n, start=at, end=at + 0.25) for n, at in enumerate(starts)])
    read = {row.id: row for row in ledger.visits(-1.0)}
    for number, at in enumerate(starts):
        assert read[f"v{number}"].start == pytest.approx(at, abs=5e-7, rel=0)
        assert read[f"v{number}"].end == pytest.approx(at + 0.25, abs=5e-7, rel=0)


def test_what_was_read_can_be_written_again(ledger: Ledger) -> None:
    """Reading and writing again does not move an instant: there is one rounding, not one each
    time."""
    ledger.write_visits([visit(1, start=START + 0.1234567, end=START + 7.7654321)])
    first = list(ledger.visits(0.0))
    ledger.write_visits([replace(row, rev=row.rev + 1) for row in first])
    second = list(ledger.visits(0.0))
    assert [(row.start, row.end) for row in first] == [(row.start, row.end) for row in second]


def test_writing_again_changes_nothing(ledger: Ledger) -> None:
    """The same rows twice are the same as once."""
    rows = [visit(n) for n in range(20)]
    ledger.write_visits(rows)
    ledger.write_visits(rows)
    assert list(ledger.visits(0.0)) == rows


def test_the_higher_rev_stays(ledger: Ledger) -> None:
    """A late, older copy of a row does not undo the newer one, and equal revs leave the first."""
    newest = visit(1, rev=3, end=START + 300)
    ledger.write_visits([newest])
    ledger.write_visits([visit(1, rev=2, end=START + 200), visit(1, rev=3, end=START + 100)])
    assert list(ledger.visits(0.0)) == [newest]


def test_two_revs_in_one_batch(ledger: Ledger) -> None:
    """A batch may hold one row twice, in any order; the higher rev stays."""
    ledger.write_visits([visit(1, rev=2, platform="youtube"), visit(1, rev=1)])
    assert [row.platform for row in ledger.visits(0.0)] == ["youtube"]


def test_nothing_to_write(ledger: Ledger) -> None:
    """No rows are not an error."""
    ledger.write_visits([])
    assert list(ledger.visits(0.0)) == []


revisions = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6)), max_size=12)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(writes=revisions, cuts=st.integers(1, 4), again=st.booleans())
def test_any_order_any_repetition(
    ledger: Ledger, writes: list[tuple[int, int]], cuts: int, again: bool
) -> None:
    """However writes are ordered, cut into batches and repeated, the highest rev stays."""
    ledger.prune(START + 1e6)
    rows = [visit(number, rev=rev, end=START + 1000 + rev) for number, rev in writes]
    for _ in range(1 + again):
        for first in range(0, len(rows), cuts):
            ledger.write_visits(rows[first : first + cuts])
    highest = {number: max(rev for n, rev in writes if n == number) for number, _ in writes}
    assert {row.id: row.rev for row in ledger.visits(0.0)} == {
        f"v{n}": rev for n, rev in highest.items()
    }


def test_rows_that_cannot_be_are_refused_whole(ledger: Ledger) -> None:
    """A visit that ends before it begins is refused, and so is everything in the same call."""
    with pytest.raises(LedgerRefused):
        ledger.write_visits([visit(1), visit(2, end=START - 999)])
    assert list(ledger.visits(0.0)) == []


def test_many_writers_at_once(open_ledger: Open) -> None:
    """Writers of several nodes, with threads that write the same rows, lose nothing and double
    nothing."""
    ledgers = [open_ledger() for _ in range(4)]
    together = threading.Barrier(8)

    def write(worker: int) -> None:
        together.wait()
        for rev in range(1, 11):
            rows = [
                visit(n, rev=rev, end=START + 9000 + rev, node=f"n{worker % 4}")
                for n in range(worker % 4, 40, 4)
            ]
            ledgers[worker % 4].write_visits(rows[:: 1 if worker < 4 else -1])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    rows = list(ledgers[0].visits(0.0))
    assert len(rows) == 40
    assert {row.rev for row in rows} == {10}


def test_visits_since(ledger: Ledger) -> None:
    """Only visits that end after the instant are read, oldest start first; the bound itself is
    outside."""
    ledger.write_visits([visit(3), visit(1), visit(2)])
    since = visit(1).end
    assert [row.id for row in ledger.visits(since)] == ["v2", "v3"]
    assert [row.id for row in ledger.visits(since - 0.001)] == ["v1", "v2", "v3"]


def test_visits_of_a_person_and_of_some(ledger: Ledger) -> None:
    """One name or several narrow the reading; no names are nobody; names are compared exactly."""
    ledger.write_visits(
        [visit(n, person=name) for n, name in enumerate(["ana", "bo", "Ana", "cy"])]
    )
    assert [row.id for row in ledger.visits(0.0, person="ana")] == ["v0"]
    assert [row.id for row in ledger.visits(0.0, people=["cy", "bo", "bo"])] == ["v1", "v3"]
    assert list(ledger.visits(0.0, people=[])) == []
    assert list(ledger.visits(0.0, person="ana", people=["bo"])) == []


def test_visits_of_very_many_people(ledger: Ledger) -> None:
    """More names than a database takes in one query, still in order of start."""
    ledger.write_visits([visit(n, person=f"p{(n * 7) % 2500}") for n in range(2500)])
    found = list(ledger.visits(0.0, people={f"p{n}" for n in range(2500)}))
    assert [row.id for row in found] == [f"v{n}" for n in range(2500)]


def test_a_visit_given_back_whole(ledger: Ledger) -> None:
    """Minutes given back leave a row with end == start, which others must hear of."""
    ledger.write_visits([visit(1)])
    back = visit(1, rev=2, end=visit(1).start)
    ledger.write_visits([back])
    assert list(ledger.visits(0.0)) == [back]
    assert back in ledger.news(0.0, not_from="b").visits


def test_news_from_the_beginning(ledger: Ledger) -> None:
    """Cursor 0 gives everything: visits and grants."""
    ledger.write_visits([visit(1), visit(2)])
    ledger.add_grant(grant(), actor="lead")
    news = ledger.news(0.0)
    assert {row.id for row in news.visits} == {"v1", "v2"}
    assert news.grants == (grant(),)


def test_news_of_others_only(open_ledger: Open) -> None:
    """A node hears what the others wrote and not what it wrote itself."""
    mine, others = open_ledger(), open_ledger()
    mine.write_visits([visit(1, node="a")])
    others.write_visits([visit(2, node="b")])
    assert [row.id for row in mine.news(0.0, not_from="a").visits] == ["v2"]
    assert [row.id for row in mine.news(0.0, not_from="b").visits] == ["v1"]


def test_news_goes_on_where_it_stopped(open_ledger: Open) -> None:
    """Following the cursor, a node hears every visit, every new rev and every grant; old ones may
    repeat."""
    reader, writer = open_ledger(), open_ledger()
    cursor = reader.news(0.0, not_from="a").cursor
    for number in range(5):
        writer.write_visits([visit(number, node="b")])
        writer.add_grant(grant(number), actor="cli")
        news = reader.news(cursor, not_from="a")
        assert visit(number, node="b") in news.visits
        assert grant(number) in news.grants
        cursor = news.cursor
    longer = visit(0, node="b", rev=2, end=START + 5000)
    writer.write_visits([longer])
    assert longer in reader.news(cursor, not_from="a").visits


def test_news_while_others_write(open_ledger: Open) -> None:
    """A reader that polls while several nodes write misses no row, whenever their transactions
    commit."""
    reader = open_ledger()
    writers = [open_ledger() for _ in range(3)]
    done = threading.Event()
    heard: set[str] = set()

    def listen() -> None:
        cursor = 0.0
        last_round = False
        while not last_round:
            last_round = done.is_set()
            news = reader.news(cursor, not_from="reader")
            heard.update(row.id for row in news.visits)
            cursor = news.cursor

    def write(worker: int) -> None:
        for number in range(worker * 100, worker * 100 + 60):
            writers[worker].write_visits([visit(number, node=f"w{worker}")])

    listener = threading.Thread(target=listen)
    listener.start()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    done.set()
    listener.join(30)
    assert heard == {f"v{worker * 100 + n}" for worker in range(3) for n in range(60)}


def test_grants(ledger: Ledger) -> None:
    """Grants that are still good are read, oldest first, of everybody or of one."""
    given = [grant(1), grant(2, person="bo"), grant(3, expires=START + 10)]
    for one in reversed(given):
        ledger.add_grant(one, actor="lead")
    assert list(ledger.grants(0.0)) == given
    assert list(ledger.grants(START + 10)) == given[:2]
    assert list(ledger.grants(0.0, person="bo")) == [given[1]]


def test_a_grant_is_audited_once(ledger: Ledger) -> None:
    """The same grant again is neither stored nor audited again, not even with other contents."""
    ledger.add_grant(grant(), actor="ada")
    ledger.add_grant(grant(seconds=9_999.0), actor="eve")
    assert list(ledger.grants(0.0)) == [grant()]
    assert list(ledger.audit_log()) == [
        AuditEntry(START + 1, "ada", "grant", "ana", "daily 600 s: course")
    ]


def test_the_audit_is_appended_to(ledger: Ledger) -> None:
    """Entries stay in order, equal ones both, and can be read from an instant on and of one
    subject."""
    entries = [
        AuditEntry(START + n, "ada", "reset", "ana" if n % 2 else "bo", f"step {n}")
        for n in range(4)
    ]
    for entry in [entries[0], entries[0], *entries[1:]]:
        ledger.audit(entry)
    assert list(ledger.audit_log()) == [entries[0], *entries]
    assert list(ledger.audit_log(START + 2)) == entries[2:]
    assert list(ledger.audit_log(subject="ana")) == entries[1::2]


def test_prune_in_batches(ledger: Ledger) -> None:
    """What ended before the instant goes, over several batches, and nothing else; the count is
    right."""
    ledger.write_visits([visit(n) for n in range(25)])
    ledger.add_grant(grant(1, expires=START + 5), actor="lead")
    ledger.add_grant(grant(2), actor="lead")
    assert ledger.prune(visit(20).end, batch=7) == 21
    assert [row.id for row in ledger.visits(0.0)] == ["v20", "v21", "v22", "v23", "v24"]
    assert list(ledger.grants(0.0)) == [grant(2)]
    assert len(ledger.audit_log()) == 2
    assert ledger.prune(visit(20).end) == 0


def test_bounds_without_end(ledger: Ledger) -> None:
    """Infinity is a bound like any other."""
    ledger.write_visits([visit(1)])
    assert list(ledger.visits(float("inf"))) == []
    assert list(ledger.visits(float("-inf"))) == [visit(1)]
    assert ledger.news(float("inf")).visits == ()
    assert ledger.prune(float("inf")) == 1


def test_what_is_written_outlasts_the_process(open_ledger: Open) -> None:
    """Closing and opening again finds everything; closing twice is not an error."""
    first = open_ledger()
    first.write_visits([visit(1)])
    first.add_grant(grant(), actor="lead")
    first.close()
    first.close()
    second = open_ledger()
    second.check()
    assert list(second.visits(0.0)) == [visit(1)]
    assert list(second.grants(0.0)) == [grant()]
    assert len(second.audit_log()) == 1


def test_identity_is_the_ledgers_own(open_ledger: Open) -> None:
    """The id is 32 hexadecimal digits, the same for everybody who opens the ledger."""
    first, second = open_ledger(), open_ledger()
    assert re.fullmatch("[0-9a-f]{32}", first.identity())
    assert first.identity() == second.identity()


def test_clock_is_the_servers(open_ledger: Open) -> None:
    """The instant of a server; here on this host, so it lies between two looks at our own clock.
    None where there is no server."""
    ours = SystemClock()
    before, shown, after = ours.now(), open_ledger().clock(), ours.now()
    assert shown is None or before - 0.01 <= shown <= after + 0.01
