"""`proxy_addon/observability/metrics.py`: nobody in a label, a bounded number of series."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from proxy_addon.core.ruleset import Mode, Rule, Then
from proxy_addon.core.types import Activity, Decision, Person, Reason, Verdict
from proxy_addon.observability.exposition import would_have_stopped
from proxy_addon.observability.metric_families import FREE, NOBODY, OTHER, OTHERWISE, PAGE
from proxy_addon.observability.metrics import PrometheusMetrics
from tests.tools import metrics_reference
from tests.web.office import rule_set

RULES = rule_set()
ANYTHING = st.text(max_size=12) | st.sampled_from(
    ["ann@office.example", "10.0.7.21", "www.facebook.com", "x\ny"]
)


def filled(rules: bool = True) -> PrometheusMetrics:
    """Metrics with rules in force."""
    metrics = PrometheusMetrics()
    if rules:
        metrics.rules(RULES, 1.0)
    return metrics


def exposed(metrics: PrometheusMetrics) -> str:
    """The text of a scrape."""
    return generate_latest(metrics.registry).decode()


def labels_of(text: str) -> set[tuple[str, str]]:
    """All (label, value) pairs but the buckets'."""
    found = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return {pair for sample in found for pair in sample.labels.items() if pair[0] != "le"}


def count_all(metrics: PrometheusMetrics, person: Person, word: str) -> None:
    """Everything that can be counted, with the same word for whatever is named."""
    metrics.decided(person, Decision(Verdict.BLOCK, Reason.BLOCKED, word, word, word, word), 1e-5)
    metrics.attention(person, word, word, 1.0)
    metrics.given_back(person, word, 1.0)
    metrics.ignored(person, word, Activity.EMBED)
    metrics.exhausted(person, word, 1.0)
    metrics.cut(word, 0.1)
    metrics.tunnel(word)
    metrics.upstream_failed(word)
    metrics.tls_failed(word)
    metrics.signed_in(word)
    metrics.notice(word)
    metrics.ledger_failed(word, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING), min_size=1, max_size=20))
def test_nothing_from_outside_becomes_a_label(people: list[tuple[str, str, str]]) -> None:
    """Whatever people, roles, hosts and words are counted, labels hold only words that were known
    before."""
    metrics, fresh = filled(), filled()
    roles = {"staff", "guest", "admin", NOBODY}
    known = {*RULES.platforms, *RULES.allowances, *roles, FREE, PAGE, OTHER}
    known |= {value for _, value in labels_of(exposed(fresh))}
    known |= {each.value for each in (*Verdict, *Reason, *Activity)} | {"would_block"}
    known |= set(metrics_reference.LEDGER_ERRORS) | set(metrics_reference.UPSTREAM_ERRORS)
    for name, role, word in people:
        count_all(metrics, Person(name, (role,)), word)
    assert {value for _, value in labels_of(exposed(metrics))} <= known


def test_before_rules_everything_is_other() -> None:
    """Without rules there are no known platforms and roles, and still nobody is named."""
    metrics = filled(rules=False)
    count_all(metrics, Person("ann", ("boss",)), "facebook")
    assert "ann" not in exposed(metrics)
    assert 'platform="other",role="other"' in exposed(metrics)


def test_known_words_are_kept() -> None:
    """Platforms, allowances and roles of the rules are shown as they are, free attention as
    `free`."""
    metrics = filled()
    person = Person("ann", ("staff",))
    metrics.attention(person, "facebook", None, 2.0)
    metrics.attention(person, "facebook", "daily-social", 3.0)
    metrics.decided(
        person, Decision(Verdict.ALLOW, Reason.BLOCKED, "linkedin", would=Verdict.BLOCK), 1e-5
    )
    metrics.decided(person, Decision(Verdict.ALLOW, Reason.NOT_LIMITED), 1e-5)
    text = exposed(metrics)
    assert 'attention_seconds_total{allowance="free",platform="facebook",role="staff"} 2.0' in text
    assert (
        'attention_seconds_total{allowance="daily-social",platform="facebook",role="staff"} 3.0'
        in text
    )
    assert (
        'requests_total{platform="linkedin",reason="blocked",role="staff",verdict="would_block"} 1.0'
        in text
    )
    assert text.count("\nallowance_requests_total{") == 1
    assert "allowance_decision_seconds_count 2.0" in text


def test_rules_that_are_tried_out_are_counted() -> None:
    """What an observed rule would have stopped is counted by its name, but for a rule that names
    people."""
    rules = tuple(
        Rule(name, Then.BLOCK, mode=mode, users=users)
        for name, mode, users in (
            ("Tried", Mode.OBSERVE, ()),
            ("About bob", Mode.OBSERVE, ("bob",)),
            ("In force", Mode.ENFORCE, ()),
        )
    )
    metrics = PrometheusMetrics()
    metrics.rules(replace(RULES, rules=rules), 1.0)
    bob = Person("bob", ("staff",))
    for name, would in (
        ("Tried", True),
        ("Tried", True),
        ("About bob", True),
        ("In force", False),
        (None, True),
    ):
        decision = Decision(Verdict.BLOCK, Reason.BLOCKED, "facebook", None, name)
        metrics.decided(bob, decision.tried_out(Verdict.ALLOW) if would else decision, 0.0)
    found = {labels["rule"]: count for labels, count in would_have_stopped(metrics.registry)}
    assert found == {"Tried": 2, OTHER: 1, OTHERWISE: 1}


def test_requests_for_more_are_counted() -> None:
    """By allowance and outcome, from zero; an allowance that the rules do not know is another."""
    metrics = filled()
    labels = {"allowance": "daily-social", "outcome": "granted"}
    assert metrics.registry.get_sample_value("allowance_time_requests_total", labels) == 0
    metrics.time_requested("daily-social", "granted")
    metrics.time_requested("bob's", "nonsense")
    assert metrics.registry.get_sample_value("allowance_time_requests_total", labels) == 1
    other = {"allowance": OTHER, "outcome": OTHER}
    assert metrics.registry.get_sample_value("allowance_time_requests_total", other) == 1


def test_running_out_is_counted_once() -> None:
    """Cut and refused many times is one run-out; after more time was given, the next one counts
    again."""
    metrics = filled()
    person = Person("ann", ("staff",))
    refused = Decision(Verdict.BLOCK, Reason.EXHAUSTED, "facebook", allowance="daily-social")
    metrics.exhausted(person, "daily-social", 1.0)
    for _ in range(3):
        metrics.decided(person, refused, 1e-5)
    assert 'exhausted_total{allowance="daily-social",role="staff"} 1.0' in exposed(metrics)
    within = Decision(Verdict.SPEND, Reason.WITHIN, "facebook", allowance="daily-social")
    for decision in (within, refused, refused):
        metrics.decided(person, decision, 1e-5)
    metrics.decided(Person("bob", ("staff",)), replace(refused, would=Verdict.BLOCK), 1e-5)
    assert 'exhausted_total{allowance="daily-social",role="staff"} 2.0' in exposed(metrics)


def test_places_of_failures_are_bounded() -> None:
    """A thousand names of hooks make no thousand series."""
    metrics = filled()
    for number in range(1000):
        metrics.failed(f"hook{number}")
    assert exposed(metrics).count("\nallowance_errors_total{") <= 75


def test_numbers_since_the_start_become_counters() -> None:
    """What a part counts itself is added once, and a repeated or smaller number adds nothing."""
    metrics = filled()
    for count in (2, 2, 5):
        metrics.ledger_failed("locked", count)
        metrics.journal_dropped(count)
        metrics.lost({"no-room": count})
    assert 'allowance_ledger_errors_total{kind="locked"} 5.0' in exposed(metrics)
    assert "allowance_journal_dropped_total 5.0" in exposed(metrics)
    assert 'allowance_visits_lost_total{why="no-room"} 5.0' in exposed(metrics)
