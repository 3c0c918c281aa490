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


KNOWN: tuple[Fault, ...] = ()


def compare(
    page: str, scheme: str, found: list[Violation], known: tuple[Fault, ...] = KNOWN
) -> list[str]:
    """What is new on a page, and what is listed but has gone; in lines for people."""
    faults = [fault for fault in known if fault.scheme == scheme and page in fault.pages]
    new = [each for each in found if not any(fault.fits(each) for fault in faults)]
    gone = [fault for fault in faults if not any(fault.fits(each) for each in found)]
    return [f"{scheme}: {each}" for each in new] + [
        f"{scheme}: {fault.rule} ({fault.reason}) is gone: take {page} off known_faults.py"
        for fault in gone
    ]
