"""`proxy_addon/web/static/refresh.js` in real browsers, under the policy of the page: with events
in Chromium and Firefox, without them in Chromium, whose clock can be put forward."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import pytest
from playwright.async_api import Page, Route, async_playwright

from proxy_addon.core.types import Balance
from proxy_addon.web.app import employee_app
from tests.browser.interface import Browser, Proxy
from tests.browser.pages_server import SITE, PagesServer
from tests.browser.start import EACH, start
from tests.web.admin_setup import AdminSetup
from tests.web.client import as_person
from tests.web.office import FixedProxyState, balance, visit

ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ARGS += ["--disable-component-update", "--disable-sync"]


class _Served:
    """Answers the browser from the application; `office` and `away` may change between requests."""

    def __init__(self) -> None:
        self.office = FixedProxyState(
            held=(balance(spent=300.0),), seen=(visit("facebook", 30, 5),)
        )
        self.away = False
        self.asked = 0

    async def answer(self, route: Route) -> None:
        """Serve one request, or nothing while we are away."""
        self.asked += 1
        if self.away:
            await route.abort()
            return
        transport = httpx.ASGITransport(app=as_person(employee_app(self.office)))
        async with httpx.AsyncClient(transport=transport) as client:
            got = await client.get(route.request.url)
        await route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.content)


async def _shown(page: Page, text: str) -> None:
    await page.get_by_text(text).first.wait_for(timeout=10_000)


@pytest.mark.browser
async def test_the_page_keeps_itself_up_to_date() -> None:
    """Where there are no events new minutes are shown twenty seconds later, without a reload; when
    the proxy is away the old ones stay."""
    served = _Served()
    complaints: list[str] = []
    path = os.environ.get("ALLOWANCE_CHROMIUM") or shutil.which("chromium")
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=path, args=ARGS)
        page = await browser.new_page()
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        await page.route("**/*", served.answer)
        await page.clock.install()
        await page.goto("http://allowance.internal/")
        await _shown(page, "10 minutes left")
        await page.evaluate("window.same = true")
        await page.locator("tr.why summary").first.click()
        await _shown(page, "Not recorded")
        served.office = replace(served.office, held=(balance(spent=600.0),))
        await page.clock.fast_forward(21_000)
        await _shown(page, "5 minutes left")
        assert await page.get_by_text("Not recorded").is_visible()  # what was opened stays open
        served.away = True
        await page.clock.fast_forward(21_000)
        await _shown(page, "5 minutes left")
        assert await page.evaluate("window.same")
        await browser.close()
    assert served.asked >= 2
    assert complaints == []


def daily(spent: float) -> Balance:
    """What is left of the minutes of a day."""
    return replace(balance(spent=spent), period="day")


@dataclass
class ChangingState(FixedProxyState):
    """An office whose facts change while somebody looks."""


@pytest.fixture(params=EACH)
def watched(request: pytest.FixtureRequest) -> Iterator[tuple[Browser, ChangingState]]:
    """A browser that shows the page of an office that can change."""
    office = ChangingState(
        held=(daily(300.0),), seen=(visit("facebook", 60, 5), visit("linkedin", 30, 4, None))
    )
    with PagesServer() as server, start(request.param, Proxy(server.port)) as browser:
        server.app = as_person(employee_app(office))
        browser.open(f"{SITE}/")
        yield browser, office


HEADING = "document.querySelector('h1').textContent"
MARK = """(() => {
  globalThis.nodes = [...document.querySelectorAll('main *')];
  const details = document.querySelectorAll('tr.why details')[1];
  details.open = true;
  details.querySelector('summary').focus();
  getSelection().selectAllChildren(document.querySelector('#counted h2'));
  scrollTo(0, 200);
  return details.id;
})()"""
STATE = """(() => [
  document.activeElement.parentElement.id,
  document.activeElement.localName,
  document.activeElement.parentElement.open,
  getSelection().toString(),
  Math.round(scrollY),
  document.title,
])()"""
KEPT = "nodes.filter(node => node.isConnected).length / nodes.length"


@pytest.mark.browser
def test_an_update_changes_what_differs_alone(watched: tuple[Browser, ChangingState]) -> None:
    """Focus, an opened <details>, the selection and the place in the page survive an update by
    events; every element is the same one as before, and the tab says what the heading says."""
    browser, office = watched
    browser.wait(f"{HEADING} === '10 minutes left today'", "the page")
    opened = browser.evaluate(MARK)
    before = browser.evaluate(STATE)
    assert before[:4] == [opened, "summary", True, "How it is counted"]
    office.held = (daily(420.0),)
    browser.wait(f"{HEADING} === '8 minutes left today'", "what is left now")
    after = browser.evaluate(STATE)
    assert after[:5] == before[:5]
    assert after[5] == "8 minutes left today · My time"
    assert browser.evaluate(KEPT) == 1
    assert browser.evaluate("document.getElementById('announced').textContent") == ""
    assert not browser.complaints()


@pytest.mark.browser
def test_what_is_new_is_put_where_it_belongs(watched: tuple[Browser, ChangingState]) -> None:
    """A new visit stands above the others, which stay the elements that they were; a screen reader
    is told when little is left, once."""
    browser, office = watched
    browser.wait(f"{HEADING} === '10 minutes left today'", "the page")
    opened = browser.evaluate(MARK)
    office.seen = (*office.seen, visit("youtube", 5, 4))
    office.held = (daily(800.0),)
    browser.wait(f"{HEADING} === '2 minutes left today'", "what is left now")
    rows = "[...document.querySelectorAll('#today tbody tr[id^=visit]')].map(row => row.id)"
    assert browser.evaluate(rows) == [
        "visit-youtube-5",
        "visit-linkedin-30",
        "visit-facebook-60",
    ]
    focus = browser.evaluate(STATE)
    assert focus[:3] == [opened, "summary", True]
    told = browser.evaluate("document.getElementById('announced').textContent")
    assert told == "2 minutes left today"
    office.held = (daily(900.0),)
    browser.wait(f"{HEADING}.startsWith('Used up today')", "that nothing is left")
    told = browser.evaluate("document.getElementById('announced').textContent")
    assert told.startswith("Used up today")
    assert not browser.complaints()


def _busy(spent: float) -> ChangingState:
    return ChangingState(held=(daily(spent),), seen=(visit("facebook", 5, 6),))


@pytest.mark.browser
@pytest.mark.parametrize("kind", EACH)
def test_the_way_to_more_keeps_the_focus_at_the_end(kind: str) -> None:
    """Who stands on "Ask for more minutes" while time runs out, and what ran is no longer named,
    still stands there."""
    office = _busy(880.0)
    with PagesServer() as server, start(kind, Proxy(server.port)) as browser:
        server.app = as_person(employee_app(office, AdminSetup().admin_service))
        browser.open(f"{SITE}/")
        browser.wait("document.querySelector('.going') !== null", "what runs")
        browser.evaluate("document.querySelector('.acts a').focus()")
        office.held, office.seen = (daily(900.0),), (visit("facebook", 5, 4),)
        browser.wait(f"{HEADING}.startsWith('Used up today')", "that nothing is left")
        assert browser.evaluate("document.querySelector('.going') === null")
        assert browser.evaluate("document.activeElement.pathname") == "/ask"
