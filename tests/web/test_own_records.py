"""`proxy_addon/web/own_records.py`: what the ledger has about the reader of a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from proxy_addon.core.types import Visit
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.interface import EVERYBODY, AuditEntry, Ledger, LedgerUnavailable
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from proxy_addon.web.ledger_executor import LedgerExecutor
from proxy_addon.web.own_records import FRESH, RecordReader
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.office import NOW, visit


class AwayLedger(MemoryLedger):
    """Does not answer."""

    def visits(self, *_: object, **__: object) -> Iterable[Visit]:
        raise LedgerUnavailable("away")


def reader(ledger: Ledger, *, is_up: bool = True) -> RecordReader:
    """Over a ledger."""
    return RecordReader.of(ledger, LedgerExecutor(), lambda: is_up)


def filled() -> MemoryLedger:
    """Visits of two people, and an audit."""
    ledger = MemoryLedger()
    ledger.write_visits([visit("facebook", 60, 5), visit("facebook", 30 * 60, 5), visit("x", 9, 2)])
    ledger.write_visits([replace(visit("x", 40, 5), person="emil", id="e")])
    for n, (actor, action, subject) in enumerate(
        (
            ("web:ada", "unmask", "dora"),
            ("web:ada", "unmask", "emil"),
            ("web:dora", "unmask", "dora"),
            ("web:ada", "refuse", "dora"),
            ("cli:root", "report", EVERYBODY),
        )
    ):
        ledger.audit(AuditEntry(NOW - 100 + n, actor, action, subject, "why"))
    return ledger


async def test_own_visits_and_looks() -> None:
    """Visits of the reader alone, from the day that is asked for; who looked at them, alone or with
    everybody, newest first, not what they did themselves."""
    found = await reader(filled()).read("dora", NOW - 7200, NOW, NOW)
    assert found is not None
    assert {each.person for each in found.visits} == {"dora"}
    assert [each.platform for each in found.visits] == ["facebook", "x"]
    assert [(e.actor, e.action) for e in found.looks] == [
        ("cli:root", "report"),
        ("web:ada", "unmask"),
    ]


async def test_what_comes_later_is_left_out() -> None:
    """A past day has an end."""
    found = await reader(filled()).read("dora", NOW - 7200, NOW - 1800, NOW)
    assert found is not None
    assert [each.platform for each in found.visits] == ["facebook"]


async def test_under_pseudonyms() -> None:
    """Where the ledger keeps pseudonyms both kinds of looks are found as well."""
    masked = PseudonymLedger(MemoryLedger(), Pseudonyms(b"k" * 32))
    for subject, action in (("dora", "unmask"), (EVERYBODY, "report"), ("emil", "unmask")):
        masked.audit(AuditEntry(NOW - 5, "cli:root", action, subject))
    found = await reader(masked).read("dora", NOW - 7200, NOW, NOW)
    assert found is not None
    assert sorted(each.action for each in found.looks) == ["report", "unmask"]


async def test_a_ledger_that_is_away() -> None:
    """Nothing is known then: neither where it is known to be away, nor where it turns out."""
    assert await reader(AwayLedger()).read("dora", NOW, NOW, NOW) is None
    assert await reader(filled(), is_up=False).read("dora", NOW, NOW, NOW) is None


async def test_a_page_that_keeps_itself_up_to_date_does_not_ask_each_time() -> None:
    """The same is remembered for a while; another day or another person is not."""
    ledger = MemoryLedger()
    asking = reader(ledger)
    await asking.read("dora", 0.0, NOW, NOW)
    ledger.write_visits([visit("facebook", 60, 5)])
    soon = await asking.read("dora", 0.0, NOW, NOW + FRESH - 1)
    later = await asking.read("dora", 0.0, NOW, NOW + FRESH)
    other = await asking.read("dora", 1.0, NOW, NOW + FRESH)
    assert [len(each.visits) if each else None for each in (soon, later, other)] == [0, 1, 1]
