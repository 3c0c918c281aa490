"""`proxy_addon/web/urgent_pages.py`: a customer is waiting, as a browser does it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from proxy_addon.ledger.time_requests import LONGEST
from tests.web.admin_setup import SAME, call
from tests.web.notice_setup import NoticeSetup
from tests.web.test_app import text_of
from tests.web.test_notice_pages import fields
from tests.web.urgent_setup import TEN, URL, AwayLedger, UrgentSetup

NAME = "daily-social"


def path(setup: UrgentSetup, allowance: str = NAME) -> str:
    """As the block page links to it."""
    return f"/urgent?{urlencode({'allowance': allowance, 'back': setup.sealed()})}"


async def form_of(setup: UrgentSetup) -> dict[str, str]:
    """The hidden fields of the form as dora gets it."""
    return fields((await call(setup.person(), path(setup))).text)


async def test_the_page() -> None:
    """What is given, to what, how often still, who sees it; never a key of the rules."""
    page = await call(UrgentSetup().person(), path(UrgentSetup()))
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    shown = text_of(page.text)
    assert "Take 10 minutes for your work now." in shown
    assert "Left: 2 of 2." in shown and "tomorrow at 00:00" in shown
    assert "Take 10 minutes and continue to Facebook" in shown
    assert "Whoever answers requests sees that you took them" in shown
    assert NAME not in shown


async def test_taking_leads_back() -> None:
    """One press, one grant, and on to where one was going, by a link and by itself."""
    setup = UrgentSetup()
    done = await call(setup.person(), "/urgent", await form_of(setup) | {"reason": "a <b>crisis"})
    assert done.status_code == 303
    assert [each.reason for each in setup.inner.grants(0.0)] == ["a <b>crisis"]
    page = (await call(setup.person(), done.headers["location"])).text
    assert f'content="0; url={html.escape(URL)}"' in page
    assert "Continue to Facebook" in page and "You have minutes again" in page


async def test_without_a_way_back() -> None:
    """Whoever came by themselves, or with a value that is not ours, is led to their own page."""
    setup = UrgentSetup()
    sent = await form_of(setup) | {"back": "https://evil.example/"}
    done = await call(setup.person(), "/urgent", sent)
    page = (await call(setup.person(), done.headers["location"])).text
    assert "evil" not in page and "refresh" not in page and "See my time" in page


async def test_when_all_are_taken() -> None:
    """It is said how often, when there are new ones, and that one can ask; a form that was open
    meanwhile takes nothing."""
    setup = UrgentSetup(replace(TEN, times=1))
    sent = await form_of(setup)
    assert (await call(setup.person(), "/urgent", sent)).status_code == 303
    setup.state.spent = 1500.0
    page = await call(setup.person(), path(setup))
    assert "<form" not in page.text
    assert "You have taken urgent minutes once" in text_of(page.text)
    assert re.search(r'href="/ask\?allowance=daily-social&amp;back=', page.text)
    late = await call(setup.person(), "/urgent", sent | {"form": "open meanwhile"})
    assert late.status_code == 409 and "You can take some again tomorrow" in text_of(late.text)
    assert len(setup.inner.grants(0.0)) == 1


async def test_when_they_are_not_needed() -> None:
    """With time left nothing is taken, and the page leads back."""
    setup = UrgentSetup(spent=0.0)
    page = (await call(setup.person(), path(setup))).text
    assert "You still have time" in page and "<form" not in page and "Continue to Facebook" in page
    sent = await form_of(UrgentSetup()) | {"allowance": NAME}
    assert (await call(setup.person(), "/urgent", sent)).status_code == 400
    assert not setup.inner.grants(0.0)


async def test_when_the_rules_give_none() -> None:
    """Neither by this office nor for this role."""
    for urgent in (None, replace(TEN, roles=frozenset({"night"}))):
        setup = UrgentSetup(urgent)
        page = (await call(setup.person(), path(setup))).text
        assert "give you no urgent minutes" in page and "<form" not in page
        sent = await form_of(UrgentSetup())
        assert (await call(setup.person(), "/urgent", sent)).status_code == 400
        assert not setup.inner.grants(0.0)


async def test_another_allowance_than_the_one_that_ran_out() -> None:
    """The page is about what is used up, whatever the link says."""
    setup = UrgentSetup()
    for wanted in ("weekly-video", '"><script>', ""):
        page = (await call(setup.person(), path(setup, wanted))).text
        assert fields(page)["allowance"] == NAME
        assert "<script>" not in page


async def test_a_mistake_is_told_at_its_field() -> None:
    """In the title, and by the field's description; what was typed stays."""
    setup = UrgentSetup()
    sent = await form_of(setup) | {"reason": "<i>" + "x" * LONGEST}
    page = await call(setup.person(), "/urgent", sent)
    assert page.status_code == 400
    assert "<title>Please look again" in page.text
    assert 'aria-describedby="problem who-reads" aria-invalid="true"' in page.text
    assert "&lt;i&gt;xxx" in page.text and not setup.inner.grants(0.0)


async def test_the_ledger_is_away() -> None:
    """A clear answer, and nothing is given."""
    setup = UrgentSetup(ledger=AwayLedger())
    assert (await call(setup.person(), path(setup))).status_code == 503
    sent = await form_of(UrgentSetup())
    page = await call(setup.person(), "/urgent", sent)
    assert page.status_code == 503 and "Nothing was changed" in page.text


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://www.facebook.com"}, SAME | {"Sec-Fetch-Site": "cross-site"}]
)
async def test_other_sites_cannot_take(headers: dict[str, str]) -> None:
    """A form that another site makes a browser send takes nothing, nor does somebody else's."""
    setup = UrgentSetup()
    sent = await form_of(setup)
    assert (await call(setup.person(), "/urgent", sent, headers)).status_code == 403
    assert (await call(setup.person("emil"), "/urgent", sent)).status_code == 403
    assert not setup.inner.grants(0.0)


async def test_in_german() -> None:
    """The page speaks the reader's language where the office offers it; numbers stay what they
    are."""
    page = (await call(NoticeSetup().person(), "/urgent?lang=de")).text
    assert '<html lang="de"' in page
