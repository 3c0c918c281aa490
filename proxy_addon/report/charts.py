"""The layout of charts: numbers to shapes, in the units of an SVG. No colours and no markup
here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from proxy_addon.presentation.durations import number as number_text
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import marked

HOUR: Final = 3600.0
MINUTE: Final = 60.0
WIDTH: Final = 720.0
HEIGHT: Final = 230.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 10.0, 8.0, 24.0
MAX_SERIES: Final = 7  # colours that can be distinguished; the smaller series are added up
OTHERS: Final = marked("others")
_TICKS: Final = 5
_LABELS: Final = 12  # days with a name below them
_GAP: Final = 0.28  # of the room of a bar
_NOTHING: Final = 1e-6
_ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)

type ChartSeries = tuple[str, Sequence[float]]


class Shape(NamedTuple):
    """A part of a bar. `colour`: number of its series; `title`: what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    colour: int
    title: str


class AxisLabel(NamedTuple):
    """A line or a name on an axis, at a distance from the left or the top."""

    at: float
    label: str


class Bars(NamedTuple):
    """A chart of bars. `unit`: what the axis counts."""

    shapes: list[Shape]
    lines: list[AxisLabel]
    labels: list[AxisLabel]
    names: list[str]
    unit: str


def largest(series: Sequence[ChartSeries]) -> list[ChartSeries]:
    """The largest series, and the others put together. Series without anything are left out."""
    ordered = sorted(
        (each for each in series if sum(each[1]) > 0), key=lambda each: (-sum(each[1]), each[0])
    )
    if len(ordered) <= MAX_SERIES + 1:
        return ordered
    rest = [
        sum(values) for values in zip(*(values for __, values in ordered[MAX_SERIES:]), strict=True)
    ]
    return [*ordered[:MAX_SERIES], (_(OTHERS), rest)]


def stacked(
    days: Sequence[str], series: Sequence[ChartSeries], short: Sequence[str] | None = None
) -> Bars:
    """A bar for each day, the first series at the bottom. Values are seconds; `short` are names for
    the axis."""
    sums = [sum(values[number] for __, values in series) for number in range(len(days))]
    size, unit = scale(max(sums, default=0.0))
    ticks = steps(max(sums, default=0.0) / size)
    top = ticks[-1] * size or 1.0
    room = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    width, high = min(room * (1 - _GAP), 48.0), HEIGHT - TOP - BOTTOM
    shapes: list[Shape] = []
    for number, day in enumerate(days):
        x, y = LEFT + room * (number + 0.5) - width / 2, TOP + high
        for colour, (name, values) in enumerate(series):
            if values[number] <= 0:
                continue
            tall = high * values[number] / top
            y -= tall
            title = f"{day}, {name}: {clock(values[number])}"
            shapes.append(
                Shape(round(x, 1), round(y, 2), round(width, 1), round(tall, 2), colour, title)
            )
    lines = [
        AxisLabel(round(TOP + high * (1 - tick * size / top), 1), f"{tick:g}") for tick in ticks
    ]
    every = math.ceil(len(days) / _LABELS)
    labels = [
        AxisLabel(round(LEFT + room * (number + 0.5), 1), day)
        for number, day in enumerate(short or days)
        if number % every == 0
    ]
    return Bars(shapes, lines, labels, [name for name, _ in series], unit)


def scale(most: float) -> tuple[float, str]:
    """The unit in which the largest value is easily read: its seconds and its name."""
    return (HOUR, _("hours")) if most >= 2 * HOUR else (MINUTE, _("minutes"))


def steps(most: float) -> list[float]:
    """Round numbers from 0 to the first that is not below `most`, at most six of them."""
    if most < _NOTHING:
        return [0.0, 1.0]
    size = 10.0 ** math.floor(math.log10(most / _TICKS))
    step = next(each * size for each in _ROUND if each * size * _TICKS >= most * (1 - 1e-10))
    count = math.ceil(most / step - 1e-9)
    digits = max(6, 3 - math.floor(math.log10(step)))  # steps of a tiny axis keep their size
    return [round(step * number, digits) for number in range(count + 1)]


def clock(seconds: float) -> str:
    """Hours and minutes: "1 h 5 min", "7 min", "under a minute", "none"."""
    minutes = round(seconds / MINUTE)
    if seconds <= 0:
        return _("none")
    if minutes == 0:
        return _("under a minute")
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    hours, rest = number_text(minutes // 60), minutes % 60
    if not rest:
        return _("%(hours)s h") % {"hours": hours}
    return _("%(hours)s h %(n)d min") % {"hours": hours, "n": rest}
