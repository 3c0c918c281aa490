"""The bounds of recorded sessions: what is above them is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.real_sessions import bounds
from tests.real_sessions.scoring import PersonScore
from tests.traces.sittings import Sitting

ANA = PersonScore(
    "one", "ana", "hls.js", "video", 100.0, None, 110.0, (), (Sitting((0.0, 100.0), 100.0, 95.0),)
)
BO = replace(ANA, name="bo", software="dash.js", charged=70.0)


def test_what_is_measured_holds() -> None:
    """The bounds of today are kept today, with a margin of at least two percent."""
    found = bounds.measured([ANA, BO])
    assert bounds.exceeded([ANA, BO], found) == []
    assert found.people == {"one ana": 0.12, "one bo": 0.32}
    assert (found.whole, found.worst) == (0.22, 0.32)


def test_a_person_above_the_bound_is_named_with_the_software() -> None:
    """Also where the whole has become better."""
    found = bounds.measured([ANA, BO])
    worse, better = replace(ANA, charged=120.0), replace(BO, charged=100.0)
    said = bounds.exceeded([worse, better], found)
    assert said == ["one ana: 20.0%, at most 12%", "hls.js: 20.0%, at most 12%"]


def test_the_whole_and_the_worst_have_bounds_of_their_own() -> None:
    """Many small steps back are one large one."""
    found = replace(bounds.measured([ANA, BO]), whole=0.19, worst=0.29)
    assert bounds.exceeded([ANA, BO], found) == [
        "all: 20.0%, at most 19%",
        "worst person: 30.0%, at most 29%",
    ]


def test_a_sitting_charged_below_half_is_counted() -> None:
    """Whatever the sums say."""
    lost = replace(ANA, sittings=(Sitting((0.0, 100.0), 100.0, 40.0),))
    said = bounds.exceeded([lost, BO], bounds.measured([ANA, BO]))
    assert said == ["sittings charged below half: 1, at most 0"]


def test_somebody_without_a_bound_and_a_bound_without_anybody_are_named() -> None:
    """The table is of the sessions that are there."""
    found = bounds.measured([ANA])
    assert bounds.exceeded([BO], found) == [
        "one bo: no bound",
        "dash.js: no bound",
        "hls.js: nobody has it any more",
        "one ana: nobody has it any more",
        "all: 30.0%, at most 12%",
        "worst person: 30.0%, at most 12%",
    ]


def test_the_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nothing is lost in the file."""
    found = bounds.measured([ANA, BO])
    table = tmp_path / "bounds.toml"
    table.write_text("\n".join(bounds.lines(found)))
    assert bounds.load(table) == found
