"""What today's pages are known to do wrong. The tests demand to find each of these
exactly where it is listed, so the list can only shrink: a page that was mended is taken off it.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.browser.axe import Violation


class Fault(NamedTuple):
    """A rule of axe or of `checks.py` that each of `pages` breaks, at elements whose names begin
    with one of `elements`. `scheme`: light, dark, or forced for forced colours."""

    rule: str
    scheme: str
    elements: tuple[str, ...]
    pages: tuple[str, ...]
    reason: str

    def fits(self, violation: Violation) -> bool:
        """Whether this is what was found."""
        return violation.rule == self.rule and violation.element.startswith(self.elements)


_FORMS = (
    "ask",
    "ask-while-one-waits",
    "ask-with-an-error",
    "why",
    "why-answered",
    "admin",
    "admin-after-granting",
    "admin-with-an-error",
)
_FREE = (
    "employee-some-used",
    "employee-low",
    "employee-used-up",
    "employee-observed",
    "employee-several",
)

KNOWN = (
    Fault(
        "color-contrast",
        "light",
        (".state",),
        ("employee-request-waiting", "ask-while-one-waits"),
        "amber of a request that waits: 4.17:1, where 4.5:1 is needed",
    ),
    Fault(
        "border-contrast",
        "light",
        ("input", "select"),
        _FORMS,
        "borders of fields: 1.33:1, where 3:1 is needed",
    ),
    Fault(
        "border-contrast",
        "dark",
        ("input", "select"),
        _FORMS,
        "borders of fields: 1.32:1, where 3:1 is needed",
    ),
    Fault(
        "mark-contrast",
        "light",
        ("rect.free", "span.key.free"),
        _FREE,
        "free time in the day's line 1.73:1 and in its key 1.92:1, where 3:1 is needed",
    ),
    Fault(
        "mark-contrast",
        "forced",
        ("rect.free", "span.key"),
        (*_FREE, "employee-request-waiting", "employee-requests-answered"),
        "in forced colours the keys of the day's line are not seen, and free time is faint",
    ),
)


def compare(page: str, scheme: str, found: list[Violation]) -> list[str]:
    """What is new on a page, and what is listed but has gone; in lines for people."""
    faults = [fault for fault in KNOWN if fault.scheme == scheme and page in fault.pages]
    new = [each for each in found if not any(fault.fits(each) for fault in faults)]
    gone = [fault for fault in faults if not any(fault.fits(each) for each in found)]
    return [f"{scheme}: {each}" for each in new] + [
        f"{scheme}: {fault.rule} ({fault.reason}) is gone: take {page} off known_faults.py"
        for fault in gone
    ]
