"""What axe does not check: sideways scroll, contrast of what is not text, visible focus, the size
of targets, spaced text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.browser.axe import Violation
from tests.browser.interface import Browser

SCRIPT = Path(__file__).parent / "assets" / "page_checks.js"


@cache
def _checks() -> str:
    return SCRIPT.read_text("utf-8")


def _prepare(browser: Browser) -> None:
    if not browser.evaluate("'pageChecks' in globalThis"):
        browser.evaluate(_checks().split("\n", 1)[1].strip())


def faint_parts(browser: Browser) -> list[Violation]:
    """Borders of fields, bars and marks with a contrast below 3:1."""
    _prepare(browser)
    return [Violation(*each) for each in browser.evaluate("pageChecks.faint()")]


def sideways_scroll(browser: Browser) -> str:
    """By how much the page, or a part of it, is wider than its room, and what sticks out; "" if
    nothing."""
    _prepare(browser)
    text: str = browser.evaluate("pageChecks.sideways()")
    return text


def small_targets(browser: Browser) -> list[Violation]:
    """Targets below 24 by 24 pixels without room around them; links in sentences may be so."""
    _prepare(browser)
    return [Violation(*each) for each in browser.evaluate("pageChecks.small()")]


def spaced_text(browser: Browser) -> list[str]:
    """What is cut off, or pushed wide, where somebody has lines, letters and words further apart.
    The page stays so."""
    _prepare(browser)
    found: list[str] = browser.evaluate("pageChecks.spaced()")
    return found


def tab_through(browser: Browser) -> list[str]:
    """What is wrong when somebody tabs through the page: another order than that of the document, a
    ring that is missing, faint or out of sight."""
    _prepare(browser)
    wrong = []
    count = browser.evaluate("pageChecks.begin()")
    for place in range(count):
        browser.press("Tab")
        reached, name, problem = browser.evaluate("pageChecks.focus()")
        if reached != place:
            wrong.append(f"Tab {place + 1} of {count} reached {name}, number {reached + 1}")
        if problem:
            wrong.append(f"{name}: {problem}")
    return wrong
