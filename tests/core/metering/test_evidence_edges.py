"""What proxy_addon/core/metering/evidence.py tells at the ends of a visit and of a burst, to the
second."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering import evidence as summaries
from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.timeline import Mark, Stretch, Timeline
from proxy_addon.core.types import EvidenceSummary, Extension, Visit

SCROLL, FILM, PAGE = Evidence.PAGE_ACTION, Evidence.MEDIA_STREAM, Evidence.PAGE_OPENED


def mark(at: float, until: float | None = None, evidence: Evidence = SCROLL) -> Mark:
    """One activity."""
    return Mark(at, at if until is None else until, Kind.INTERACTION, "k", evidence)


def stretch(start: float = 100.0, end: float = 400.0) -> Stretch:
    """A stretch that a page opened."""
    return Stretch(1, start, end, None, PAGE, SCROLL)


def extensions(*marks: Mark, start: float = 100.0, end: float = 400.0) -> tuple[Extension, ...]:
    """What extended a visit, but for what opened it."""
    found = summaries.summarise(stretch(), start, end, marks)
    return tuple(line for line in found.extended if line.by != "page-opened")


def row(found: EvidenceSummary | None, start: float = 100.0, end: float = 400.0) -> Visit:
    """The visit of the stretch."""
    return Visit("v", "ana", "x", None, "daily", "r", start, end, "n", 1, found)


@pytest.mark.parametrize(
    ("evidence", "pause", "times"),
    [(SCROLL, 1.5, 1), (SCROLL, 1.75, 2), (FILM, 60.0, 1), (FILM, 60.5, 2)],
)
def test_how_long_a_burst_or_a_film_pauses(evidence: Evidence, pause: float, times: int) -> None:
    """What loads within a second and a half is one scroll; a film that pauses for a minute is one
    film."""
    (line,) = extensions(mark(200.0, 205.0, evidence), mark(205.0 + pause, None, evidence))
    assert (line.first, line.last, line.times) == (200.0, 205.0 + pause, times)


@pytest.mark.parametrize(
    ("at", "until", "lines"),
    [
        (100.0, 100.0, [(100.0, 100.0)]),  # just as it begins
        (90.0, 100.0, []),  # over just as it begins
        (90.0, 101.0, [(100.0, 101.0)]),
        (399.5, 410.0, [(399.5, 400.0)]),
        (400.0, 410.0, []),  # just as it ends
    ],
)
def test_what_lies_within_a_visit(
    at: float, until: float, lines: list[tuple[float, float]]
) -> None:
    """A visit has its first instant and not its last."""
    assert [(line.first, line.last) for line in extensions(mark(at, until))] == lines


def test_an_end_keeps_what_came_at_that_instant() -> None:
    """What was cut short ends with the visit; what would begin later is gone."""
    trail = summaries.summarise(
        stretch(), 100.0, 400.0, [mark(200.0, 300.0), mark(250.0, None, FILM)]
    )
    (_, scroll, film) = summaries.closed(trail, summaries.TIME_UP, 250.0).extended
    assert (scroll.first, scroll.last, film.first) == (200.0, 250.0, 250.0)
    assert len(summaries.closed(trail, summaries.TIME_UP, 249.5).extended) == 2


@pytest.mark.parametrize(("times", "left"), [(4, None), (5, 1)])
def test_what_the_marks_do_not_tell_is_older_and_stays(times: int, left: int | None) -> None:
    """A kind of evidence that all went back is gone, unless one of its times was before the
    marks."""
    opened = ("page-opened", 100.0)
    known = EvidenceSummary(opened, (Extension("page-action", 150.0, 300.0, times),))
    before = EvidenceSummary(opened, (Extension("page-action", 200.0, 300.0, 4),))
    found = summaries.corrected(known, before, EvidenceSummary(opened))
    expected = () if left is None else (Extension("page-action", 150.0, 300.0, left),)
    assert found.extended == expected


def given_back(
    known: EvidenceSummary, *left: tuple[float, float], start: float = 100.0
) -> EvidenceSummary:
    """The trail of a visit of which these stretches were left."""
    stretches = tuple(stretch(*ends) for ends in left)
    builder = summaries.SummaryBuilder(
        stretches[0],
        Timeline((), stretches),
        Timeline((), (stretch(),)),
        summaries.GIVEN_BACK,
    )
    return builder.updated(row(known), start, stretches[0].end)


def test_what_was_given_back_is_what_no_stretch_has_any_more() -> None:
    """Half a second too, and half a second that is left; stretches outside of the visit are
    another's."""
    known = EvidenceSummary(("page-opened", 100.0))
    found = given_back(known, (100.0, 399.5))
    assert (found.given_back, found.closed) == (0.5, (summaries.GIVEN_BACK, 399.5))
    assert given_back(known, (100.0, 150.0), (399.5, 450.0)).given_back == 249.5
    assert given_back(known, (100.0, 150.0), (20.0, 90.0), (410.0, 500.0)).given_back == 250.0


def test_what_is_older_than_the_marks_is_of_the_visit_that_begins_as_before() -> None:
    """Where the beginning went back as well, only what the marks tell is left."""
    line = Extension("page-action", 150.0, 160.0, 300)
    known = EvidenceSummary(("page-opened", 100.0), (line,))
    assert line in given_back(known, (100.0, 200.0)).extended
    assert line not in given_back(known, (120.0, 200.0), start=120.0).extended
