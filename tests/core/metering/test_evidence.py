"""Twin of proxy_addon/core/metering/evidence.py: what opened, extended and closed a visit, and what
is given back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.metering import evidence as evidence_summary
from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.evidence import (
    CLOCK_SET,
    GIVEN_BACK,
    RULE_CHANGED,
    SECTION_CHANGED,
    TIME_UP,
    SummaryBuilder,
    closed,
    corrected,
    extended,
    is_estimated,
    opened,
    packed,
    says_estimated,
    summarise,
    unpacked,
)
from proxy_addon.core.metering.timeline import Mark, Stretch, Timeline
from proxy_addon.core.types import EvidenceSummary, Extension, Visit

T = 1_793_610_000.0
KINDS = {
    Evidence.PAGE_OPENED: Kind.NAVIGATION,
    Evidence.PAGE_ACTION: Kind.INTERACTION,
    Evidence.MEDIA_STREAM: Kind.MEDIA,
}


def mark(
    at: float,
    evidence: Evidence = Evidence.PAGE_ACTION,
    until: float | None = None,
    section: str | None = None,
) -> Mark:
    """One activity, seconds after T."""
    return Mark(
        T + at,
        T + (at if until is None else until),
        KINDS.get(evidence, Kind.INTERACTION),
        "k",
        evidence,
        section,
    )


PAGE = mark(0, Evidence.PAGE_OPENED)


def stretch(start: float = 0.0, end: float = 100.0, section: str | None = None) -> Stretch:
    """A stretch that a page opened."""
    return Stretch(1, T + start, T + end, section, Evidence.PAGE_OPENED, Evidence.PAGE_ACTION)


def lines(found: EvidenceSummary) -> list[tuple[str, float, float, int]]:
    """What extended it, seconds after T."""
    return [(line.by, line.first - T, line.last - T, line.times) for line in found.extended]


def test_one_line_for_each_kind() -> None:
    """Bursts are counted, not requests; a film that pauses for a little is one film."""
    marks = [PAGE, mark(20), mark(20.9), mark(21.5), mark(40)]
    marks += [
        mark(50, Evidence.MEDIA_STREAM, 60),
        mark(61),
        mark(80, Evidence.MEDIA_STREAM, 90),
        mark(95, Evidence.PAGE_OPENED),
    ]
    found = summarise(stretch(), T, T + 100, marks)
    assert found.opened == ("page-opened", T)
    assert lines(found) == [
        ("page-opened", 95, 95, 1),
        ("page-action", 20, 61, 3),
        ("media-stream", 50, 90, 1),
    ]
    assert (found.closed, found.given_back) == (None, 0.0)


def test_what_opened_it_and_goes_on_is_no_second_time() -> None:
    """A film that opened the visit extends it zero times, until it stops."""
    film = Stretch(1, T, T + 70, None, Evidence.MEDIA_STREAM, Evidence.MEDIA_STREAM)
    found = summarise(film, T, T + 70, [mark(n, Evidence.MEDIA_STREAM, n + 1) for n in range(60)])
    assert lines(found) == [("media-stream", 0, 60, 0)]


def test_what_lies_outside_is_another_visits() -> None:
    """A part of a stretch under another rule tells its own part, cut at its ends."""
    marks = [PAGE, mark(30, Evidence.MEDIA_STREAM, 80), mark(90)]
    first, second = (
        summarise(stretch(), T, T + 50, marks),
        summarise(stretch(), T + 50, T + 100, marks),
    )
    assert lines(first) == [("page-opened", 0, 0, 0), ("media-stream", 30, 50, 1)]
    assert second.opened == (RULE_CHANGED, T + 50)
    assert lines(second) == [("media-stream", 50, 80, 1), ("page-action", 90, 90, 1)]
    assert extended(second, mark(10), T + 50, T + 100) == second
    assert lines(summarise(stretch(section="learning"), T, T + 100, marks)) == [
        ("page-opened", 0, 0, 0)
    ]


def test_an_end_cuts_what_came_later() -> None:
    """Nothing that extended a visit is later than its end."""
    found = closed(
        summarise(stretch(), T, T + 100, [PAGE, mark(30, until=60), mark(70)]), TIME_UP, T + 50
    )
    assert lines(found) == [("page-opened", 0, 0, 0), ("page-action", 30, 50, 2)]
    assert found.closed == (TIME_UP, T + 50)
    gone = closed(summarise(stretch(), T, T + 100, [PAGE, mark(70)]), TIME_UP, T + 50)
    assert lines(gone) == [("page-opened", 0, 0, 0)]
    assert extended(gone, mark(55), T, T + 70).closed is None  # it goes on


def test_what_is_older_than_the_marks_stays() -> None:
    """Minutes given back take away what the marks tell, not what was folded together before."""
    known = EvidenceSummary(
        ("page-opened", T),
        (Extension("page-action", T + 5, T + 90, 300), Extension("message-sent", T, T, 2)),
    )
    before = EvidenceSummary(("page-opened", T), (Extension("page-action", T + 60, T + 90, 100),))
    after = EvidenceSummary(("page-opened", T), (Extension("page-action", T + 60, T + 70, 40),))
    assert lines(corrected(known, before, after)) == [
        ("page-action", 5, 70, 240),
        ("message-sent", 0, 0, 2),
    ]
    assert lines(corrected(before, before, after)) == [("page-action", 60, 70, 40)]


def row(found: EvidenceSummary | None, start: float = 0.0, end: float = 100.0) -> Visit:
    """The visit of a stretch."""
    return Visit("v", "ana", "x", None, "daily", "r", T + start, T + end, "n", 1, found)


def test_causes() -> None:
    """A mark extends, another section, other rules or an end close, each by its name."""
    marks = (PAGE, mark(30))
    timeline = Timeline(marks, (stretch(),))
    first = summarise(stretch(), T, T + 50, marks[:1])
    assert SummaryBuilder(stretch(), timeline, timeline, marks[1]).updated(
        row(first), T, T + 100
    ) == summarise(stretch(), T, T + 100, marks)
    for cause, why, end in (
        (mark(40, section="learning"), SECTION_CHANGED, 100),
        (TIME_UP, TIME_UP, 100),
        (CLOCK_SET, CLOCK_SET, 100),
        (marks[1], RULE_CHANGED, 60),
        (None, RULE_CHANGED, 60),
    ):
        found = SummaryBuilder(stretch(), timeline, timeline, cause).updated(row(first), T, T + end)
        assert found.closed == (why, T + end), cause
    assert SummaryBuilder(stretch(), timeline, timeline).updated(row(first), T, T + 100) == first
    assert SummaryBuilder(stretch(), timeline, timeline).updated(
        row(None), T, T + 100
    ) == summarise(stretch(), T, T + 100, marks)
    assert SummaryBuilder(stretch(), timeline, timeline).updated(
        row(first), T + 20, T + 100
    ).opened == (
        RULE_CHANGED,
        T + 20,
    )


def test_minutes_given_back() -> None:
    """What is left is told from the marks that are left, with the seconds that went back in all."""
    marks = (PAGE, mark(30), mark(60), mark(90))
    before = Timeline(marks, (stretch(),))
    known = summarise(stretch(), T, T + 100, marks)._replace(given_back=5.0)
    after = Timeline(marks[:2], (stretch(end=40),))
    found = SummaryBuilder(after.stretches[0], after, before, GIVEN_BACK).updated(
        row(known), T, T + 40
    )
    assert lines(found) == [("page-opened", 0, 0, 0), ("page-action", 30, 30, 1)]
    assert (found.closed, found.given_back) == ((GIVEN_BACK, T + 40), 65.0)
    split = Timeline((PAGE, marks[3]), (stretch(end=10), stretch(start=90)._replace(serial=2)))
    found = SummaryBuilder(split.stretches[0], split, before, GIVEN_BACK).updated(
        row(known), T, T + 10
    )
    assert found.given_back == 5.0 + 80.0
    same = Timeline(marks[:2], (stretch(),))
    ended = known._replace(closed=(TIME_UP, T + 100))
    found = SummaryBuilder(stretch(), same, before, GIVEN_BACK).updated(row(ended), T, T + 100)
    assert (found.closed, found.given_back) == ((TIME_UP, T + 100), 5.0)


marks_of = st.lists(
    st.tuples(st.floats(0.0, 60.0), st.floats(0.0, 30.0), st.sampled_from(list(Evidence))),
    max_size=20,
)


@given(marks_of, st.booleans())
def test_a_summary_is_small_and_can_be_packed(
    steps: list[tuple[float, float, Evidence]], ends: bool
) -> None:
    """Whatever comes: one line for each kind, ascending times, and the text tells the same."""
    found, at = opened(stretch(end=1e4), T), 0.0
    for pause, length, evidence in steps:
        at += pause
        found = extended(found, mark(at, evidence, at + length), T, T + 1e4)
    found = closed(found, TIME_UP, T + at) if ends else found
    assert len({line.by for line in found.extended}) == len(found.extended) <= len(Evidence)
    assert all(line.first <= line.last and line.times >= 0 for line in found.extended)
    assert unpacked(packed(found)) == found


def test_what_is_no_summary_is_none() -> None:
    """Text of another program is not evidence, and no error."""
    texts = (
        None,
        "",
        "1",
        "[]",
        "{}",
        '{"opened": [1]}',
        "[" * 100_000,
        packed(opened(stretch(), T))[:-2],
    )
    assert [unpacked(text) for text in texts] == [None] * len(texts)
    assert unpacked(packed(opened(stretch(), T))) == opened(stretch(), T)


def test_codes_say_nothing_about_pages() -> None:
    """They are the names of the kinds of evidence, each its own."""
    assert len(set(evidence_summary.CODES.values())) == len(Evidence)
    assert evidence_summary.CODES[Evidence.PAGE_OPENED] == "page-opened"


def test_what_is_an_estimate() -> None:
    """Nothing but bytes in tunnels that were not opened, in the summary and in its text; not where
    a page was seen as well, nor where nothing is known."""
    tunnel = mark(0, Evidence.ESTIMATED, 20)
    free = Stretch(1, T, T + 100, None, Evidence.ESTIMATED, Evidence.ESTIMATED)
    estimate = extended(opened(free, T), tunnel, T, T + 100)
    later = extended(opened(free, T + 10), tunnel, T + 10, T + 100)
    mixed = extended(estimate, mark(30), T, T + 100)
    page = opened(stretch(), T)
    only_opened = opened(free, T + 10)
    for summary, expected in (
        (estimate, True),
        (later, True),
        (mixed, False),
        (page, False),
        (only_opened, False),
    ):
        assert is_estimated(summary) is expected
        assert says_estimated(packed(summary)) is expected
    assert not is_estimated(None)
    assert not says_estimated(None)
    assert not says_estimated("estimated")
