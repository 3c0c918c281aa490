"""Who has read the written policy, and who has not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from proxy_addon.core.notices.gate import Confirmation, Meeting
from proxy_addon.core.notices.notice import Notice, NoticeText, Version
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.report.notice_status import NoticeStatus, notice_status
from tests.core.policies import SAMPLE, at

NOW = at("09:00")
NOTICE = Notice("social", Version(3), {"en": NoticeText("en", "", "")}, "d3")
RULES = replace(
    SAMPLE,
    notices=(NOTICE,),
    people=replace(SAMPLE.people, devices=((ip_network("10.0.7.21/32"), "reception", None),)),
)


def confirmed(version: int, at_: float = NOW - 60) -> list[Confirmation]:
    """Somebody's confirmation of a version."""
    return [Confirmation("social", Version(version), f"d{version}", at_)]


def status(
    *used: str,
    rules: RuleSet = RULES,
    confirmations: dict[str, list[Confirmation]] | None = None,
    meetings: dict[str, list[Meeting]] | None = None,
) -> NoticeStatus:
    """The status of the first notice."""
    return notice_status(Engine(rules), used, confirmations or {}, meetings or {}, NOW)[0]


def test_who_counts() -> None:
    """Who has used the proxy, and whom the people file names; no patterns, addresses and
    devices."""
    found = status("dora", "ip:10.0.0.1", "reception")
    assert [each.name for each in found.readers] == ["ada", "carl", "cora", "dora", "maria"]


def test_how_many_have_read_it() -> None:
    """This version or a later one; an earlier one is told."""
    found = status(
        "dora",
        "emil",
        confirmations={"dora": confirmed(3), "carl": confirmed(4), "emil": confirmed(2)},
        meetings={"emil": [Meeting("social", 2, 1.0), Meeting("social", 3, 5.0)]},
    )
    assert (found.acknowledged, len(found.readers)) == (2, 6)
    emil = next(each for each in found.waiting if each.name == "emil")
    assert emil.read is not None and emil.read.version == Version(2)
    assert emil.met == Meeting("social", 3, 5.0)


def test_by_role() -> None:
    """How many of how many."""
    found = status("dora", confirmations={"carl": confirmed(3), "dora": confirmed(3)})
    assert found.by_role == {"admin": (0, 1), "care": (1, 2), "marketing": (0, 1), "staff": (1, 1)}


def test_each_person_has_one_notice() -> None:
    """The first that fits."""
    care = replace(NOTICE, name="care", roles=frozenset({"care"}))
    found = notice_status(Engine(replace(RULES, notices=(care, NOTICE))), (), {}, {}, NOW)
    assert [[each.name for each in one.readers] for one in found] == [
        ["carl", "cora"],
        ["ada", "maria"],
    ]


def test_pseudonyms() -> None:
    """The ledger knows pseudonyms; whom the people file names is shown by name."""
    found = notice_status(
        Engine(RULES),
        ("p:dora", "p:carl", "p:reception"),
        {"p:carl": confirmed(3), "p:dora": confirmed(3)},
        {},
        NOW,
        lambda name: f"p:{name}",
    )[0]
    assert {each.name: each.has_read for each in found.readers} == {
        "ada": False,
        "carl": True,
        "cora": False,
        "maria": False,
        "p:dora": True,
    }


def test_a_confirmation_that_has_to_be_repeated() -> None:
    """After a year it does not count."""
    yearly = replace(RULES, notices=(replace(NOTICE, again_after=365 * 86_400.0),))
    old = {"dora": confirmed(3, NOW - 366 * 86_400)}
    assert status("dora", rules=yearly, confirmations=old).acknowledged == 0
