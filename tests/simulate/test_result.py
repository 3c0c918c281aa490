"""What a simulation found, in the form that commands print."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.types import Activity, Interval, Visit
from proxy_addon.simulate.result import PersonResult, Result

LONDON = ZoneInfo("Europe/London")
T = 1_793_610_000.0  # 2026-11-02 09:00 in London


def visit(
    name: str, start: float, end: float, platform: str = "x", allowance: str | None = "daily", rev: int = 1
) -> Visit:
    """A visit from `start` to `end` seconds after nine."""
    rule = "A little a day" if allowance else "Lunch is yours"
    return Visit(name, "ana", platform, None, allowance, rule, T + start, T + end, "simulation", rev)


def person(*visits: Visit) -> PersonResult:
    """Somebody with these visits."""
    return PersonResult({v.id: v for v in visits})


def test_nobody() -> None:
    """An empty trace has no people, and that is no error."""
    assert Result().to_json(LONDON) == {"users": {}}


def test_a_person_is_made_on_first_sight() -> None:
    """And is the same one afterwards."""
    result = Result()
    assert result.of("ana") is result.of("ana")
    assert list(result.users) == ["ana"]


def test_overlapping_visits_count_once() -> None:
    """Two platforms at a time are charged once to the allowance, and each has its own seconds."""
    found = person(visit("1", 0, 60), visit("2", 30, 90, "facebook"), visit("3", 50, 70))
    assert found.by_platform() == {
        "facebook": (Interval(T + 30, T + 90),),
        "x": (Interval(T, T + 70),),
    }
    assert found.by_allowance() == {"daily": (Interval(T, T + 90),)}


def test_free_time_belongs_to_no_allowance() -> None:
    """It is time on the platform all the same."""
    found = person(visit("1", 0, 60, allowance=None))
    assert found.by_allowance() == {}
    assert found.by_platform() == {"x": (Interval(T, T + 60),)}


def test_what_was_given_back_is_not_shown() -> None:
    """An empty visit is neither time nor a line."""
    result = Result({"ana": person(visit("1", 0, 0), visit("2", 5, 10))})
    ana = result.to_json(LONDON)["users"]["ana"]
    assert [line["start"] for line in ana["visits"]] == ["2026-11-02T09:00:05+00:00"]
    assert ana["platforms"] == {"x": 5.0}


def test_the_whole_form() -> None:
    """Field by field as METERING.md has it; it is JSON, with people and platforms by name."""
    result = Result()
    bo, ana = result.of("bo"), result.of("ana")
    bo.blocked = 3
    ana.visits = {"2": visit("2", 60, 70.1234, allowance=None), "1": visit("1", 0, 60)}
    ana.ignored = {Activity.EMBED: 2}
    ana.exhausted = {"daily": T + 60, "other": T + 61}
    form = result.to_json(LONDON)
    assert list(form["users"]) == ["ana", "bo"]
    assert form["users"]["bo"] == {
        "platforms": {}, "allowances": {}, "visits": [], "blocked": 3,
        "ignored": {"embed": 0, "background": 0, "prefetch": 0},
    }  # fmt: skip
    found = form["users"]["ana"]
    assert set(found) == {"platforms", "allowances", "visits", "ignored", "blocked"}
    assert found["platforms"] == {"x": 70.123}
    assert found["allowances"] == {
        "daily": {"spent": 60.0, "exhausted_at": "2026-11-02T09:01:00+00:00"},
        "other": {"spent": 0.0, "exhausted_at": "2026-11-02T09:01:01+00:00"},
    }
    assert found["visits"][0] == {
        "platform": "x", "allowance": "daily", "rule": "A little a day",
        "start": "2026-11-02T09:00:00+00:00", "end": "2026-11-02T09:01:00+00:00",
    }  # fmt: skip
    assert [line["allowance"] for line in found["visits"]] == ["daily", None]
    assert found["ignored"] == {"embed": 2, "background": 0, "prefetch": 0}
    assert json.loads(json.dumps(form)) == form


def test_instants_are_in_the_zone_of_the_policy() -> None:
    """The same instant, as a clock on another wall shows it."""
    result = Result({"ana": person(visit("1", 0, 60))})
    line = result.to_json(ZoneInfo("America/New_York"))["users"]["ana"]["visits"][0]
    assert line["start"] == "2026-11-02T04:00:00-05:00"


spans = st.tuples(st.integers(0, 500), st.integers(0, 100), st.sampled_from(["x", "facebook"]), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(spans, max_size=12))
def test_sums_agree(made: list[tuple[int, int, str, bool]]) -> None:
    """No platform has more than its visits together, no allowance more than all platforms together."""
    visits = [
        visit(str(number), start, start + length, platform, "daily" if paid else None)
        for number, (start, length, platform, paid) in enumerate(made)
    ]
    ana = Result({"ana": person(*visits)}).to_json(LONDON)["users"]["ana"]
    for platform, seconds in ana["platforms"].items():
        assert 0 < seconds <= sum(v.end - v.start for v in visits if v.platform == platform)
    spent = sum(found["spent"] for found in ana["allowances"].values())
    assert spent <= sum(ana["platforms"].values())
    assert len(ana["visits"]) == sum(v.end > v.start for v in visits)
    assert ana["visits"] == sorted(ana["visits"], key=lambda line: line["start"])
