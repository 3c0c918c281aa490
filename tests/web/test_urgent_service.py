"""`proxy_addon/web/urgent_service.py`: what may be taken, what was, and waiting until it can be
used."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy_addon.core.ruleset import Period
from proxy_addon.core.types import Grant
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.ledger.time_requests import LONGEST, NotPossible
from proxy_addon.web.urgent_service import NO_REASON
from tests.web.office import MIDNIGHT, NOW
from tests.web.urgent_setup import TEN, AwayLedger, UrgentSetup

NAME = "daily-social"


async def test_taking_until_none_are_left() -> None:
    """Each is a grant to the allowance until the end of the day, by the person; then no more."""
    setup = UrgentSetup()
    offer = await setup.service.offer("dora")
    assert offer is not None and (offer.left, offer.times, offer.renews) == (2, 2, MIDNIGHT)
    assert await setup.service.take("dora", NAME, "  a\n customer ")
    (given,) = setup.inner.grants(0.0)
    assert isinstance(given, Grant)
    assert (given.person, given.granted_by, given.allowance) == ("dora", "dora", NAME)
    assert (given.seconds, given.created, given.expires) == (600.0, NOW, MIDNIGHT)
    assert given.is_urgent and given.reason == "a customer"
    setup.state.spent = 1500.0
    assert await setup.service.take("dora", NAME, "")
    assert {each.reason for each in setup.inner.grants(0.0)} == {"a customer", NO_REASON}
    setup.state.spent = 2100.0
    assert not await setup.service.take("dora", NAME, "")
    offer = await setup.service.offer("dora")
    assert offer is not None and offer.left == 0
    assert setup.counts.seen == {(NAME, "urgent"): 2}
    assert [each.actor for each in setup.inner.audit_log()] == ["web:dora"] * 2


async def test_two_clicks_at_once() -> None:
    """Of many at the same moment as many are given as the rules say."""
    setup = UrgentSetup(replace(TEN, times=1))
    taken = await asyncio.gather(
        *(setup.service.take("dora", NAME, "") for _ in range(5)), return_exceptions=True
    )
    assert sum(each is True for each in taken) == 1
    assert len(setup.inner.grants(0.0)) == 1


async def test_a_double_click() -> None:
    """One form takes them once, however often it is sent; sent again much later it takes nothing,
    and another form does. A form is one person's."""
    setup = UrgentSetup()
    clicks = (setup.service.take("dora", NAME, "", "f1") for _ in range(5))
    taken = await asyncio.gather(*clicks, return_exceptions=True)
    assert True in taken and False not in taken
    assert len(setup.inner.grants(0.0)) == 1
    setup.state.spent = 1500.0
    (given,) = setup.inner.grants(0.0)
    setup.state.clock = given.created + 60.0
    assert not await setup.service.take("dora", NAME, "", "f1")
    assert await setup.service.take("dora", NAME, "", "f2")
    assert len(setup.inner.grants(0.0)) == 2


@pytest.mark.parametrize(
    ("setup", "allowance", "reason"),
    [
        (UrgentSetup(None), NAME, ""),
        (UrgentSetup(replace(TEN, roles=frozenset({"night"}))), NAME, ""),
        (UrgentSetup(spent=899.0), NAME, ""),
        (UrgentSetup(), "weekly-video", ""),
        (UrgentSetup(), "nothing", ""),
        (UrgentSetup(), NAME, "x" * (LONGEST + 1)),
    ],
)
async def test_what_cannot_be_taken(setup: UrgentSetup, allowance: str, reason: str) -> None:
    """Not given by the rules, not to this role, time left, another's allowance, too many words."""
    with pytest.raises(NotPossible):
        await setup.service.take("dora", allowance, reason)
    assert not setup.inner.grants(0.0)


async def test_who_may() -> None:
    """By role; without rules about it nobody."""
    assert await UrgentSetup(None).service.offer("dora") is None
    care = UrgentSetup(replace(TEN, roles=frozenset({"care"})))
    assert await care.service.offer("dora") is not None
    assert await care.service.offer("gus") is None


async def test_the_ledger_is_away() -> None:
    """Nothing is given, and nothing is said that was not read."""
    setup = UrgentSetup(ledger=AwayLedger())
    with pytest.raises(LedgerError):
        await setup.service.offer("dora")
    with pytest.raises(LedgerError):
        await setup.service.take("dora", NAME, "")
    assert not setup.counts.seen


async def test_another_period() -> None:
    """Counted in the period that the rules name: what was taken yesterday counts this month."""
    setup = UrgentSetup(replace(TEN, period=Period.MONTH))
    old = Grant("urgent-1", "dora", NAME, 600.0, "", "dora", NOW - 90_000.0, NOW - 50_000.0)
    setup.inner.add_grant(old, actor="web:dora")
    offer = await setup.service.offer("dora")
    assert offer is not None
    assert offer.left == 1


async def test_waiting_until_it_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is over at once when there is time, and after a while when there is none."""
    setup = UrgentSetup()
    monkeypatch.setattr("proxy_addon.web.urgent_service.ARRIVES", 0.1)
    assert not await setup.service.arrived("dora", NAME)
    setup.state.spent = 0.0
    assert await setup.service.arrived("dora", NAME)
