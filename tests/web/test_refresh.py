"""`proxy_addon/web/static/refresh.js` in a real browser, under the policy that the page is served
with."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import httpx
import pytest
from playwright.async_api import Page, Route, async_playwright

from proxy_addon.web.app import employee_app
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
    """Twenty seconds later new minutes are shown without a reload; when the proxy is away the old
    ones stay."""
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
        await _shown(page, "10 minutes")
        await page.evaluate("window.same = true")
        await page.get_by_text("Why", exact=True).click()
        await _shown(page, "Not recorded")
        served.office = replace(served.office, held=(balance(spent=600.0),))
        await page.clock.fast_forward(21_000)
        await _shown(page, "5 minutes")
        assert await page.get_by_text("Not recorded").is_visible()  # what was opened stays open
        served.away = True
        await page.clock.fast_forward(21_000)
        await _shown(page, "5 minutes")
        assert await page.evaluate("window.same")
        await browser.close()
    assert served.asked >= 2
    assert complaints == []
