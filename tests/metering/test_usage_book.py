"""Twin of proxy_addon/metering/usage_book.py: a union whatever the order, packed people, and
strangers in an outage."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import normalise
from proxy_addon.core.types import EvidenceSummary, Grant, Interval, Visit
from proxy_addon.metering.usage_book import PersonUsage, UsageBook
from tests.ledger.memory_ledger import MemoryLedger

START = 1_793_610_000.0


def visit(
    number: int = 1, rev: int = 1, start: float = 0.0, seconds: float = 10.0, who: str = "ana"
) -> Visit:
    """A visit of some seconds."""
    return Visit(
        f"v{number}", who, "x", None, "daily", "r", START + start, START + start + seconds, "a", rev
    )


revisions = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 5), st.integers(0, 100), st.integers(0, 60)),
    max_size=30,
)


@settings(max_examples=100)
@given(revisions, st.integers(0, 30), st.randoms())
def test_order_and_way_do_not_matter(
    rows: list[tuple[int, int, int, int]], filled: int, dice: random.Random
) -> None:
    """Filled at once or applied one by one, repeated and shuffled: the union is that of the newest
    revisions."""
    visits = list({row[:2]: visit(*row[:2], start=row[2], seconds=row[3]) for row in rows}.values())
    newest: dict[str, Visit] = {}
    for each in visits:
        if each.id not in newest or newest[each.id].rev < each.rev:
            newest[each.id] = each
    dice.shuffle(visits)
    usage = PersonUsage()
    usage.fill(visits[:filled])
    for each in [*visits[filled:], *visits[:5]]:
        usage.apply(each)
    expected = normalise(
        Interval(each.start, each.end) for each in newest.values() if each.end > each.start
    )
    assert usage.intervals("daily") == expected
    assert usage.visits == newest


def ledger() -> MemoryLedger:
    """Two people with visits."""
    made = MemoryLedger()
    made.write_visits(
        [visit(1), visit(2, start=20), visit(3, who="bo"), visit(4, who="bo", start=5)]
    )
    return made


def test_packed_people_are_there_when_they_come() -> None:
    """A book that adopted histories answers as one that was loaded, and counts people who have not
    come yet."""
    book, loaded = UsageBook(), UsageBook()
    book.adopt(ledger().histories(START))
    loaded.load(ledger().visits(START), ())
    assert len(book) == 2 and set(book) == {"ana", "bo"}
    for name in ("bo", "ana"):
        assert book.of(name).intervals("daily") == loaded.of(name).intervals("daily")
    assert len(book) == 2


def test_news_of_somebody_packed() -> None:
    """A newer revision for somebody who has not come is not hidden by what was packed."""
    book = UsageBook()
    book.adopt(ledger().histories(START))
    book.load(
        [visit(1, rev=2, seconds=15)],
        [Grant("g", "ana", "daily", 60.0, "r", "lead", START, START + 1e6)],
    )
    assert book.of("ana").spent("daily", START, START + 100) == 25.0
    assert len(book.of("ana").grants("daily")) == 1


def test_packed_people_are_dropped_and_forgotten() -> None:
    """Somebody erased is gone although still packed; so is everybody whose last visit is too
    old."""
    book = UsageBook()
    book.adopt(ledger().histories(START))
    book.drop("ana")
    assert list(book) == ["bo"]
    book.forget(START + 14.0)
    assert list(book) == ["bo"]
    book.forget(START + 15.5)
    assert list(book) == []


def test_who_comes_first_in_an_outage_is_a_stranger() -> None:
    """People who were loaded or seen are known; others are strangers until the ledger is back."""
    book = UsageBook()
    book.adopt(ledger().histories(START))
    book.of("seen")
    book.ledger_away(True)
    for name in ("ana", "seen", "new"):
        book.of(name)
    book.ledger_away(True)
    assert [name for name in ("ana", "bo", "seen", "new") if book.is_unknown(name)] == ["new"]
    book.load([visit(9, who="new")], ())
    assert book.is_unknown("new")  # what was used before is still not known
    book.ledger_away(False)
    assert not book.is_unknown("new")


def test_pseudonyms() -> None:
    """A stranger is one under every name."""
    book = UsageBook(lambda name: name if name.startswith("~") else f"~{name}")
    book.ledger_away(True)
    book.of("ana")
    assert book.is_unknown("ana") and book.is_unknown("~ana")


def test_old_evidence_is_not_kept_in_memory() -> None:
    """Pages show these days; balances stay as they were."""
    summary = EvidenceSummary(("page-opened", START))
    old, new = (
        replace(visit(1), evidence=summary),
        replace(visit(2, start=3 * 86_400.0), evidence=summary),
    )
    book = UsageBook()
    book.load([old, new], ())
    spent = book.of("ana").spent("daily", 0.0, START * 2)
    book.forget(0.0)
    assert list(book.of("ana").visits.values()) == [replace(old, evidence=None), new]
    assert book.of("ana").spent("daily", 0.0, START * 2) == spent
