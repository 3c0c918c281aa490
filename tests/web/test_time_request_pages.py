"""`proxy_addon/web/time_request_pages.py`: asking for more, and what becomes of it."""

from __future__ import annotations

from html import escape

import pytest

from proxy_addon.core.types import Grant
from proxy_addon.ledger.interface import LedgerUnavailable, TimeRequest
from proxy_addon.web.time_request_pages import rows, when
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.admin_setup import RULES, SAME, UP, AdminSetup, call, token
from tests.web.office import MIDNIGHT, NOW, ZONE
from tests.web.test_app import text_of


class UnreachableLedger(MemoryLedger):
    """A ledger that cannot be reached."""

    def ask(self, request: TimeRequest, *, most_open: int) -> bool:
        raise LedgerUnavailable("postgresql://10.0.0.1 does not answer")

    def requests(
        self, *, person: str | None = None, status: str | None = None
    ) -> list[TimeRequest]:
        raise LedgerUnavailable("postgresql://10.0.0.1 does not answer")


async def filled(setup: AdminSetup, **values: str) -> dict[str, str]:
    """The form as dora gets it, filled in."""
    page = await call(setup.person(), "/ask?allowance=weekly-video")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "same-origin"
    assert '<option value="weekly-video" selected>' in page.text
    return {
        "allowance": "daily-social",
        "minutes": "10",
        "reason": "a launch",
        "token": token(page.text),
    } | values


async def test_asking() -> None:
    """Form, redirect, and the request on the person's own page; nobody else's page shows it."""
    setup = AdminSetup()
    answer = await call(setup.person(), "/ask", await filled(setup, reason="  a <b>launch</b> "))
    assert (answer.status_code, answer.headers["location"]) == (303, "/#requests")
    (stored,) = setup.ledger.requests()
    assert (stored.person, stored.allowance, stored.seconds, stored.reason, stored.status) == (
        "dora",
        "daily-social",
        600.0,
        "a <b>launch</b>",
        "open",
    )
    home = await call(setup.person(), "/")
    assert (
        "10 minutes for “Time on limited platforms”, today at 14:50: waits for an answer"
        in text_of(home.text)
    )
    assert escape("a <b>launch</b>") in home.text
    assert "launch" not in (await call(setup.person("emil"), "/")).text
    assert setup.counts.seen == {("daily-social", "asked"): 1}


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"minutes": "<i>5"}, "whole number"),
        ({"allowance": '"><script>'}, "Choose what"),
        ({"reason": ""}, "few words"),
        ({"minutes": "100000"}, "whole number"),
    ],
)
async def test_what_cannot_be_asked(values: dict[str, str], word: str) -> None:
    """It is said what is wrong, and what was typed stays, escaped."""
    setup = AdminSetup()
    answer = await call(setup.person(), "/ask", await filled(setup, **values))
    assert answer.status_code == 400
    assert word in answer.text
    (value,) = values.values()
    assert "<i>" not in answer.text
    assert "<script>" not in answer.text
    assert value == "" or "allowance" in values or f'value="{escape(value)}"' in answer.text
    assert not setup.ledger.requests()


async def test_three_at_a_time() -> None:
    """With three that wait there is no form, and one that comes all the same is not taken."""
    setup = AdminSetup()
    form = await filled(setup)
    for number in range(3):
        setup.asked(number)
    assert "<form" not in (await call(setup.person(), "/ask")).text
    answer = await call(setup.person(), "/ask", form)
    assert answer.status_code == 400
    assert "waiting for an answer" in answer.text
    assert len(setup.ledger.requests()) == 3
    assert not setup.counts.seen


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://www.facebook.com"}, SAME | {"Sec-Fetch-Site": "cross-site"}]
)
async def test_other_sites_cannot_ask(headers: dict[str, str]) -> None:
    """A form that another site makes a browser send is not taken, even with the right token."""
    setup = AdminSetup()
    answer = await call(setup.person(), "/ask", await filled(setup), headers)
    assert answer.status_code == 403
    assert "did not come from our own page" in answer.text
    assert not setup.ledger.requests()


async def test_the_token_is_for_one_person() -> None:
    """What eve was shown is of no use in dora's name."""
    setup = AdminSetup()
    form = await filled(setup)
    assert (await call(setup.person("eve"), "/ask", form)).status_code == 403
    assert (await call(setup.app, "/ask", form)).status_code == 403  # nobody: not through the proxy
    assert not setup.ledger.requests()


async def test_a_device_may_ask() -> None:
    """Somebody known by an address alone may ask for that address."""
    setup = AdminSetup()
    app = setup.person("ip:10.0.7.33", signed_in=False, identified=False)
    page = await call(app, "/ask")
    assert "this device" in page.text
    form = {"allowance": "daily-social", "minutes": "5", "reason": "x", "token": token(page.text)}
    assert (await call(app, "/ask", form)).status_code == 303
    assert setup.ledger.requests()[0].person == "ip:10.0.7.33"


async def test_the_ledger_is_away() -> None:
    """Asking says so, with 503 and without a word about our machines; the person's own page does
    without."""
    setup = AdminSetup(UnreachableLedger())
    sent = {"allowance": "daily-social", "minutes": "1", "reason": "x"}
    sent["token"] = setup.admin_service.tokens.of("dora", now=NOW)
    for form in (None, sent):
        answer = await call(setup.person(), "/ask", form)
        assert answer.status_code == 503
        assert "Nothing was changed" in answer.text
        assert "10.0.0.1" not in answer.text
    for down in (
        setup,
        AdminSetup(UnreachableLedger(), state=UP.__class__(False, 3, None, {}, "away", 0, 0)),
    ):
        home = await call(down.person(), "/")
        assert home.status_code == 200
        assert "Ask for more minutes" in home.text


def test_rows() -> None:
    """What waits and what was answered within a day, newest first, six at most, with its note and
    its end."""
    ledger = MemoryLedger()

    def ask(number: int, created: float = NOW - 100.0) -> None:
        ledger.ask(
            TimeRequest(
                f"r{number}",
                "dora",
                "daily-social",
                60.0,
                f"why {number}",
                "open",
                created + number,
            ),
            most_open=99,
        )

    for number in range(10):
        ask(number, NOW - 2 * 86_400.0)
    for number in range(7):
        ledger.decide(
            f"r{number}", at=NOW - 90_000.0, by="ada", actor="web:ada", grant=None, note="old"
        )
    ledger.decide("r7", at=NOW - 50.0, by="ada", actor="web:ada", grant=None, note="not now")
    for number, until in ((8, MIDNIGHT), (9, NOW - 1.0)):
        given = Grant(f"g{number}", "dora", "daily-social", 60.0, "x", "ada", NOW - 50.0, until)
        ledger.decide(f"r{number}", at=NOW - 50.0, by="ada", actor="web:ada", grant=given)
    ask(10)
    found = rows(ledger.requests(), NOW, RULES)
    assert [(row.reason, row.state, row.tone, row.note) for row in found] == [
        ("why 10", "waits for an answer", "wait", ""),
        ("why 9", "granted; that time is over", "yes", ""),
        ("why 8", "granted until tomorrow, 00:00", "yes", ""),
        ("why 7", "refused", "no", "not now"),
    ]
    assert found[-1].asked == "Saturday, 31 October 2026, 14:50"


def test_when() -> None:
    """Today is called so."""
    assert when(NOW - 60.0, NOW, ZONE) == "today at 14:49"
