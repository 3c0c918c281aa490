"""`proxy_addon/report/charts.py`: numbers to shapes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy_addon.report import charts
from proxy_addon.report.charts import (
    BOTTOM,
    HEIGHT,
    OTHERS,
    TOP,
    clock,
    largest,
    scale,
    stacked,
    steps,
)

H = 3600.0


def test_a_bar_is_as_high_as_its_value() -> None:
    """Half of the axis is half of the height; the second series stands on the first."""
    bars = stacked(["Mon", "Tue"], [("a", [4 * H, 0.0]), ("b", [4 * H, 2 * H])])
    high = HEIGHT - TOP - BOTTOM
    assert bars.unit == "hours"
    assert [line.label for line in bars.lines] == ["0", "2", "4", "6", "8"]
    first, second, third = bars.shapes
    assert first.height == second.height == pytest.approx(high / 2)
    assert second.y + second.height == pytest.approx(first.y)
    assert third.height == pytest.approx(high / 4)
    assert (third.colour, third.title) == (1, "Tue, b: 2 h")


@example([[0.0, 0.0, 0.0, 0.0, 6.103515625e-05]])
@given(st.lists(st.lists(st.floats(0, 1e6), min_size=5, max_size=5), max_size=9))
def test_nothing_leaves_the_chart(values) -> None:
    """Whatever the values are."""
    bars = stacked(["d"] * 5, [(str(i), row) for i, row in enumerate(values)])
    for shape in bars.shapes:
        assert shape.y >= TOP - 0.1
        assert shape.y + shape.height <= HEIGHT - BOTTOM + 0.1
        assert charts.LEFT <= shape.x <= charts.WIDTH - charts.RIGHT - shape.width + 0.1


@given(st.floats(0, 1e7))
def test_steps_reach_the_largest(most: float) -> None:
    """From nothing up to it or a little more, in at most five equal steps."""
    found = steps(most)
    assert found[0] == 0.0
    assert found[-1] >= most * 0.999
    assert 2 <= len(found) <= 6


def test_small_series_are_put_together() -> None:
    """Nine platforms are seven and the others; eight stay eight; nothing is left out."""
    nine = [(f"p{n}", [float(n), 1.0]) for n in range(1, 10)]
    found = largest(nine)
    assert [name for name, _ in found] == ["p9", "p8", "p7", "p6", "p5", "p4", "p3", OTHERS]
    assert found[-1][1] == [3.0, 2.0]
    assert len(largest(nine[:8])) == 8
    assert largest([("none", [0.0, 0.0])]) == []


def test_many_days_have_fewer_names() -> None:
    """A quarter of a year is readable."""
    bars = stacked([str(n) for n in range(92)], [("a", [60.0] * 92)])
    assert 8 <= len(bars.labels) <= 12
    assert len(bars.shapes) == 92
    named = stacked(["Mon 1", "Tue 2"], [("a", [60.0, 60.0])], ["1", "2"])
    assert ([label.label for label in named.labels], named.shapes[0].title) == (
        ["1", "2"],
        "Mon 1, a: 1 min",
    )


def test_scale() -> None:
    """Minutes below two hours."""
    assert scale(7199.0) == (60.0, "minutes")
    assert scale(7200.0) == (3600.0, "hours")


def test_clock() -> None:
    """As people say it."""
    assert [clock(n) for n in (0, 5, 60, 3599, 3600, 3900, 3_700_000)] == [
        "none",
        "under a minute",
        "1 min",
        "1 h",
        "1 h",
        "1 h 5 min",
        "1,027 h 47 min",
    ]
