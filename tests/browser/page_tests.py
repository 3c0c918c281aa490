"""What every page keeps to in every state, in whichever browser: `test_pages_chromium.py` and
`test_pages_firefox.py` run these tests, side by side.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import ClassVar

import pytest

from tests.browser import axe, checks
from tests.browser.interface import DESKTOP, PHONE, ZOOMED, Browser, Look
from tests.browser.known_faults import compare
from tests.browser.pages_server import SITE, PagesServer
from tests.browser.states import State, states
from tests.languages.everywhere import spoken_everywhere

# `make browsers`, a part of `make test-long`: every check in every size and look.
WHOLE = os.environ.get("TEST_BROWSERS") == "whole"
STATES = states()
FEW = [name for name in STATES if name.endswith(("-low", "block", "-waiting", "ask", "help"))]
SIZES = (PHONE, ZOOMED, DESKTOP)
SCHEMES = {"light": DESKTOP, "dark": replace(DESKTOP, dark=True)}

FORCED = replace(DESKTOP, forced_colors=True)
# Of the other languages: the one with the longest words in every state, the others in a few.
LANGUAGES = {"de": list(STATES), "fr": FEW, "es": FEW}

# In the short form every state is looked at in Chromium, and each page in a few of its states for
# what hardly differs between browsers.
_PAGES = {
    (state.path.partition("?")[0], name.split("-")[0]): name for name, state in STATES.items()
}
ONE_OF_EACH = {*_PAGES.values(), *FEW}


def in_short_form(test: str, kind: str, page: str, language: str) -> bool:
    """Whether `make test` and CI run this test of a page in a browser."""
    if test == "test_access_for_all":
        return kind == "chromium" or page in ONE_OF_EACH
    if kind == "firefox":  # lays out as the other does; what it draws and reads out is its own
        return page in (*FEW, "") and language in ("", "de") and test != "test_every_size_and_look"
    match test:
        case "test_every_size_and_look":
            return False
        case "test_width_keyboard_and_console":
            return page in ONE_OF_EACH
        case "test_other_languages":
            return page in FEW
    return True


class Desk:
    """A browser and the pages that it is shown."""

    def __init__(self, browser: Browser, server: PagesServer) -> None:
        self.browser, self._server = browser, server

    def open(self, state: State, look: Look = DESKTOP) -> Browser:
        """Open a page in one of its states; it is answered with the status of that state."""
        self._server.app = state.app
        self.browser.look(look)
        status = self.browser.open(SITE + state.path)
        assert status == state.status, f"{state.path} was answered with {status}"
        if look.scripts:
            waiting = "document.querySelector('[data-check][data-state=unknown]')"
            self.browser.wait(f"!{waiting}", "the page that sets a device up to have checked")
        return self.browser


@pytest.mark.browser
class PageTests:
    """The tests of one browser, `kind`."""

    kind: ClassVar[str]

    def measures(self, page: str) -> bool:
        """Whether contrast and targets are measured: what is drawn hardly differs between browsers,
        so that the short form does it for few pages in Firefox."""
        return WHOLE or self.kind == "chromium" or page in FEW

    @pytest.mark.parametrize("page", STATES)
    def test_access_for_all(self, desk: Desk, page: str) -> None:
        """Neither axe nor the checks of contrast and of targets find anything in either colour
        scheme, or in forced colours, that is not listed in `known_faults.py`; there is a title."""
        browser = desk.open(STATES[page])
        wrong = [] if browser.evaluate("document.title.trim()") else ["no title"]
        for scheme, look in SCHEMES.items():
            browser.look(look)
            found = axe.violations(browser, colours_alone=look.dark)
            if self.measures(page):
                found += checks.faint_parts(browser) + checks.small_targets(browser)
            wrong += compare(page, scheme, found)
        if self.measures(page):
            browser.look(FORCED)
            wrong += compare(page, "forced", checks.faint_parts(browser))
        assert not wrong, "\n".join(wrong)

    @pytest.mark.parametrize("page", STATES)
    def test_width_keyboard_and_console(self, desk: Desk, page: str) -> None:
        """No sideways scroll on a desk, on a phone and at 400 %; the Tab key reaches everything in
        order, with a ring that is seen; the browser complains about nothing. Only the
        employee's page and the one that sets a device up have a script."""
        browser = desk.open(STATES[page])
        assert browser.evaluate("document.scripts.length") == page.startswith(
            ("employee", "device")
        )
        wrong = checks.tab_through(browser)
        for size in SIZES:
            browser.look(size)
            wide = checks.sideways_scroll(browser)
            wrong += [f"{size.width}: {wide}"] if wide else []
        wrong += browser.complaints()
        browser.look(ZOOMED)
        wrong += [f"spaced: {line}" for line in checks.spaced_text(browser)]
        assert not wrong, "\n".join(wrong)

    @pytest.mark.parametrize(
        ("language", "page"),
        [(language, page) for language, pages in LANGUAGES.items() for page in pages],
    )
    def test_other_languages(self, desk: Desk, language: str, page: str) -> None:
        """In German, French and Spanish nothing scrolls sideways on a phone and at 400 %, or is cut
        off where text is spaced further apart, and the page says which language it is in."""
        with spoken_everywhere(language):
            browser = desk.open(states()[page], PHONE)
            wrong = [checks.sideways_scroll(browser)]
            browser.look(ZOOMED)
            wrong += [checks.sideways_scroll(browser), *checks.spaced_text(browser)]
            spoken = browser.evaluate("document.documentElement.lang")
            wrong += [] if spoken == language else [f"it says that it is in {spoken}"]
        assert not any(wrong), "\n".join(filter(None, wrong))

    @pytest.mark.parametrize("page", [name for name in STATES if name.startswith("employee")])
    def test_without_scripts(self, desk: Desk, page: str) -> None:
        """With scripts off the page says all that it says with them."""
        text = "document.querySelector('main').innerText"
        browser = desk.open(STATES[page])
        said = browser.evaluate(text)
        browser = desk.open(STATES[page], replace(DESKTOP, scripts=False))
        alone = browser.evaluate(text)
        assert alone == said, f"without scripts: {alone}\nwith scripts: {said}"
        assert browser.evaluate("document.querySelector('h1').innerText") != ""

    @pytest.mark.parametrize("scripts", [True, False])
    def test_a_form_by_keyboard(self, desk: Desk, scripts: bool) -> None:
        """Somebody asks for more time with the keyboard alone, and finds the request on the page
        that follows; also without scripts."""
        browser = desk.open(states()["ask"], Look(scripts=scripts))
        browser.click("#minutes")
        browser.press("Backspace")
        browser.press("Backspace")
        browser.type("5")
        browser.press("Tab")
        browser.type("An election night")
        browser.press("Enter")
        said = "document.querySelector('main').innerText"
        browser.wait(f"{said}.includes('An election night')", "the request on the page")
        assert "5 minutes" in browser.evaluate(said)
        assert not browser.complaints(), browser.complaints()

    @pytest.mark.parametrize("page", STATES)
    def test_every_size_and_look(self, desk: Desk, page: str) -> None:
        """axe, contrast, sideways scroll and focus on a phone and at 400 %, in both schemes, with
        reduced motion, and contrast and focus in forced colours."""
        browser = desk.open(STATES[page])
        wrong = []
        for size in SIZES:
            for scheme in SCHEMES:
                browser.look(replace(size, dark=scheme == "dark", reduced_motion=True))
                found = axe.violations(browser) + checks.faint_parts(browser)
                each = [*compare(page, scheme, found), checks.sideways_scroll(browser)]
                each += checks.tab_through(browser)
                wrong += [f"{size.width}: {line}" for line in each if line]
            browser.look(replace(size, forced_colors=True))
            each = compare(page, "forced", checks.faint_parts(browser))
            each += checks.tab_through(browser)
            wrong += [f"{size.width}: {line}" for line in each]
        assert not wrong, "\n".join(wrong)
