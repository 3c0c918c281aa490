"""The evidence that visits carry from the clocks to the ledger: opened, extended, ended, given
back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.metering import evidence as evidence_summary
from proxy_addon.core.ruleset import Rule, Then
from proxy_addon.core.types import Decision, EvidenceSummary, Reason, Verdict
from tests.core.policies import LUNCH, at
from tests.metering.harness import DORA, LITTLE, START, TAIL, Harness, moves, policy, quick


def evidence(harness: Harness) -> list[EvidenceSummary]:
    """The trails of the last revisions, in the order of the ids, empty visits left out."""
    last = {v.id: v for v in harness.written if v.end > v.start}
    return [v.evidence for v in last.values() if v.evidence is not None]


def test_visits_carry_their_evidence() -> None:
    """What opened and extended them, with the rows that are written anyway."""
    harness = Harness()
    harness.page(0)
    harness.scroll(20)
    harness.stream(60, 70)
    harness.stream(70, 80)
    (found,) = evidence(harness)
    assert found.opened == ("page-opened", START)
    assert [(e.by, e.first - START, e.last - START, e.times) for e in found.extended] == [
        ("page-opened", 0, 0, 0),
        ("page-action", 20, 20, 1),
        ("media-stream", 60, 80, 1),
    ]
    assert found.closed is None


def test_evidence_of_what_was_ended() -> None:
    """By a rule's time, by the last second of the allowance, by an end from outside, by another
    section."""
    free = Rule("Lunch", Then.ALLOW, when=LUNCH)
    noon = at("12:00") - START
    harness = Harness(policy(free, LITTLE))
    harness.stream(noon - 60, noon + 30)
    first, second = evidence(harness)
    assert first.closed == (evidence_summary.RULE_CHANGED, at("12:00"))
    assert second.opened == (evidence_summary.RULE_CHANGED, at("12:00"))
    assert [(e.first, e.last) for e in second.extended] == [(at("12:00"), at("12:00") + 30)]
    harness = Harness(policy(limit=100.0))
    harness.page(0)
    harness.page(150)
    assert evidence(harness)[0].closed == (evidence_summary.TIME_UP, START + 100)
    harness = Harness()
    harness.stream(0, 60)
    harness.attention.stop(harness.engine, DORA, "x", START + 40, evidence_summary.CLOCK_SET)
    assert evidence(harness)[0].closed == (evidence_summary.CLOCK_SET, START + 40)
    harness = Harness()
    harness.page(0)
    harness.page(30, section="learning")
    assert [found.closed for found in evidence(harness)] == [
        (evidence_summary.SECTION_CHANGED, START + 30),
        None,
    ]


def test_evidence_of_what_was_refused() -> None:
    """Time was up in the tail: the next page is refused, and that ended the visit, written once.
    More time goes on."""
    harness = Harness()
    harness.page(0)
    row = harness.written[-1]
    no = Decision(Verdict.BLOCK, Reason.EXHAUSTED, "x", allowance="a")
    for decision, after in ((replace(no, reason=Reason.BLOCKED), 20), (no, 400)):
        harness.attention.refused(DORA, "x", decision, START + after)
    assert harness.written == [row]  # another reason, and too late to have gone on
    for after in (20, 21):
        harness.attention.refused(DORA, "x", no, START + after)
    harness.attention.refused(DORA, "facebook", no, START + 20)
    assert [(v.rev, v.end - START) for v in harness.written] == [(1, TAIL), (2, TAIL)]
    assert evidence(harness)[0].closed == (evidence_summary.TIME_UP, START + TAIL)
    harness.page(60)
    assert evidence(harness)[0].closed is None


def test_evidence_of_minutes_given_back() -> None:
    """The person's part stays, the machine's is a number of seconds."""
    harness = Harness()
    harness.page(0)
    for beat in range(1, 40):
        harness.scroll(30.0 * beat)
    (found,) = evidence(harness)
    assert [(e.by, e.times) for e in found.extended] == [("page-opened", 0)]
    assert found.closed == (evidence_summary.GIVEN_BACK, START + TAIL)
    assert found.given_back == pytest.approx(harness.metrics.returned)


def test_evidence_alone_is_not_written() -> None:
    """What moved no end waits for the next revision that does."""
    harness = Harness()
    harness.stream(0, 60)
    harness.scroll(30)
    assert len(harness.written) == 1
    harness.stream(60, 61)
    assert [(v.rev, len(v.evidence.extended)) for v in harness.written if v.evidence] == [
        (1, 1),
        (2, 2),
    ]


@quick
@given(st.lists(moves, max_size=30))
def test_evidence_grows_as_it_would_be_shown(steps: Sequence[tuple[float, str]]) -> None:
    """Mark by mark, a summary is what all marks give at the end (weak ones may count only later,
    beside others)."""
    harness, now = Harness(), 0.0
    for number, (pause, what) in enumerate(steps):
        now += pause
        if what in ("page", "facebook"):
            harness.page(now, "x" if what == "page" else what)
        elif what == "stream":
            harness.stream(max(0.0, now - 5), now)
        elif what == "scroll":
            harness.scroll(now, f"x.com/{number}")
    for (_, platform), state in harness.attention._states.items():
        for stretch in state.timeline.stretches:
            (row,) = state.rows[stretch.serial]
            assert row.platform == platform
            assert row.evidence is not None
            expected = evidence_summary.summarise(stretch, row.start, row.end, state.timeline.marks)
            assert row.evidence._replace(closed=None, given_back=0.0) == expected
