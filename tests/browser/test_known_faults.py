"""`known_faults.py`: new faults and those that are gone are both reported."""

from __future__ import annotations

from tests.browser.axe import Violation
from tests.browser.known_faults import KNOWN, Fault, compare
from tests.browser.states import states

FOUND = Violation("color-contrast", ".state", "4.17:1")
LISTED = (Fault("color-contrast", "light", (".state",), ("ask",), "amber: 4.17:1"),)


def test_pages_exist() -> None:
    """A fault is listed for pages that there are."""
    assert {page for fault in KNOWN for page in fault.pages} - set(states()) == set()


def test_as_listed() -> None:
    """What is listed and found is no news."""
    assert compare("ask", "light", [FOUND], LISTED) == []
    assert compare("help", "dark", [], LISTED) == []


def test_new() -> None:
    """The same rule elsewhere, in the other scheme or on another page is reported with its
    remedy."""
    other = FOUND._replace(element="h1")
    assert compare("ask", "light", [FOUND, other], LISTED) == ["light: color-contrast: h1: 4.17:1"]
    for page, scheme in (("ask", "dark"), ("help", "light")):
        assert compare(page, scheme, [FOUND], LISTED) == [f"{scheme}: {FOUND}"]


def test_gone() -> None:
    """What was mended has to leave the list."""
    (line,) = compare("ask", "light", [], LISTED)
    assert line.endswith("is gone: take ask off known_faults.py")
