"""The two browsers as tests see them: each does what `interface.py` says, with a real page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from tests.browser import axe, checks
from tests.browser.interface import DESKTOP, PHONE, Browser, Look, NotStarted, Proxy
from tests.browser.pages_server import SITE, PagesServer
from tests.browser.start import KINDS, start
from tests.e2e.waiting import until

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en"><head><title>A page</title>
<link rel="icon" href="data:,"></head><body><main><h1>A page</h1>
<button id="press" onclick="document.title = 'pressed'">Press</button>
<p style="height: 2000px">long</p>
<p><label for="field">Field</label> <input id="field"> <a id="away" href="/other">Away</a></p>
</main></body></html>"""
GONE = '<title>Gone</title><link rel="icon" href="data:,">gone'
FAULTY = """<!doctype html><html><head><title>Faulty</title><link rel="icon" href="data:,">
<style>a:focus {{ outline: none }} input {{ border: 1px solid #eee; background: white }}
.tiny {{ width: 9px; height: 9px; padding: 0 }} .cut {{ width: 5em; height: 1.4em; overflow: hidden }}</style>
</head><body><main><h1 style="color: #bbb">Pale</h1><a href="/">a</a> <input>
<button class="tiny">a</button><button class="tiny">b</button><p class="cut">This is cut off.</p>
<div style="width: 2000px">wide</div></main>{script}</body></html>"""


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """A page, a faulty one, and paths that fail."""
    path = Request(scope).url.path
    script = "<script>console.error('a complaint'); fetch('/gone'); missing()</script>"
    forbidden = {"Content-Security-Policy": "script-src 'none'"}
    answers: dict[str, Callable[[], Response]] = {
        "/": lambda: HTMLResponse(PAGE),
        "/faulty": lambda: HTMLResponse(FAULTY.format(script="")),
        "/complains": lambda: HTMLResponse(FAULTY.format(script=script)),
        "/forbidden": lambda: HTMLResponse(FAULTY.format(script=script), headers=forbidden),
    }
    made = answers.get(path, lambda: HTMLResponse(GONE, 404))
    await made()(scope, receive, send)


@pytest.fixture(scope="module", params=sorted(KINDS))
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Each browser in turn, behind a proxy that answers with that site."""
    with PagesServer() as server:
        server.app = site
        with start(request.param, Proxy(server.port)) as started:
            yield started


@pytest.fixture(autouse=True)
def at_a_desk(browser: Browser) -> None:
    """Every test begins with the same look."""
    browser.look(DESKTOP)


def test_open_and_evaluate(browser: Browser) -> None:
    """A page is open once it has loaded, its status is given, and values come as JSON."""
    assert browser.open(f"{SITE}/") == 200
    assert browser.open(f"{SITE}/gone") == 404
    assert browser.open(f"{SITE}/") == 200
    assert browser.evaluate("[document.title, location.href, {a: [null, 1.5]}]") == [
        "A page",
        f"{SITE}/",
        {"a": [None, 1.5]},
    ]
    assert browser.evaluate("new Promise(done => setTimeout(() => done('later'), 20))") == "later"
    assert browser.complaints() == []


@pytest.mark.parametrize(
    "look",
    [
        PHONE,
        replace(DESKTOP, dark=True),
        replace(DESKTOP, reduced_motion=True),
        replace(DESKTOP, forced_colors=True),
    ],
)
def test_looks(browser: Browser, look: Look) -> None:
    """The page sees the size, scheme, motion and colours that were chosen, and so does the
    next."""
    browser.open(f"{SITE}/")
    browser.look(look)
    for _ in range(2):
        assert browser.evaluate(
            """[innerWidth, innerHeight, matchMedia("(prefers-color-scheme: dark)").matches,
            matchMedia("(prefers-reduced-motion: reduce)").matches,
            matchMedia("(forced-colors: active)").matches]"""
        ) == [look.width, look.height, look.dark, look.reduced_motion, look.forced_colors]
        browser.open(f"{SITE}/")


def test_mouse_and_keys(browser: Browser) -> None:
    """A click reaches a button and a field far below; keys type, move the focus, and open links."""
    browser.open(f"{SITE}/")
    browser.click("#press")
    assert browser.evaluate("document.title") == "pressed"
    browser.click("#field")
    browser.type("Grüße 1")
    browser.press("Backspace")
    assert browser.evaluate("document.querySelector('#field').value") == "Grüße "
    browser.press("Shift+Tab")
    assert browser.evaluate("document.activeElement.id") == "press"
    browser.press("Tab")
    browser.press("Tab")
    browser.press("Enter")
    browser.wait("location.pathname === '/other'", "the link to open")


def test_without_scripts(browser: Browser) -> None:
    """The scripts of a page do not run, expressions of the test do; and both run again after."""
    browser.look(Look(scripts=False))
    browser.open(f"{SITE}/complains")
    assert browser.complaints() == []
    assert browser.evaluate("document.querySelector('h1').innerText") == "Pale"
    browser.look(DESKTOP)
    browser.open(f"{SITE}/complains")
    until(browser.complaints, "complaints")


def test_complaints(browser: Browser) -> None:
    """Errors in the console, of scripts, of requests and of the security policy are kept until the
    next page."""
    browser.open(f"{SITE}/complains")
    wanted = ("a complaint", "missing is not defined", "/gone: 404")
    until(lambda: _all_in(browser, wanted), f"complaints about {wanted}")
    browser.open(f"{SITE}/forbidden")
    until(lambda: _all_in(browser, ("script-src",)), "a complaint about the policy")
    browser.open(f"{SITE}/")
    assert browser.complaints() == []


def _all_in(browser: Browser, wanted: tuple[str, ...]) -> bool:
    browser.evaluate("1")  # events come while a command is answered
    lines = browser.complaints()
    return all(any(each in line for line in lines) for each in wanted)


def test_axe_and_the_checks_find_faults(browser: Browser) -> None:
    """A page with a pale heading, no language, a field without name, faint border or ring, tiny
    buttons, text that is cut off, and too wide, is found out in all of it; the other page in
    nothing."""
    browser.open(f"{SITE}/faulty")
    lines = [str(each) for each in axe.violations(browser)]
    rules = {line.partition(":")[0] for line in lines}
    assert rules >= {"color-contrast", "html-has-lang", "label"}
    assert any(
        line.startswith("color-contrast: h1: ") and "contrast of 1.9" in line for line in lines
    )
    assert [each[:2] for each in checks.faint_parts(browser)] == [("border-contrast", "input")]
    assert checks.tab_through(browser)[0] == "a: no ring"
    assert "px too wide: div" in checks.sideways_scroll(browser)
    found = [each[:2] for each in checks.small_targets(browser)]
    assert found == [("target-size", "button.tiny"), ("target-size", "button.tiny")]
    assert "p.cut is cut off" in checks.spaced_text(browser)
    browser.open(f"{SITE}/")
    assert axe.violations(browser) == []
    for _ in range(2):
        assert checks.tab_through(browser) == []
    assert checks.sideways_scroll(browser) == ""
    assert checks.small_targets(browser) == []
    assert checks.spaced_text(browser) == []


def test_screenshot(browser: Browser, tmp_path: Path) -> None:
    """The picture is a PNG of the whole page, not of the window."""
    browser.open(f"{SITE}/")
    browser.screenshot(tmp_path / "pictures" / "page.png")
    data = (tmp_path / "pictures" / "page.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[20:24]) > 2000


@pytest.mark.long
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_close(kind: str) -> None:
    """Nothing of a browser is left when it has been closed."""
    with start(kind) as browser:
        pid = browser.pid
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    browser.close()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_browser_that_does_not_start(kind: str, tmp_path: Path) -> None:
    """The error has the last words of the browser."""
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\necho no display here >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(NotStarted, match="no display here"):
        KINDS[kind](program=str(program))
