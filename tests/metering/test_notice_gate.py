"""The written policy before the first use of a limited platform."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.notices.gate import Confirmation, Meeting, Need
from proxy_addon.core.notices.notice import AskWhen, Notice, NoticeText, Version
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Mode, OnFailure, Platform, RuleSet, Section
from proxy_addon.core.types import Reason, Verdict
from proxy_addon.metering.flight import Asked, Flight
from tests.core.policies import SAMPLE, at
from tests.shell import Shell

DAY = 86_400.0
NOTICE = Notice("social", Version(3), {"en": NoticeText("en", "Policy", "")}, "d3", grace=3 * DAY)
NOW = at("09:00")


class Office:
    """An office with a written policy, whose ledger is there."""

    def __init__(self, *notices: Notice, rules: RuleSet | None = None) -> None:
        self.shell = Shell(replace(rules or SAMPLE, notices=notices or (NOTICE,)))
        self.enforcer = self.shell.enforcer
        self.gate = self.enforcer.gate
        self.gate.book.is_known = True
        self.met: list[tuple[str, Meeting]] = []
        self.gate.on_meeting = lambda name, met: self.met.append((name, met))

    def ask(
        self,
        name: str = "dora",
        now: float = NOW,
        host: str = "facebook.com",
        path: str = "/",
        dest: str = "document",
        *,
        signed_in: bool = True,
        method: str = "GET",
        purpose: str | None = None,
    ) -> Asked:
        """Somebody asks for something."""
        hit = self.enforcer.catalogue.lookup(host, path)
        assert hit is not None
        mode = "navigate" if dest in ("document", "iframe") else "no-cors"
        x = Exchange(method, host, path, dest, mode, "none", purpose, gesture=dest == "document")
        person = self.enforcer.person(name, None, now)
        asked = self.enforcer.ask(person, x, hit, now, signed_in=signed_in)
        if asked.flight is not None:
            self.enforcer.closed(asked.flight)
        return asked

    def confirm(self, name: str = "dora", version: int = 3, now: float = NOW) -> None:
        """Somebody confirms a version."""
        confirmation = Confirmation("social", Version(version), f"d{version}", now)
        self.gate.book.confirm(name, confirmation)


def test_the_first_page_meets_it() -> None:
    """It is refused with the reason, the ledger is told of the meeting once, and nothing is
    counted."""
    office = Office()
    asked = office.ask()
    assert (asked.decision.verdict, asked.decision.reason) == (Verdict.BLOCK, Reason.ACKNOWLEDGE)
    assert asked.gated is not None and asked.gated.standing == (Need.ASKED, NOW + 3 * DAY)
    assert office.met == [("dora", Meeting("social", 3, NOW))]
    office.ask(now=NOW + 60)
    assert len(office.met) == 1
    assert not office.shell.visits


def test_it_opens_once_it_is_confirmed() -> None:
    """At once, and for every platform."""
    office = Office()
    office.ask()
    office.confirm()
    for host in ("facebook.com", "x.com"):
        assert office.ask(host=host).decision.verdict is Verdict.SPEND


@pytest.mark.parametrize("dest", ["script", "image", "iframe", "empty", "video"])
def test_only_pages_meet_it_in_the_grace_time(dest: str) -> None:
    """What a page loads, frames and apps go on; after it they are refused as well."""
    office = Office()
    assert not office.ask(dest=dest).decision.blocks
    office.ask()
    assert not office.ask(dest=dest, now=NOW + 3 * DAY - 1).decision.blocks
    after = office.ask(dest=dest, now=NOW + 3 * DAY)
    assert after.decision.reason is Reason.ACKNOWLEDGE
    assert after.gated is not None and after.gated.standing.need is Need.DUE


def test_an_app_that_never_met_it() -> None:
    """Its grace time has not begun: it goes on until a page has met it. Without a grace time it is
    refused at once."""
    assert not Office().ask(dest="empty").decision.blocks
    assert Office(replace(NOTICE, grace=0.0)).ask(dest="empty").decision.blocks


@pytest.mark.parametrize(
    ("method", "purpose"), [("GET", "prefetch;prerender"), ("GET", "prefetch"), ("HEAD", None)]
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_page_that_nobody_sees(method: str, purpose: str | None, *, signed_in: bool) -> None:
    """A browser that loads it in advance is refused, so that it cannot stand there when somebody
    opens it; nobody has met anything, and the page that is opened then is the first."""
    office = Office()
    asked = office.ask(method=method, purpose=purpose, signed_in=signed_in)
    assert asked.decision.reason is Reason.ACKNOWLEDGE
    assert office.met == []
    opened = office.ask(now=NOW + 60, signed_in=signed_in)
    assert opened.decision.reason is Reason.ACKNOWLEDGE
    assert [met.first for _, met in office.met] == [NOW + 60]


def test_later() -> None:
    """Who puts it off goes on until the next day begins."""
    office = Office()
    office.ask()
    office.gate.book.meet("dora", Meeting("social", 3, NOW, at("2026-11-03 00:00")))
    assert not office.ask(now=at("23:59")).decision.blocks
    assert office.ask(now=at("2026-11-03 00:00")).decision.reason is Reason.ACKNOWLEDGE


def test_also_where_the_platform_is_free() -> None:
    """Lunch is free, and the policy has to be known all the same."""
    asked = Office().ask(now=at("12:30"))
    assert asked.decision.reason is Reason.ACKNOWLEDGE


def test_sections_that_a_rule_names_stay_open() -> None:
    """Learning is work, also without the policy; another part of the platform is not."""
    linkedin = Platform(
        "linkedin", "LinkedIn", ("linkedin.com",), (Section("learning", paths=("/learning/*",)),)
    )
    rules = replace(SAMPLE, platforms={**SAMPLE.platforms, "linkedin": linkedin})
    office = Office(replace(NOTICE, grace=0.0), rules=rules)
    learning = office.ask(host="linkedin.com", path="/learning/python")
    assert (learning.decision.verdict, learning.gated) == (Verdict.ALLOW, None)
    assert office.ask(host="linkedin.com", path="/feed/").decision.blocks


def test_what_is_blocked_anyway() -> None:
    """The rule says why; the policy would not open it."""
    office = Office()
    asked = office.ask(host="tiktok.com")
    assert (asked.decision.reason, asked.gated) == (Reason.BLOCKED, None)


def test_rules_that_are_tried_out_stop_nobody() -> None:
    """It counts as would-have-blocked."""
    rules = SAMPLE
    observed = tuple(replace(rule, mode=Mode.OBSERVE) for rule in rules.rules)
    office = Office(rules=replace(rules, rules=observed, mode=Mode.OBSERVE))
    asked = office.ask()
    assert not asked.decision.blocks
    assert asked.decision.would_block
    assert asked.decision.reason is Reason.ACKNOWLEDGE
    assert asked.flight is not None


def test_never_without_the_ledger() -> None:
    """What cannot be known is not asked: before it was read, and while it is away."""
    office = Office(replace(NOTICE, grace=0.0))
    office.gate.is_closed = lambda: True
    assert not office.ask().decision.blocks
    office.gate.is_closed = lambda: False
    assert office.ask().decision.blocks
    office.gate.book.is_known = False
    assert not office.ask().decision.blocks


def closing(*notices: Notice, **changes: object) -> Office:
    """An office whose ledger is away, and whose rules say `on_failure: block`."""
    office = Office(*notices, rules=replace(SAMPLE, on_failure=OnFailure.BLOCK, **changes))
    office.gate.is_closed = lambda: True
    return office


@pytest.mark.parametrize("dest", ["document", "image", "empty"])
def test_blocked_where_it_is_not_known(dest: str) -> None:
    """With `on_failure: block`, and before the ledger was read, nobody knows who has confirmed:
    everything is refused as unavailable, nobody has met anything, and once it is known, who has
    confirmed goes on."""
    office = closing()
    office.gate.book.is_known = False
    asked = office.ask(dest=dest)
    assert (asked.decision.verdict, asked.decision.reason) == (Verdict.BLOCK, Reason.UNAVAILABLE)
    assert office.met == []
    office.confirm()
    office.gate.book.is_known, office.gate.is_closed = True, lambda: False
    assert not office.ask(dest=dest).decision.blocks


def test_blocked_where_it_is_due() -> None:
    """With `on_failure: block` somebody whose grace time has ended is refused as unavailable while
    the ledger is away; in the grace time, and with a confirmation, people go on."""
    office = closing()
    assert not office.ask("finn").decision.blocks
    office.gate.book.meet("dora", Meeting("social", 3, NOW - 3 * DAY))
    for dest in ("document", "image"):
        assert office.ask(dest=dest).decision.reason is Reason.UNAVAILABLE
    office.confirm()
    assert not office.ask().decision.blocks


def test_who_is_not_asked_is_not_blocked() -> None:
    """Devices, notices that are only shown, sections that a rule names, people for whom there is
    no notice, and rules that are tried out stop nobody, also with `on_failure: block`."""
    office = closing()
    office.gate.book.is_known = False
    assert not office.ask(signed_in=False).decision.blocks
    for notice in (replace(NOTICE, ask=AskWhen.SHOWN), replace(NOTICE, roles=frozenset({"care"}))):
        office = closing(notice)
        office.gate.book.is_known = False
        assert not office.ask().decision.blocks
    observed = tuple(replace(rule, mode=Mode.OBSERVE) for rule in SAMPLE.rules)
    office = closing(rules=observed, mode=Mode.OBSERVE)
    office.gate.book.is_known = False
    asked = office.ask()
    assert asked.decision.would_block and asked.decision.reason is Reason.UNAVAILABLE


def test_what_runs_ends_where_it_is_due() -> None:
    """A grace time that ends while the ledger is away ends what runs, with `on_failure: block`,
    within half a minute; a free tunnel is opened, so that its page can say why."""
    office = closing()
    lunch = at("12:30")
    office.gate.book.meet("dora", Meeting("social", 3, lunch - 3 * DAY + 60, lunch + DAY))
    dora = office.enforcer.person("dora", None, lunch)
    asked = office.enforcer.free_tunnel(dora, "facebook", lunch)
    assert asked is not None and asked.flight is not None
    flight = running(office, now=lunch)
    ended = {due.flight: due.decision for due in office.enforcer.due(lunch + 91)}
    assert ended[flight].reason is Reason.UNAVAILABLE
    assert office.enforcer.free_tunnel(dora, "facebook", lunch + 91) is None


@pytest.mark.parametrize("how", ["device", "shown"])
def test_shown_and_not_asked(how: str) -> None:
    """Once for each version, on a page; afterwards, and for everything else, nobody is stopped."""
    ask = AskWhen.SHOWN if how == "shown" else AskWhen.BEFORE_FIRST_USE
    office = Office(replace(NOTICE, ask=ask, grace=0.0))
    signed_in = how == "shown"
    assert not office.ask(dest="empty", signed_in=signed_in).decision.blocks
    shown = office.ask(signed_in=signed_in)
    assert shown.gated is not None and shown.gated.standing.need is Need.SHOWN
    assert not office.ask(signed_in=signed_in).decision.blocks
    assert not office.ask(now=NOW + 900 * DAY, signed_in=signed_in).decision.blocks


def test_a_new_version() -> None:
    """From 3 to 3.1 nobody is asked again, from 3 to 4 everybody."""
    office = Office()
    office.confirm(version=3)
    rules = office.enforcer.rules
    office.shell.swap(replace(rules, notices=(replace(NOTICE, version=Version(3, 1)),)), NOW)
    assert not office.ask().decision.blocks
    office.shell.swap(replace(rules, notices=(replace(NOTICE, version=Version(4)),)), NOW)
    assert office.ask().decision.reason is Reason.ACKNOWLEDGE


def test_roles() -> None:
    """Of several notices the first that fits; who has none is not asked."""
    for_care = replace(NOTICE, name="care", roles=frozenset({"care"}))
    office = Office(for_care)
    assert not office.ask("dora").decision.blocks
    asked = office.ask("carl")
    assert asked.gated is not None and asked.gated.notice.name == "care"


def test_whoever_has_to_be_asked_is_read() -> None:
    """A tunnel is opened as long as something has to be asked, although the platform is free; it
    is relayed once that is done, and until the confirmation ends."""
    yearly = replace(NOTICE, again_after=365 * DAY)
    office = Office(yearly)
    lunch = at("12:30")
    dora = office.enforcer.person("dora", None, lunch)
    assert office.enforcer.opening(dora, "facebook", lunch).needed
    assert office.enforcer.free_tunnel(dora, "facebook", lunch) is None
    office.confirm(now=lunch - 365 * DAY + 600)
    opening = office.enforcer.opening(dora, "facebook", lunch)
    assert (opening.needed, opening.until) == (False, lunch + 600)
    assert office.enforcer.free_tunnel(dora, "facebook", lunch) is not None


def test_tunnels_that_are_not_opened() -> None:
    """An app in a tunnel goes on in the grace time, and is refused after it."""
    office = Office()
    office.ask()
    dora = office.enforcer.person("dora", None, NOW)
    assert office.enforcer.tunnel(dora, "facebook", NOW).flight is not None
    refused = office.enforcer.tunnel(dora, "facebook", NOW + 3 * DAY)
    assert (refused.flight, refused.decision.reason) == (None, Reason.ACKNOWLEDGE)


def running(
    office: Office,
    name: str = "dora",
    now: float = NOW,
    host: str = "facebook.com",
    path: str = "/",
) -> Flight:
    """Something that goes on: a stream of an app, which meets no page."""
    hit = office.enforcer.catalogue.lookup(host, path)
    assert hit is not None
    x = Exchange("GET", host, path, "empty", "cors", "same-origin")
    flight = office.enforcer.ask(office.enforcer.person(name, None, now), x, hit, now).flight
    assert flight is not None
    return flight


def test_what_runs_when_the_grace_time_ends() -> None:
    """It ends then, with the reason, and not before; also what began before the first meeting."""
    office = Office()
    early = running(office)
    office.ask(now=NOW + 60)
    ends = NOW + 60 + 3 * DAY
    late = running(office, now=ends - 60)
    assert list(office.enforcer.due(ends - 1)) == []
    found = list(office.enforcer.due(ends))
    assert {due.flight for due in found} == {early, late}
    assert {due.decision.reason for due in found} == {Reason.ACKNOWLEDGE}
    assert all(due.decision.blocks for due in found)


def test_what_runs_goes_on_for_those_who_have_confirmed() -> None:
    """The end of the grace time is nothing to them."""
    office = Office()
    office.ask()
    flight = running(office)
    office.confirm()
    assert list(office.enforcer.due(NOW + 3 * DAY)) == []
    office.enforcer.closed(flight)


def test_what_runs_when_a_new_version_without_a_grace_time_comes() -> None:
    """It ends with the next look; a section that a rule names goes on."""
    linkedin = Platform(
        "linkedin", "LinkedIn", ("linkedin.com",), (Section("learning", paths=("/learning/*",)),)
    )
    rules = replace(SAMPLE, platforms={**SAMPLE.platforms, "linkedin": linkedin})
    office = Office(rules=rules)
    office.confirm()
    flight = running(office)
    learning = running(office, host="linkedin.com", path="/learning/python")
    new = replace(NOTICE, version=Version(4), digest="d4", grace=0.0)
    office.enforcer.swap(CompiledPolicy.of(replace(office.enforcer.rules, notices=(new,))), NOW)
    [due] = office.enforcer.due(NOW + 1)
    assert (due.flight, due.decision.reason) == (flight, Reason.ACKNOWLEDGE)
    office.enforcer.closed(flight)
    assert list(office.enforcer.due(NOW + 2)) == []
    office.enforcer.closed(learning)


def test_what_runs_while_the_ledger_is_away() -> None:
    """Nothing ends; once it is back, it does, within half a minute."""
    office = Office()
    office.ask()
    ends = NOW + 3 * DAY
    flight = running(office, now=ends - 60)
    office.gate.is_closed = lambda: True
    assert list(office.enforcer.due(ends)) == []
    office.gate.is_closed = lambda: False
    assert [due.flight for due in office.enforcer.due(ends + 31)] == [flight]


def test_free_tunnels_when_the_grace_time_ends() -> None:
    """At lunch nothing is read of somebody who has put it off; when it is due, the tunnel ends."""
    office = Office()
    lunch = at("12:30")
    office.gate.book.meet("dora", Meeting("social", 3, lunch - 3 * DAY + 60, lunch + DAY))
    dora = office.enforcer.person("dora", None, lunch)
    asked = office.enforcer.free_tunnel(dora, "facebook", lunch)
    assert asked is not None and asked.flight is not None
    assert list(office.enforcer.due(lunch + 59)) == []
    ended = list(office.enforcer.due(lunch + 60)) or list(office.enforcer.due(lunch + 66))
    assert [due.flight for due in ended] == [asked.flight]


def test_what_is_counted() -> None:
    """Every page and every refusal of the gate is a decision with the reason `acknowledge`; where
    the rule is only tried out, it counts as what would have been blocked."""
    office = Office()
    office.ask()
    office.ask(now=NOW + 3 * DAY, dest="image")
    counted = office.shell.metrics.decisions
    assert [(each.verdict, each.reason) for each in counted] == [
        (Verdict.BLOCK, Reason.ACKNOWLEDGE)
    ] * 2
    observed = tuple(replace(rule, mode=Mode.OBSERVE) for rule in SAMPLE.rules)
    tried = Office(rules=replace(SAMPLE, rules=observed, mode=Mode.OBSERVE))
    tried.ask()
    [decision] = tried.shell.metrics.decisions
    assert (decision.would_block, decision.reason) == (True, Reason.ACKNOWLEDGE)
