"""axe-core over the page that a browser shows: WCAG 2.2 A and AA, and axe's best practices.

`assets/axe.min.js` is version 4.14.1 as published, under the Mozilla Public License 2.0;
its licences stand beside it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.browser.interface import Browser

SCRIPT = Path(__file__).parent / "assets" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# What can differ between two colour schemes of one page.
COLOURS = ["color-contrast", "link-in-text-block"]

_RUN = """
axe.run(document, {{runOnly: {rules}, resultTypes: ["violations"]}}).then(found =>
  found.violations.flatMap(rule => rule.nodes.map(node => [
    rule.id, node.target.join(" "), (node.failureSummary || rule.help).split("\\n").slice(1).join(";")
  ])))
"""


class Violation(NamedTuple):
    """What axe objects to: its rule, the element as a CSS selector, and how to mend it."""

    rule: str
    element: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.element}: {' '.join(self.remedy.split())}"


@cache
def _axe() -> str:
    return SCRIPT.read_text("utf-8")


def violations(browser: Browser, *, colours_alone: bool = False) -> list[Violation]:
    """What axe finds in this page as it looks now; `colours_alone` where all else has been checked
    in another scheme."""
    if not browser.evaluate("'axe' in globalThis"):
        browser.evaluate(f"(() => {{ {_axe()}\n; return true }})()")
    rules = {"type": "rule", "values": COLOURS} if colours_alone else TAGS
    found = browser.evaluate(_RUN.format(rules=json.dumps(rules)))
    return [Violation(*each) for each in found]
