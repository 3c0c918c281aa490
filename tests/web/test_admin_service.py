"""`proxy_addon/web/admin_service.py`: what pages ask of the ledger."""

from __future__ import annotations

import threading

import pytest

from proxy_addon.ledger.interface import LedgerError, TimeRequest
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.admin_setup import NAMES, AdminSetup
from tests.web.office import visit


def test_who_is_an_administrator() -> None:
    """The rules say so, and nothing else."""
    back = AdminSetup().admin_service
    assert [back.is_admin(name) for name in ("ada", "abe", "dora", "ip:10.0.0.1")] == [
        True,
        True,
        False,
        False,
    ]


async def test_totals() -> None:
    """Platforms and allowances of everybody, most first; people are counted and not named."""
    setup = AdminSetup()
    setup.inner.write_visits([visit("facebook", 60, 5), visit("youtube", 30, 20, None)])
    totals = await setup.admin_service.totals()
    assert list(totals.platforms.items()) == [("youtube", 1200.0), ("facebook", 300.0)]
    assert list(totals.allowances.items()) == [(None, 1200.0), ("daily-social", 300.0)]
    assert totals.people == 1


async def test_the_ledger_is_never_asked_on_the_loop() -> None:
    """Every question runs on another thread."""
    seen: set[int] = set()

    class ThreadRecordingLedger(MemoryLedger):
        def requests(
            self, *, person: str | None = None, status: str | None = None
        ) -> list[TimeRequest]:
            seen.add(threading.get_ident())
            return list(super().requests(person=person, status=status))

    setup = AdminSetup(ThreadRecordingLedger())
    setup.asked()
    await setup.admin_service.requests_if_quick("dora")
    await setup.admin_service.requests_of("dora")
    await setup.admin_service.approve("r1", "ada")
    assert seen
    assert threading.get_ident() not in seen


async def test_a_glance_waits_for_nobody() -> None:
    """A page that can do without gets nothing from a ledger that is broken."""

    class Broken(MemoryLedger):
        def requests(
            self, *, person: str | None = None, status: str | None = None
        ) -> list[TimeRequest]:
            raise LedgerError("schema")

    assert await AdminSetup(Broken()).admin_service.requests_if_quick("dora") == ()


async def test_an_override_counts_behind_pseudonyms() -> None:
    """The grant of a pseudonym is for the pseudonym, though the name behind it decides about its
    end."""
    setup = AdminSetup(pseudonyms=True)
    setup.asked(person="dora")
    closed = await setup.admin_service.approve("r1", "ada")
    assert (closed.person, closed.decided_by) == (NAMES.of("dora"), NAMES.of("ada"))
    with pytest.raises(ValueError, match="already been answered"):
        await setup.admin_service.refuse("r1", "ada", "no")
