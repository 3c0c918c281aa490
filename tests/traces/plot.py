"""Charged against true, one dot a day: `python -m tests.traces.plot figures.json
docs/pictures/metering.svg`.

`figures.json` is what `python -m tests.traces.evaluate --json` printed.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

SIZE, LEFT, TOP, RIGHT = 460, 64, 24, 180
LARGEST = 400.0  # minutes
TICKS = (0, 1, 5, 15, 60, 120, 240)
KINDS = {
    "somebody reads, scrolls, watches, writes": "#1b6ca8",
    "machines do nearly everything": "#d1495b",
    "both in one day": "#3a7d44",
}
_MACHINES = {
    "open-regular",
    "open-jittered",
    "open-fat",
    "self-refresh",
    "rotating-ads",
    "embeds",
    "prefetch",
    "paused-video",
}
_BOTH = {"mixed", "coming-back", "two-tabs", "sleep"}


def place(minutes: float) -> float:
    """Where on an axis so many minutes are: close to a logarithm, with nought on it."""
    return SIZE * math.asinh(minutes) / math.asinh(LARGEST)


def kind_of(scenario: str) -> str:
    """The colour's name for one scenario."""
    names = list(KINDS)
    return names[1] if scenario in _MACHINES else names[2] if scenario in _BOTH else names[0]


def drawing(days: list[dict[str, Any]]) -> str:
    """The picture as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + SIZE + RIGHT} {TOP + SIZE + 56}" '
        'font-family="sans-serif" font-size="12">',
        "<title>Minutes charged against minutes of true attention, one dot for each generated day</title>",
        f'<rect width="100%" height="100%" fill="#fff"/><g transform="translate({LEFT},{TOP})">',
    ]
    for tick in TICKS:
        at = place(tick)
        parts += [
            f'<path d="M{at:.1f} 0V{SIZE}M0 {SIZE - at:.1f}H{SIZE}" stroke="#e4e4e4"/>',
            f'<text x="{at:.1f}" y="{SIZE + 18}" text-anchor="middle">{tick}</text>',
            f'<text x="-8" y="{SIZE - at + 4:.1f}" text-anchor="end">{tick}</text>',
        ]
    parts.append(f'<path d="M0 {SIZE}L{SIZE} 0" stroke="#999" stroke-dasharray="4 4"/>')
    for day in days:
        x, y = place(day["true"] / 60), SIZE - place(day["charged"] / 60)
        colour = KINDS[kind_of(day["scenario"])]
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}" fill-opacity=".55"/>'
        )
    parts.append(
        f'<text x="{SIZE / 2}" y="{SIZE + 42}" text-anchor="middle">minutes of true attention</text>'
    )
    parts.append(
        f'<text transform="translate(-44,{SIZE / 2}) rotate(-90)" text-anchor="middle">minutes charged</text>'
    )
    for i, (name, colour) in enumerate(KINDS.items()):
        y = SIZE - 60 + 22 * i
        parts.append(f'<circle cx="{SIZE + 14}" cy="{y - 4}" r="4" fill="{colour}"/>')
        for line, words in enumerate(_lines(name)):
            parts.append(
                f'<text x="{SIZE + 24}" y="{y + 12 * line}" font-size="10">{escape(words)}</text>'
            )
    return "\n".join([*parts, "</g></svg>\n"])


def _lines(words: str) -> list[str]:
    head, comma, tail = words.partition(", ")
    return [head + comma.strip(), tail] if comma and len(words) > 30 else [words]


def main(figures: str, picture: str) -> None:
    """Read the figures, write the picture."""
    days = json.loads(Path(figures).read_text())["days"]
    Path(picture).write_text(drawing(days))


if __name__ == "__main__":
    main(*sys.argv[1:3])
