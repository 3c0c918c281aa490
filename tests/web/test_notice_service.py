"""`proxy_addon/web/notice_service.py`: which policy is whose, confirming, putting off, and the way
back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.notices.gate import Meeting, Need
from proxy_addon.core.notices.notice import Version
from proxy_addon.ledger.interface import Acknowledgement, LedgerError, LedgerUnavailable
from proxy_addon.web.notice_service import WAY_BACK_SECONDS
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.notice_setup import DAY, GUESTS, SOCIAL, NoticeSetup
from tests.web.office import MIDNIGHT, NOW

FACEBOOK = "https://www.facebook.com/groups?q=1"


class AwayLedger(MemoryLedger):
    """A ledger that takes no confirmation."""

    def acknowledge(self, done: Acknowledgement) -> bool:
        """Away."""
        raise LedgerUnavailable("away", kind="down")


def test_which_policy_is_whose() -> None:
    """Of several the first that fits; another one by its name, where it is for that person."""
    service = NoticeSetup().service
    dora, gus = service.person("dora"), service.person("gus")
    assert service.notice(dora) is not None and service.notice(dora) == SOCIAL
    assert service.notice(gus) == GUESTS
    assert service.notice(gus, "social") == SOCIAL
    assert service.notice(dora, "guests") is None
    assert service.notice(dora, "nothing") is None


async def test_confirming() -> None:
    """The ledger has person, policy, version, digest, instant and page, and nothing is asked any
    more; a second time makes it no older."""
    setup = NoticeSetup()
    service = setup.service
    assert service.standing("dora", SOCIAL, signed_in=True).need is Need.ASKED
    for _ in range(2):
        await service.confirm("dora", SOCIAL, "policy")
    kept = Acknowledgement("dora", "social", "3", "d3", NOW, "policy")
    assert list(setup.ledger.acknowledgements()) == [kept]
    assert service.standing("dora", SOCIAL, signed_in=True).need is Need.NOTHING
    assert [each.version for each in service.confirmations("dora", SOCIAL)] == [Version(3)]
    assert service.confirmations("dora", GUESTS) == []


async def test_what_the_ledger_does_not_take() -> None:
    """It is an error, and nothing counts as confirmed."""
    service = NoticeSetup(AwayLedger()).service
    with pytest.raises(LedgerError):
        await service.confirm("dora", SOCIAL, "policy")
    assert service.standing("dora", SOCIAL, signed_in=True).need is Need.ASKED


def test_putting_off() -> None:
    """Until the next day begins; the grace time runs from the first meeting, not from now."""
    setup = NoticeSetup()
    setup.gate.book.meet("dora", Meeting("social", 3, NOW - DAY))
    setup.service.put_off("dora", SOCIAL)
    assert setup.meetings == [("dora", Meeting("social", 3, NOW - DAY, MIDNIGHT))]
    standing = setup.service.standing("dora", SOCIAL, signed_in=True)
    assert standing == (Need.PUT_OFF, NOW + 2 * DAY)


def test_the_way_back() -> None:
    """For the person for whom it was sealed, for an hour, and only to a limited platform."""
    setup = NoticeSetup()
    service = setup.service
    sealed = setup.seal.seal(FACEBOOK, "dora", NOW)
    assert service.way_to("dora", sealed) == FACEBOOK
    assert service.platform_title(FACEBOOK) == "Facebook"
    assert service.way_to("gus", sealed) is None
    assert service.way_to("dora", sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB")) is None
    for url in ("https://evil.example/", "javascript:alert(1)", "https://", "https://[/", ""):
        assert service.way_to("dora", setup.seal.seal(url, "dora", NOW)) is None
    setup.clock.advance(WAY_BACK_SECONDS)
    assert service.way_to("dora", sealed) == FACEBOOK
    setup.clock.advance(1)
    assert service.way_to("dora", sealed) is None


def test_a_policy_that_changed_its_major_version() -> None:
    """What was confirmed of the one before does not count, and is still known."""
    setup = NoticeSetup()
    setup.confirmed("dora", SOCIAL, NOW - DAY)
    newer = replace(SOCIAL, version=Version(4), digest="d4")
    setup.use(newer)
    assert setup.service.notice(setup.service.person("dora")) == newer
    assert setup.service.standing("dora", newer, signed_in=True).need is Need.ASKED
    assert [each.digest for each in setup.service.confirmations("dora", newer)] == ["d3"]
