"""Rules that are only tried out: they decide, measure and count as if enforced, and stop nobody."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Allowance, Limit, Mode, OnFailure, Period, Rule, RuleSet, Then
from proxy_addon.core.types import Decision, Fit, Person, Reason, Target, Verdict
from proxy_addon.observability.metrics import PrometheusMetrics
from tests.core.policies import LUNCH, SAMPLE, M, at, targets
from tests.core.test_policy_laws import minutes, people, places, rule_sets, usages
from tests.shell import Shell

quick = settings(max_examples=100, deadline=None)
START = at("09:00")
modes = st.sampled_from(Mode)


def tried_out(rs: RuleSet) -> RuleSet:
    """The same policy, only observed."""
    return replace(
        rs, mode=Mode.OBSERVE, rules=tuple(replace(rule, mode=Mode.OBSERVE) for rule in rs.rules)
    )


def everything_limited(rs: RuleSet) -> RuleSet:
    """So that every rule is asked."""
    return replace(rs, limited=frozenset(rs.platforms))


@quick
@given(rule_sets(), people, places, usages, minutes)
def test_what_is_observed_never_blocks_and_says_what_it_would_do(rs, person, target, usage, now):
    """Its enforced twin gives the verdict that it would give; reason, rule, left and until are the
    same."""
    rs = everything_limited(rs)
    enforced = Engine(rs).explain(person, target, usage, now)
    observed = Engine(tried_out(rs)).explain(person, target, usage, now)
    assert not observed.blocks
    assert observed.would is enforced.verdict
    assert observed.would_block is enforced.blocks
    assert [step.fits for step in observed.walk] == [step.fits for step in enforced.walk]
    same = replace(observed, verdict=enforced.verdict, would=None, walk=enforced.walk)
    assert same == enforced


@quick
@given(rule_sets(), st.lists(modes, min_size=8, max_size=8), people, places, usages, minutes)
def test_each_rule_has_its_own_mode(rs, chosen, person, target, usage, now):
    """Which rule decides does not depend on modes; only the rule that decides has to do with what
    happens."""
    rs = everything_limited(rs)
    rules = tuple(replace(rule, mode=mode) for rule, mode in zip(rs.rules, chosen, strict=False))
    mixed = Engine(replace(rs, rules=rules)).decide(person, target, usage, now)
    enforced = Engine(rs).decide(person, target, usage, now)
    assert mixed.rule == enforced.rule
    rule = next((rule for rule in rules if rule.name == mixed.rule), None)
    assert (mixed.would is not None) is (rule is not None and rule.observes)
    assert (mixed.would or mixed.verdict) is enforced.verdict


def test_the_walk_says_observed_only() -> None:
    """Whoever asks why gets to know that the rule stops nobody."""
    walk = Engine(tried_out(SAMPLE)).explain(
        Person("dora", ("staff",)), Target("x"), Shell(SAMPLE).book.of("dora"), START
    )
    assert [step.fit for step in walk.walk if step.fits] == [Fit.OBSERVED]


def office(limit: float, mode: Mode = Mode.OBSERVE) -> RuleSet:
    """A small allowance with a heads-up, a block, and a lunch that is free."""
    rules = (
        Rule("Lunch", Then.ALLOW, targets=targets("x", "facebook"), when=LUNCH, mode=mode),
        Rule("Little", Then.SPEND, "a", targets=targets("x", "facebook"), mode=mode),
        Rule("Never", Then.BLOCK, targets=targets("tiktok"), mode=mode),
    )
    allowance = Allowance("a", (Limit(limit, Period.DAY),), warn_at=M)
    limited = frozenset({"x", "facebook", "tiktok"})
    return replace(SAMPLE, rules=rules, allowances={"a": allowance}, limited=limited, mode=mode)


@quick
@given(
    st.lists(st.tuples(st.floats(1, 400), st.sampled_from(["x.com", "facebook.com"])), max_size=40)
)
def test_time_is_measured_as_if_there_were_time_enough(pages):
    """A used-up allowance that is observed charges what an enforced one without end charges."""
    small, endless = Shell(office(5 * M)), Shell(office(24 * 60 * M, Mode.ENFORCE))
    now = START
    for pause, host in pages:
        now += pause
        assert small.open("dora", host, now).flight is not None
        assert small.open("dora", host, now).notice is None
        endless.open("dora", host, now)
        endless.open("dora", host, now)
    assert small.rows() == endless.rows()


def test_beyond_the_limit() -> None:
    """Charged on, counted as would-block with the reason, never a heads-up, never due."""
    shell = Shell(office(5 * M))
    enforcer = shell.enforcer
    flight = enforcer.tunnel(enforcer.person("dora", None, START), "facebook", START).flight
    assert flight is not None
    for second in range(0, 1200, 5):
        enforcer.tunnel_bytes(flight, 1_000_000, START + second)
        assert list(enforcer.due(START + second)) == []
        assert not enforcer.blocked_now(flight, START + second)
    assert shell.open("dora", "x.com", START + 1200).notice is None
    assert shell.spent("dora", "a") > 1190
    last = shell.metrics.decisions[-1]
    assert (last.verdict, last.reason, last.would, last.left) == (
        Verdict.SPEND,
        Reason.EXHAUSTED,
        Verdict.BLOCK,
        0.0,
    )


def test_time_under_an_observed_block_is_kept_as_free_time() -> None:
    """With the name of the rule, for the report; it costs nothing."""
    shell = Shell(office(5 * M))
    shell.open("dora", "tiktok.com", START)
    shell.open("dora", "tiktok.com", START + 60)
    ((start, end, allowance, rule),) = shell.rows()
    assert (start, allowance, rule) == (START, None, "Never")
    assert end > START + 60


def test_turning_a_rule_on_counts_what_was_used() -> None:
    """Observed in the morning, enforced at noon: whoever is over the limit is, and nothing is given
    back."""
    shell = Shell(office(5 * M))
    for second in range(0, 1200, 30):
        shell.open("dora", "x.com", START + second)
    spent = shell.spent("dora", "a")
    shell.swap(office(5 * M, Mode.ENFORCE), START + 1171)
    assert shell.open("dora", "x.com", START + 1175).decision.reason is Reason.EXHAUSTED
    assert shell.spent("dora", "a") == spent


def test_a_failure_of_ours_stops_nobody_while_observing() -> None:
    """Whatever `on_failure` says."""
    for wanted in OnFailure:
        shell = Shell(replace(office(5 * M), on_failure=wanted))
        decision = shell.enforcer.failure(None, Target("x"))
        assert not decision.blocks
        assert decision.would_block


def test_the_metric_has_its_own_verdict() -> None:
    """`would_block`, beside allow, spend and block."""
    metrics = PrometheusMetrics()
    dora = Person("dora", ("staff",))
    blocked = Decision(Verdict.BLOCK, Reason.BLOCKED, "tiktok", rule="Never")
    within = Decision(Verdict.SPEND, Reason.WITHIN, "x", rule="Little")
    for decision in (blocked, blocked.tried_out(Verdict.ALLOW), within.tried_out(Verdict.SPEND)):
        metrics.decided(dora, decision, 0.0)
    text = generate_latest(metrics.registry).decode()
    verdicts = [
        sample.labels["verdict"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "allowance_requests_total"
    ]
    assert sorted(verdicts) == ["block", "spend", "would_block"]
