"""Draws the boards from Prometheus' answers, after a real office hour: python -m
tests.tools.board_pictures

Writes docs/pictures/board-*.svg: what Grafana would show, for readers who have none at hand.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from dashboards.grafana.content import BOARDS
from dashboards.grafana.panels import Board, Panel, dashboard
from tests.dashboards.office_hour import office_hour
from tests.dashboards.prometheus import Prometheus
from tests.e2e.origins import Origins

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
UNIT, CELL, GAP, MARGIN = (
    50,
    30,
    8,
    16,
)  # pixels: a column, a row of the grid, between panels, around all
COLOURS = (
    "#3b82c4",
    "#e0803a",
    "#4f9d5d",
    "#c2505f",
    "#8a6cc0",
    "#a58b3c",
    "#3fa0a5",
    "#c06ca6",
    "#7d8590",
)
STYLE = """text{font-family:system-ui,'DejaVu Sans',sans-serif;fill:#24292f}
.t{font-size:13px;font-weight:600}.s{font-size:11px;fill:#57606a}.v{font-size:30px;font-weight:600}
.h{font-size:14px;font-weight:600;fill:#57606a}.b{font-size:22px;font-weight:700}"""
SI = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
SUFFIX = {
    "reqps": " req/s",
    "ops": " /s",
    "cps": " /s",
    "Bps": "B/s",
    "bytes": "B",
    "short": "",
    "none": "",
}


def number(value: float, unit: str) -> str:
    """A value as Grafana would write it."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        return _time(value)
    for size, sign in SI:
        if abs(value) >= size:
            return f"{value / size:.3g} {sign}{SUFFIX[unit].lstrip()}"
    return f"{value:.3g}{' ' if unit in ('Bps', 'bytes') else ''}{SUFFIX[unit]}"


def _time(seconds: float) -> str:
    for size, word in ((31_557_600, "years"), (86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size * 1.5:
            return f"{seconds / size:.3g} {word}"
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def text(
    x: float, y: float, words: str, kind: str = "s", anchor: str = "start", **more: str
) -> str:
    """A line of text."""
    extra = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def named(legend: str, labels: dict[str, str]) -> str:
    """A legend with its labels filled in."""
    for name, value in labels.items():
        legend = legend.replace("{{" + name + "}}", value)
    return legend.replace("127.0.0.1:", "proxy:") if "{{instance}}" not in legend else legend


class Drawing:
    """One panel in a box."""

    def __init__(self, panel: Panel, x: float, y: float, width: float, height: float) -> None:
        self.panel, self.x, self.y, self.width, self.height = panel, x, y, width, height

    def draw(self, prometheus: Prometheus, seconds: float) -> Iterator[str]:
        """Its SVG."""
        yield (
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="6" fill="#fff"'
            ' stroke="#d0d7de"/>'
        )
        yield text(self.x + 12, self.y + 22, self.panel.title, "t")
        if self.panel.kind == "timeseries":
            yield from self.lines(prometheus, seconds)
        elif self.panel.kind == "bargauge":
            yield from self.bars(self.instant(prometheus))
        else:
            yield from self.stat(self.instant(prometheus))

    def instant(self, prometheus: Prometheus) -> list[tuple[str, float]]:
        """Names and values now, largest first."""
        found = [
            (named(legend, each["metric"]), float(each["value"][1]))
            for legend, expr in self.panel.exprs.items()
            for each in prometheus.now(expr)
        ]
        return sorted((pair for pair in found if math.isfinite(pair[1])), key=lambda pair: -pair[1])

    def stat(self, values: list[tuple[str, float]]) -> Iterator[str]:
        """One large number."""
        value = values[0][1] if values else 0.0
        value = round(value) if self.panel.whole else value
        word = next(
            (word for at, word, _ in self.panel.states if at == value),
            number(value, self.panel.unit),
        )
        colour = "#c2505f" if word == "NO" else "#2f7d43"
        middle = self.x + self.width / 2
        yield text(
            middle, self.y + self.height / 2 + 22, word, "v", "middle", style=f"fill:{colour}"
        )

    def bars(self, values: list[tuple[str, float]]) -> Iterator[str]:
        """A bar for each value."""
        shown = [
            (name, round(value) if self.panel.whole else value)
            for name, value in values
            if value > 0
        ][:9]
        most = max((value for _, value in shown), default=0.0) or 1.0
        step = min(30.0, (self.height - 44) / max(1, len(shown)))
        label = min(0.45 * self.width, 14 + 6.4 * max((len(name) for name, _ in shown), default=0))
        room = self.width - label - 90
        for index, (name, value) in enumerate(shown):
            y = self.y + 38 + index * step
            yield text(self.x + label, y + step / 2 + 3, name, anchor="end")
            long = max(1.0, room * value / most)
            colour = COLOURS[index % len(COLOURS)]
            place = f'x="{self.x + label + 8:.0f}" y="{y + 3:.0f}" width="{long:.0f}" height="{step - 7:.0f}"'
            yield f'<rect {place} rx="2" fill="{colour}"/>'
            yield text(self.x + label + 14 + long, y + step / 2 + 3, number(value, self.panel.unit))

    def lines(self, prometheus: Prometheus, seconds: float) -> Iterator[str]:
        """Lines or stacked areas over time, with a scale and a legend."""
        found = [
            (named(legend, each["metric"]), {round(at): float(v) for at, v in each["values"]})
            for legend, expr in self.panel.exprs.items()
            for each in prometheus.range(expr, seconds)
        ]
        series = [(name, values) for name, values in found if any(v > 0 for v in values.values())][
            :9
        ]
        times = sorted({at for _, values in found for at in values})
        left, right, top, bottom = (
            self.x + 70,
            self.x + self.width - 14,
            self.y + 36,
            self.y + self.height - 58,
        )
        base = dict.fromkeys(times, 0.0)
        layers: list[tuple[str, list[tuple[int, float, float]]]] = []
        for name, values in series:
            points = []
            for at in times:
                value = values.get(at, math.nan)
                value = value if math.isfinite(value) else (0.0 if self.panel.stacked else math.nan)
                low = base[at] if self.panel.stacked else 0.0
                points.append((at, low, low + value))
                base[at] = low + value if self.panel.stacked else 0.0
            layers.append((name, points))
        most = max(
            (high for _, points in layers for *_, high in points if math.isfinite(high)),
            default=0.0,
        )
        most = nice(most or 1.0)
        first, last = (times[0], times[-1]) if times else (0, 1)

        def place(at: float, value: float) -> str:
            x = left + (right - left) * (at - first) / max(1, last - first)
            return f"{x:.1f},{bottom - (bottom - top) * value / most:.1f}"

        for part in (0, 0.5, 1):
            y = bottom - (bottom - top) * part
            yield f'<path d="M{left:.0f} {y:.0f}H{right:.0f}" stroke="#e4e8ec"/>'
            yield text(left - 6, y + 4, number(most * part, self.panel.unit), anchor="end")
        yield text(left, bottom + 15, f"{last - first} s ago")
        yield text(right, bottom + 15, "now", anchor="end")
        for index, (_, points) in enumerate(layers):
            colour = COLOURS[index % len(COLOURS)]
            solid = [point for point in points if math.isfinite(point[2])]
            line = " ".join(place(at, high) for at, _, high in solid)
            if self.panel.stacked:
                back = " ".join(place(at, low) for at, low, _ in reversed(solid))
                yield f'<polygon points="{line} {back}" fill="{colour}" fill-opacity="0.65"/>'
            yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        if not series:
            yield text((left + right) / 2, (top + bottom) / 2, "zero all the time", anchor="middle")
        yield from self.legend([name for name, _ in layers])

    def legend(self, names: list[str]) -> Iterator[str]:
        """Coloured names below, in up to two rows."""
        x, y = self.x + 14.0, self.y + self.height - 26
        for index, name in enumerate(names):
            long = 22 + 6.3 * len(name)
            if x + long > self.x + self.width and x > self.x + 14:
                x, y = self.x + 14.0, y + 16
            yield f'<rect x="{x:.0f}" y="{y - 8:.0f}" width="10" height="8" rx="1" fill="{COLOURS[index % 9]}"/>'
            yield text(x + 14, y, name)
            x += long


def nice(value: float) -> float:
    """The next round number that is not smaller."""
    size = 10 ** math.floor(math.log10(value))
    return next(step * size for step in (1, 2, 4, 5, 8, 10) if step * size >= value * 0.999)


def picture(board: Board, prometheus: Prometheus, seconds: float) -> str:
    """A whole board as SVG."""
    placed: list[dict[str, Any]] = dashboard(board)["panels"]
    panels = iter(board.panels)
    parts, height = [], 0.0
    for each in placed:
        place = each["gridPos"]
        x, y = MARGIN + place["x"] * UNIT, 64 + place["y"] * CELL
        height = max(height, y + place["h"] * CELL)
        if each["type"] == "row":
            parts.append(text(x + 2, y + 22, each["title"], "h"))
            continue
        drawing = Drawing(
            next(panels), x + GAP / 2, y + GAP / 2, place["w"] * UNIT - GAP, place["h"] * CELL - GAP
        )
        parts.extend(drawing.draw(prometheus, seconds))
    width, height = 24 * UNIT + 2 * MARGIN, height + MARGIN
    head = text(MARGIN + 4, 36, f"Allowance: {board.title}", "b")
    what = text(
        MARGIN + 4, 56, f"{board.text} Data of a test run: 240 people, {seconds:.0f} seconds."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#f6f8fa"/>{head}{what}'
        + "\n".join(parts)
        + "</svg>\n"
    )


def main() -> None:
    """Run the hour and draw all boards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "origins").mkdir()
        with Origins(folder / "origins") as origins, office_hour(folder, origins, None) as ran:
            for board in BOARDS:
                seconds = ran.seconds
                file = FOLDER / f"board-{board.uid.removeprefix('allowance-')}.svg"
                file.write_text(picture(board, ran.prometheus, seconds), "utf-8")


if __name__ == "__main__":
    main()
