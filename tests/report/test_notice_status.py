"""Who has read the written policy, and who has not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from proxy_addon.core.notices.gate import Confirmation, Meeting
from proxy_addon.core.notices.notice import AskWhen, Notice, NoticeText, Version
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.ledger.interface import Acknowledgement, NoticeMeeting
from proxy_addon.report.notice_status import NoticeStatus, Stage, notice_status, read_status
from tests.core.policies import SAMPLE, at
from tests.ledger import test_ledger_contract as contract
from tests.ledger.test_ledger_contract import visit

open_ledger, ledger = contract.open_ledger, contract.ledger

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


def stages(found: NoticeStatus) -> dict[str, Stage]:
    """How far each of some people is."""
    return {each.name: each.stage for each in found.readers if each.name in ("dora", "carl")}


def test_how_far_somebody_is() -> None:
    """Not met, in the grace time, past it; the last end of those who can still put it off."""
    graceful = replace(RULES, notices=(replace(NOTICE, grace=600.0),))
    met = {
        "dora": [Meeting("social", 3, NOW - 60, NOW + 60)],
        "carl": [Meeting("social", 3, NOW - 600)],
        "cora": [Meeting("social", 2, NOW - 60)],
    }
    found = status("dora", rules=graceful, meetings=met)
    assert stages(found) == {"dora": Stage.GRACE, "carl": Stage.OVERDUE}
    assert [each.name for each in found.at(Stage.NOT_MET)] == ["ada", "cora", "maria"]
    assert found.latest_end == NOW + 540
    assert status("dora").latest_end is None


def test_a_notice_that_is_only_shown() -> None:
    """Who has met it has read it; nobody is ever overdue. One that nobody is asked about waits for
    nothing either."""
    shown = replace(RULES, notices=(replace(NOTICE, ask=AskWhen.SHOWN),))
    met = {"dora": [Meeting("social", 3, NOW - 60)]}
    assert stages(status("dora", rules=shown, meetings=met)) == {
        "dora": Stage.READ,
        "carl": Stage.NOT_MET,
    }
    off = replace(RULES, notices=(replace(NOTICE, ask=AskWhen.OFF),))
    found = status("dora", rules=off, meetings=met, confirmations={"carl": confirmed(3)})
    assert stages(found) == {"dora": Stage.NOT_MET, "carl": Stage.READ}


def test_names_are_folded() -> None:
    """The people file writes a name as it likes; the ledger has it folded, and it counts once."""
    people = replace(SAMPLE.people, roles={"care": ("Carl",)})
    rules = replace(RULES, people=people)
    found = status("carl", rules=rules, confirmations={"carl": confirmed(3)})
    assert {each.name: each.has_read for each in found.readers} == {"carl": True}


def test_from_the_ledger(ledger: contract.Ledger) -> None:
    """Who used the proxy, met or confirmed in the time that visits are kept; who was there before
    does not count any more. On every ledger."""
    old = NOW - RULES.retention - 60
    ledger.write_visits(
        [
            visit(1, person="emil", start=NOW - 90, end=NOW - 60),
            visit(2, person="gone", start=old - 1, end=old),
        ]
    )
    for person, at_ in (("carl", old), ("fay", NOW - 5), ("gone", old)):
        ledger.acknowledge(Acknowledgement(person, "social", "3", "d3", at_, "gate"))
    ledger.meet(NoticeMeeting("gus", "social", 3, NOW - 5))
    ledger.meet(NoticeMeeting("hal", "social", 3, old))
    (found,) = read_status(ledger, Engine(RULES), NOW)
    assert [each.name for each in found.readers] == [
        *("ada", "carl", "cora", "emil", "fay", "gus", "maria"),
    ]
    assert found.acknowledged == 2
    assert read_status(ledger, Engine(SAMPLE), NOW) == ()


def test_names_known_elsewhere() -> None:
    """Behind a pseudonym stands somebody of the password file: by that name, and with the roles of
    a pattern; whom only the password file knows, and who used nothing, does not count."""
    people = replace(SAMPLE.people, roles={"care": ("*@brand.example",)})
    found = notice_status(
        Engine(replace(RULES, people=people)),
        ["p:zoe@brand.example", "p:nobody"],
        {},
        {},
        NOW,
        lambda name: f"p:{name}",
        ["zoe@brand.example", "idle"],
    )[0]
    assert {each.name: each.roles[0] for each in found.readers} == {
        "p:nobody": "staff",
        "zoe@brand.example": "care",
    }
