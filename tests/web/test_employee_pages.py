"""`proxy_addon/web/employee_pages.py`: the endpoints, from request to page."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest

from proxy_addon.ledger.interface import AuditEntry
from proxy_addon.presentation.theme import digest
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.admin_setup import UP, AdminSetup, call
from tests.web.office import NOW, visit


def setup(**facts: object) -> AdminSetup:
    """An office with some past days of two people."""
    made = AdminSetup(**facts)  # type: ignore[arg-type]
    inner = made.inner
    assert isinstance(inner, MemoryLedger)
    inner.write_visits([visit("facebook", 24 * 60, 14), visit("youtube", 48 * 60, 7, None)])
    inner.write_visits([replace(visit("linkedin", 24 * 60, 9), person="emil", id="e")])
    return made


async def test_the_title_says_what_the_heading_says() -> None:
    """In the tab as on the page, and the one script of the page is allowed by its hash."""
    answer = await call(setup().person("dora"), "/")
    assert "<title>Used up: more tomorrow at 00:00 · My time</title>" in answer.text
    assert '<h1 class="out">Used up: more tomorrow at 00:00</h1>' in answer.text
    script = answer.text.partition("<script>")[2].partition("</script>")[0]
    assert digest(script) in answer.headers["content-security-policy"]
    assert " style=" not in answer.text and "onclick" not in answer.text


async def test_a_past_day_is_that_of_the_reader() -> None:
    """By visit, from the ledger, and nobody else's."""
    answer = await call(setup().person("dora"), "/?day=2026-11-01")
    assert answer.status_code == 200
    assert "<h1>Sunday, 1 November 2026</h1>" in answer.text
    assert "14:50" in answer.text and "Facebook" in answer.text
    assert "LinkedIn" not in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("day", ["2026-11-03", "2026-08-01", "x", "", "2026-11-01T00:00"])
async def test_a_day_that_is_not_kept(day: str) -> None:
    """Too old, to come, or no day at all: 404, as of any page that there is not."""
    answer = await call(setup().person("dora"), f"/?day={day}")
    assert answer.status_code == 404


async def test_today_as_a_day() -> None:
    """It is the page itself."""
    answer = await call(setup().person("dora"), "/?day=2026-11-02")
    assert 'id="left"' in answer.text


async def test_who_looked_is_told() -> None:
    """And that nobody did."""
    made = setup()
    assert "looked at your name: never" in (await call(made.person("dora"), "/")).text
    fresh = setup()
    fresh.ledger.audit(AuditEntry(NOW - 60, "web:ada", "unmask", "dora", "A <b>complaint</b>"))
    text = (await call(fresh.person("dora"), "/")).text
    assert "ada looked up your name" in text
    assert "A &lt;b&gt;complaint&lt;/b&gt;" in text


async def test_the_ledger_is_away() -> None:
    """The page comes, and says that earlier days cannot be shown; so does a past day."""
    made = setup(state=replace(UP, up=False))
    home = await call(made.person("dora"), "/")
    assert home.status_code == 200
    assert "earlier days cannot be shown" in home.text
    day = await call(made.person("dora"), "/?day=2026-11-01")
    assert (day.status_code, "cannot be read right now" in day.text) == (200, True)


async def test_what_opens() -> None:
    """Every platform of the rules, each with a way to its explanation."""
    answer = await call(setup().person("dora"), "/opens")
    assert answer.status_code == 200
    assert '<a href="/why?platform=facebook">Facebook</a>' in answer.text
    assert 'aria-current="page">What opens for me</a>' in answer.text


async def test_data() -> None:
    """Today, for programs."""
    answer: httpx.Response = await call(setup().person("dora"), "/me.json")
    assert json.loads(answer.text)["user"] == "dora"


async def test_an_error_leads_on() -> None:
    """Whoever may use the other pages finds them on the page of an error, too."""
    answer = await call(setup().person("dora"), "/nope")
    assert answer.status_code == 404
    assert '<a href="/opens">What opens for me</a>' in answer.text
