"""`proxy_addon/web/notice_pages.py`: reading, confirming and putting off, as a browser does it."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from proxy_addon.core.notices.gate import Meeting
from proxy_addon.core.notices.notice import AskWhen, Version
from tests.web.admin_setup import call
from tests.web.notice_setup import DAY, SOCIAL, NoticeSetup
from tests.web.office import NOW
from tests.web.test_notice_service import FACEBOOK, AwayLedger

THEIRS = {"Origin": "https://evil.example"}


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


async def form_of(setup: NoticeSetup, person: str = "dora") -> dict[str, str]:
    """The fields that somebody's page has."""
    return fields((await call(setup.person(person), "/policy")).text)


async def test_the_page() -> None:
    """Text, facts and contents, a box that is not ticked, what is kept, and that it is no
    signature."""
    page = (await call(NoticeSetup().person(), "/policy")).text
    assert "Why <strong>Example Ltd</strong> has it." in page
    assert "Version 3" in page and "in force since 19 October 2026" in page
    assert "looked after by the people office" in page
    assert '<a href="#images-video">Images &amp; video</a>' in page
    assert 'type="checkbox"' in page and "checked" not in page
    assert "It is not a signature" in page
    assert 'hreflang="de"' in page


async def test_in_another_language() -> None:
    """A link leads to the same text in German, which says so of itself."""
    page = (await call(NoticeSetup().person(), "/policy?lang=de")).text
    assert "Zweck" in page and '<html lang="de"' in page


async def test_confirming() -> None:
    """Without the tick it says what is missing, in the title as well; with it, it is kept, and the
    next page says so."""
    setup = NoticeSetup()
    sent = await form_of(setup) | {"action": "confirm"}
    missed = await call(setup.person(), "/policy", sent)
    assert missed.status_code == 422
    assert "<title>Please look again" in missed.text and 'aria-invalid="true"' in missed.text
    assert not setup.ledger.acknowledgements()
    done = await call(setup.person(), "/policy", sent | {"read": "yes"})
    assert done.status_code == 303
    assert [row.page for row in setup.ledger.acknowledgements()] == ["policy"]
    assert "Thank you" in (await call(setup.person(), done.headers["location"])).text
    assert "You have read it" in (await call(setup.person(), "/policy")).text


async def test_a_confirmation_that_does_not_last() -> None:
    """The page says from when on it is asked again."""
    setup = NoticeSetup(None, replace(SOCIAL, again_after=365 * DAY))
    setup.confirmed("dora", SOCIAL, NOW)
    page = (await call(setup.person(), "/policy/done?notice=social")).text
    assert "nobody asks you again before 2 November 2027" in page
    setup.use(SOCIAL)
    page = (await call(setup.person(), "/policy/done?notice=social")).text
    assert "Nobody asks you again until it changes." in page


async def test_later() -> None:
    """In the grace time, and not after it."""
    setup = NoticeSetup()
    sent = await form_of(setup) | {"action": "later"}
    done = await call(setup.person(), "/policy", sent)
    assert done.status_code == 303
    assert "Later, then" in (await call(setup.person(), done.headers["location"])).text
    setup.gate.book.meet("dora", Meeting("social", 3, NOW - 3 * DAY))
    late = await call(setup.person(), "/policy", sent)
    assert late.status_code == 409 and "cannot be put off" in late.text
    assert 'value="later"' not in (await call(setup.person(), "/policy")).text


@pytest.mark.parametrize("changes", [{"digest": "d2"}, {"notice": "guests"}, {"notice": "x"}])
async def test_a_version_that_is_not_in_force(changes: dict[str, str]) -> None:
    """Nothing is kept, and the page says what to do."""
    setup = NoticeSetup()
    sent = await form_of(setup) | {"action": "confirm", "read": "yes"} | changes
    answer = await call(setup.person(), "/policy", sent)
    assert answer.status_code == 409 and "not in force any more" in answer.text
    assert not setup.ledger.acknowledgements()


async def test_from_another_site_and_for_somebody_else() -> None:
    """Neither is taken."""
    setup = NoticeSetup()
    sent = await form_of(setup) | {"action": "confirm", "read": "yes"}
    assert (await call(setup.person(), "/policy", sent, THEIRS)).status_code == 403
    assert (await call(setup.person(), "/policy", sent, {})).status_code == 403
    assert (await call(setup.person("ada"), "/policy", sent)).status_code == 403
    assert not setup.ledger.acknowledgements()


async def test_nobody_is_signed_in() -> None:
    """The text without a form; a form is refused all the same."""
    setup = NoticeSetup()
    device = setup.person("ip:10.0.7.33", signed_in=False)
    page = (await call(device, "/policy")).text
    assert "Nobody is signed in here" in page and "<form" not in page
    token = fields((await call(setup.person("ip:10.0.7.33"), "/policy")).text)["token"]
    sent = {"token": token, "notice": "social", "digest": "d3", "read": "yes"}
    assert (await call(device, "/policy", sent)).status_code == 403
    assert not setup.ledger.acknowledgements()


async def test_the_ledger_is_away() -> None:
    """The fault is ours, nothing is closed, and the form is still there."""
    setup = NoticeSetup(AwayLedger())
    sent = await form_of(setup) | {"action": "confirm", "read": "yes"}
    answer = await call(setup.person(), "/policy", sent)
    assert answer.status_code == 503
    assert "The fault is ours" in answer.text and "<form" in answer.text


async def test_a_policy_of_another_name() -> None:
    """A link to one that was renamed does not say that there is none at all."""
    answer = await call(NoticeSetup().person(), "/policy?notice=renamed")
    assert answer.status_code == 404
    assert "There is no such policy" in answer.text and 'href="/policy"' in answer.text


async def test_the_way_back() -> None:
    """The button names the platform, and the page after it goes on by itself, for whoever has
    confirmed or put it off; a value that is not ours is not passed on."""
    setup = NoticeSetup()
    sealed = setup.seal.seal(FACEBOOK, "dora", NOW)
    page = (await call(setup.person(), f"/policy?back={sealed}")).text
    assert "Confirm and continue to Facebook" in page and fields(page)["back"] == sealed
    early = await call(setup.person(), f"/policy/done?back={sealed}")
    assert (early.status_code, early.headers["location"]) == (303, f"/policy?back={sealed}")
    setup.confirmed("dora", SOCIAL, NOW)
    done = (await call(setup.person(), f"/policy/done?back={sealed}")).text
    assert f'content="0; url={FACEBOOK}"' in done
    other = (await call(setup.person("ada"), f"/policy?back={sealed}")).text
    assert fields(other)["back"] == "" and "Facebook" not in other
    assert "http-equiv" not in (await call(setup.person(), "/policy/done?back=x")).text


async def test_after_a_new_version() -> None:
    """What is new since theirs, and which one they confirmed when."""
    setup = NoticeSetup()
    setup.confirmed("dora", replace(SOCIAL, version=Version(2), digest="d2"), NOW - 40 * DAY)
    page = (await call(setup.person(), "/policy")).text
    assert "The part about images." in page and "Version 2, on" in page
    assert "The part about images." not in (await call(setup.person("ada"), "/policy")).text


async def test_without_a_policy() -> None:
    """The page says that there is none; so does one that is for others."""
    setup = NoticeSetup()
    setup.use(replace(SOCIAL, roles=frozenset({"guest"})))
    assert "no written policy" in (await call(setup.person(), "/policy")).text.lower()
    assert "no written policy" in (await call(setup.person(), "/policy?notice=social")).text.lower()


async def test_a_policy_that_nobody_is_asked_about() -> None:
    """It can be read, and there is no form."""
    setup = NoticeSetup(None, replace(SOCIAL, ask=AskWhen.OFF))
    page = (await call(setup.person(), "/policy")).text
    assert "Example Ltd" in page and "<form" not in page
