"""Twin of proxy_addon/simulate/result.py: unions, and the promised form."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from proxy_addon.core.types import Activity, Interval, Visit
from proxy_addon.simulate import PersonResult, Result

UTC = ZoneInfo("UTC")


def visit(number: int, platform: str, allowance: str | None, start: float, end: float) -> Visit:
    """A visit of ana's."""
    return Visit(str(number), "ana", platform, None, allowance, "rule", start, end, "n")


def person(*visits: Visit) -> PersonResult:
    """Somebody with these visits."""
    return PersonResult(visits={v.id: v for v in visits})


def test_unions_by_platform_and_allowance() -> None:
    """Overlap is counted once, free time belongs to no allowance, and what was given back is
    gone."""
    one = person(
        visit(1, "x", "daily", 0, 10),
        visit(2, "x", "daily", 5, 20),
        visit(3, "tiktok", "daily", 15, 30),
        visit(4, "x", None, 50, 60),
        visit(5, "reddit", "daily", 70, 70),
    )
    assert one.by_platform() == {
        "tiktok": (Interval(15, 30),),
        "x": (Interval(0, 20), Interval(50, 60)),
    }
    assert one.by_allowance() == {"daily": (Interval(0, 30),)}


def test_the_form_is_sorted_and_complete() -> None:
    """People and names stand in order; an allowance that ran out before anything was spent is there
    too."""
    result = Result()
    result.of("bo").exhausted["daily"] = 0.0
    result.users["ana"] = person(visit(1, "x", "daily", 0, 10))
    result.of("ana").ignored[Activity.EMBED] = 3
    form = result.to_json(UTC)["users"]
    assert list(form) == ["ana", "bo"]
    assert form["ana"]["ignored"] == {"embed": 3, "background": 0, "prefetch": 0}
    assert form["bo"]["allowances"] == {
        "daily": {"spent": 0.0, "exhausted_at": "1970-01-01T00:00:00+00:00"}
    }
    assert list(form["ana"]["visits"][0]) == ["platform", "allowance", "rule", "start", "end"]
