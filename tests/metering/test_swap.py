"""Other rules in the middle of things: time before the change keeps its rule, time after it has the
new one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Allowance, Limit, People, Period, Rule, RuleSet, Then
from proxy_addon.core.types import Person, Reason, Target
from tests.core.policies import SAMPLE, H, M, at, targets
from tests.shell import Shell

ONE = Rule("One", Then.SPEND, "a", targets=targets("x", "facebook"))
START = at("09:00")
PACE = 30.0  # seconds between two pages of somebody who reads


def rules(*ordered: Rule, limit: float = H, people: People = SAMPLE.people) -> RuleSet:
    """Rules over the allowances `a` and `b`."""
    budgets = {name: Allowance(name, (Limit(limit, Period.DAY),)) for name in ("a", "b")}
    limited = frozenset(
        t.platform for rule in ordered for t in rule.targets or () if rule.then is not Then.ALLOW
    )
    return replace(SAMPLE, rules=ordered, allowances=budgets, limited=limited, people=people)


def read(shell: Shell, since: float, until: float, host: str = "x.com") -> None:
    """Dora reads page after page."""
    now = since
    while now <= until:
        shell.open("dora", host, now)
        now += PACE


def test_an_open_stretch_is_split_at_the_change() -> None:
    """To the second, and later pages do not change what was charged before."""
    shell = Shell(rules(ONE))
    read(shell, START, START + 5 * M)
    change = START + 5 * M + 7
    shell.swap(rules(replace(ONE, name="Two", allowance="b")), change)
    read(shell, START + 5 * M + PACE, START + 10 * M)
    end = START + 10 * M + SAMPLE.metering.tail
    assert shell.rows() == [(START, change, "a", "One"), (change, end, "b", "Two")]


def test_the_tail_after_the_change_is_of_the_new_rule() -> None:
    """Also when nothing more comes."""
    shell = Shell(rules(ONE))
    read(shell, START, START + M)
    shell.swap(rules(replace(ONE, allowance="b")), START + M + 4)
    assert shell.rows() == [
        (START, START + M + 4, "a", "One"),
        (START + M + 4, START + M + SAMPLE.metering.tail, "b", "One"),
    ]


def test_a_change_that_changes_nothing_here_splits_nothing() -> None:
    """Most edits are about something else: one visit stays one row."""
    shell = Shell(rules(ONE))
    read(shell, START, START + 5 * M)
    shell.swap(rules(ONE, Rule("Other", Then.BLOCK, targets=targets("tiktok"))), START + 5 * M + 1)
    read(shell, START + 5 * M + PACE, START + 10 * M)
    assert len(shell.rows()) == 1


def test_many_changes() -> None:
    """Each stretch between two of them has its own rule."""
    shell = Shell(rules(ONE))
    for turn in range(6):
        begin = START + turn * M
        read(shell, begin, begin + M - PACE)
        shell.swap(rules(replace(ONE, name=f"After {turn}")), begin + 35)
    names = [row[3] for row in shell.rows()]
    assert names == ["One", *(f"After {turn}" for turn in range(6))]
    assert all(
        row[1] == following[0]
        for row, following in zip(shell.rows(), shell.rows()[1:], strict=False)
    )


def test_a_lower_limit_blocks_and_gives_nothing_back() -> None:
    """Ten minutes used of an hour stay ten minutes when there are only five."""
    shell = Shell(rules(ONE))
    read(shell, START, START + 10 * M)
    spent = shell.spent("dora", "a")
    shell.swap(rules(ONE, limit=5 * M), START + 10 * M + 1)
    asked = shell.open("dora", "facebook.com", START + 10 * M + 2)
    assert asked.decision.reason is Reason.EXHAUSTED
    assert shell.spent("dora", "a") == spent


def test_a_stream_under_a_lower_limit_is_due_at_once() -> None:
    """And what it charged before the change stays charged."""
    shell = Shell(rules(ONE))
    enforcer = shell.enforcer
    flight = enforcer.tunnel(enforcer.person("dora", None, START), "x", START).flight
    assert flight is not None
    for second in range(0, 600, 5):
        enforcer.tunnel_bytes(flight, 1_000_000, START + second)
    spent = shell.spent("dora", "a")
    now = START + 600
    shell.enforcer.swap(prepared(rules(ONE, limit=5 * M)), now)
    enforcer.tunnel_bytes(flight, 1_000_000, now)  # arrives before anybody has looked
    assert [due.flight for due in enforcer.due(now + 0.2)] == [flight]
    assert shell.spent("dora", "a") >= spent - SAMPLE.metering.tail


def prepared(rule_set: RuleSet) -> CompiledPolicy:
    """What a reload prepares."""
    return CompiledPolicy.of(rule_set)


def test_a_platform_that_is_no_longer_limited_costs_nothing() -> None:
    """What runs goes on: no charge, no visit, no failure, whatever it does."""
    shell = Shell(rules(ONE))
    enforcer = shell.enforcer
    dora = enforcer.person("dora", None, START)
    hit = enforcer.catalogue.lookup("x.com", "/")
    assert hit is not None
    page = enforcer.ask(
        dora,
        Exchange("GET", "x.com", "/", "document", "navigate", "none", gesture=True),
        hit,
        START,
    )
    tunnel = enforcer.tunnel(dora, "x", START)
    assert page.flight is not None
    assert tunnel.flight is not None
    shell.swap(rules(replace(ONE, targets=targets("facebook"))), START + 1)
    enforcer.answered(page.flight, 200, "video/mp4", None, START + 2)
    for second in range(3, 60):
        enforcer.body(page.flight, 1_000_000, START + second)
        enforcer.tunnel_bytes(tunnel.flight, 1_000_000, START + second)
        enforcer.message(page.flight, 500, START + second, from_client=True)
        assert list(enforcer.due(START + second)) == []
    enforcer.closed(page.flight)
    enforcer.closed(tunnel.flight)
    assert shell.rows() == []


def test_roles_are_looked_up_anew() -> None:
    """What runs is paid by the roles that somebody has now; time before the change keeps those of
    then."""
    staff = People("staff", {"staff": (), "care": ()})
    care = People("staff", {"staff": (), "care": ("dora",)})
    ordered = (
        Rule("Care", Then.SPEND, "b", roles=frozenset({"care"}), targets=targets("x")),
        Rule("Staff", Then.SPEND, "a", roles=frozenset({"staff"}), targets=targets("x")),
    )
    shell = Shell(rules(*ordered, people=staff))
    read(shell, START, START + 2 * M)
    change = START + 2 * M + 5
    shell.swap(rules(*ordered, people=care), change)
    read(shell, START + 2 * M + PACE, START + 4 * M)
    assert [(row[1], row[2]) for row in shell.rows()] == [
        (change, "a"),
        (START + 4 * M + SAMPLE.metering.tail, "b"),
    ]


def test_who_pays_for_what_runs_can_change() -> None:
    """Somebody else sits at the device: what runs there is theirs from now on, and ends once when
    closed."""
    shell = Shell(rules(ONE))
    enforcer = shell.enforcer
    flight = enforcer.tunnel(Person("dora", ("staff",)), "x", START).flight
    assert flight is not None
    enforcer.reassign(lambda one: Person("bob", ("staff",)), START + 1)
    for second in range(0, 60, 5):
        enforcer.tunnel_bytes(flight, 1_000_000, START + 1 + second)
    assert shell.spent("dora", "a") == 0
    assert shell.spent("bob", "a") > 50
    enforcer.closed(flight)
    shell.swap(rules(ONE, limit=0.0), START + 100)
    assert list(enforcer.due(START + 101)) == []


def test_roles_that_a_device_gave_are_those_of_then() -> None:
    """A stretch at a device with a role of its own keeps that role for the time before the
    change."""
    ordered = (
        Rule("Guests", Then.SPEND, "b", roles=frozenset({"guest"}), targets=targets("x")),
        Rule("Others", Then.SPEND, "a", targets=targets("x")),
    )
    shell = Shell(rules(*ordered))
    enforcer = shell.enforcer
    guest = enforcer.person("ip:10.0.0.7", ("guest",), START)
    flight = enforcer.tunnel(guest, "x", START).flight
    assert flight is not None
    for second in range(0, 60, 5):
        enforcer.tunnel_bytes(flight, 1_000_000, START + second)
    shell.swap(rules(*ordered), START + 60)  # the device has no role any more
    for second in range(60, 120, 5):
        enforcer.tunnel_bytes(flight, 1_000_000, START + second)
    assert [row[2] for row in shell.rows()] == ["b", "a"]
    assert shell.rows()[0][1] == START + 60


@pytest.mark.parametrize("most", [0, 1, 200])
def test_following_up_is_done_in_small_turns(most: int) -> None:
    """However many clocks ran over the change, one turn writes a bounded number of them."""
    shell = Shell(rules(ONE))
    for number in range(5):
        shell.open(f"person{number}", "x.com", START)
    shell.enforcer.swap(prepared(rules(replace(ONE, allowance="b"))), START + 1)
    shell.attention.follow(
        shell.enforcer.engine, lambda name: shell.enforcer.known(name, START + 1), most
    )
    assert sum(row[2] == "b" for row in shell.rows()) == min(most, 5)


def test_old_rules_are_forgotten() -> None:
    """When no time under them can be corrected any more."""
    shell = Shell(rules(ONE))
    read(shell, START, START + M)
    shell.swap(rules(ONE), START + 2 * M)
    shell.enforcer.settle(START + 10 * M)
    assert len(shell.attention._writer.earlier) == 1
    shell.enforcer.settle(START + 12 * H)
    assert shell.attention._writer.earlier == []


def test_what_was_decided_under_old_rules_is_not_known_under_new_ones() -> None:
    """A failure after a change does not fall back on an answer of rules that are gone."""
    shell = Shell(rules(ONE))
    asked = shell.open("dora", "x.com", START)
    dora = shell.enforcer.person("dora", None, START)
    assert shell.enforcer.failure(dora, Target("x")).rule == asked.decision.rule
    shell.swap(rules(replace(ONE, name="Two")), START + 1)
    assert shell.enforcer.failure(dora, Target("x")).reason is Reason.UNAVAILABLE
