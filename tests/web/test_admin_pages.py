"""`proxy_addon/web/admin_pages.py`: who gets in, what is shown, what is decided and what leaves a
trace."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from proxy_addon.core.types import Grant
from proxy_addon.ledger.interface import AuditEntry, LedgerUnavailable, TimeRequest, Total
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.admin_setup import NAMES, SAME, AdminSetup, call, token
from tests.web.office import MIDNIGHT, NOW, visit
from tests.web.test_app import text_of


class UnreachableLedger(MemoryLedger):
    """A ledger that cannot be reached."""

    def requests(
        self, *, person: str | None = None, status: str | None = None
    ) -> Sequence[TimeRequest]:
        raise LedgerUnavailable("away")

    def totals(self, start: float, end: float) -> Sequence[Total]:
        raise LedgerUnavailable("away")

    def audit(self, entry: AuditEntry) -> None:
        raise LedgerUnavailable("away")


async def form(setup: AdminSetup, name: str = "ada", **fields: str) -> dict[str, str]:
    """A form of the admin page, filled in."""
    page = await call(setup.person(name), "/admin")
    assert page.status_code == 200, page.text
    return fields | {"token": setup.admin_service.tokens.of(name, now=NOW)}


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/admin", None), ("/admin/unmasked", None), ("/admin/requests", {}), ("/admin/unmask", {})],
)
@pytest.mark.parametrize(
    ("name", "signed_in", "word"),
    [("dora", True, "role admin"), ("ada", False, "sign in"), ("eve", False, "sign in")],
)
async def test_only_administrators_who_signed_in(
    path: str, fields: dict[str, str] | None, name: str, signed_in: bool, word: str
) -> None:
    """Others get 403 and read which role is needed, and an administrator's address alone is not
    enough."""
    setup = AdminSetup(pseudonyms=True)
    setup.asked()
    answer = await call(setup.person(name, signed_in=signed_in), path, fields)
    assert answer.status_code == 403
    assert "For administrators only" in answer.text
    assert word in answer.text
    assert "role admin" in answer.text
    assert "a launch" not in answer.text


async def test_the_page() -> None:
    """Rules, parts, tried-out rules and totals, without a person in them; strict headers;
    everything escaped."""
    problems = ("rules/policy.yaml:3:5: unknown-key: 'x<y' is not known",)
    setup = AdminSetup(problems=problems)
    setup.inner.write_visits([visit("facebook", 60, 5), visit("youtube", 30, 20, None)])
    answer = await call(setup.person("ada"), "/admin")
    shown = text_of(answer.text)
    assert answer.status_code == 200
    for part in (
        "3f9ad2c1b7e0",
        "today at 13:50",
        "2 rules, 1 allowance, 3 roles, 1 of 3 platforms limited",
        problems[0],
        "Ledger ok",
        "Journal empty",
        "one of 2",
        "block nothing: Tried <b>out</b>",
        "would have blocked 7 requests",
        "Tried <b>out</b> YouTube staff 7",
        "1 person",
        "YouTube 20 minutes",
        "Facebook 5 minutes",
        "Free of charge 20 minutes",
        "Time on limited platforms 5 minutes",
        "No requests are waiting for an answer",
    ):
        assert part in shown, part
    assert "<b>out" not in answer.text
    assert "dora" not in shown
    assert "Who is it?" not in shown
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in answer.text
    assert '<a href="/admin">' in (await call(setup.person("ada"), "/")).text
    assert '<a href="/admin">' not in (await call(setup.person("dora"), "/")).text


async def test_approving() -> None:
    """A yes is a grant until the period ends, audited, told at once to the writer, and counted;
    once."""
    setup = AdminSetup()
    setup.asked(reason="<script>alert(1)</script>")
    page = await call(setup.person("ada"), "/admin")
    assert "<script>" not in page.text
    assert page.text.index('value="refuse"') < page.text.index(
        'value="approve"'
    )  # Enter in the note says no
    sent = {"request": "r1", "verb": "approve", "token": token(page.text)}
    answer = await call(setup.person("ada"), "/admin/requests", sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin?done=granted")
    (grant,) = setup.ledger.grants(0.0)
    assert (grant.person, grant.seconds, grant.granted_by, grant.expires) == (
        "dora",
        600.0,
        "ada",
        MIDNIGHT,
    )
    assert [(each.actor, each.action) for each in setup.ledger.audit_log()] == [
        ("web:ada", "grant")
    ]
    assert setup.woken == 1
    assert "Granted" in (await call(setup.person("ada"), "/admin?done=granted")).text
    again = await call(
        setup.person("abe"),
        "/admin/requests",
        sent | {"token": setup.admin_service.tokens.of("abe", now=NOW)},
    )
    assert again.status_code == 400
    assert "already been answered" in again.text
    assert len(setup.ledger.grants(0.0)) == 1
    assert setup.counts.seen == {("daily-social", "granted"): 1}


async def test_refusing() -> None:
    """A no needs a note, which the person reads."""
    setup = AdminSetup()
    setup.asked()
    sent = await form(setup, request="r1", verb="refuse", note=" ")
    silent = await call(setup.person("ada"), "/admin/requests", sent)
    assert silent.status_code == 400
    assert "why not" in silent.text
    answer = await call(
        setup.person("ada"), "/admin/requests", sent | {"note": "after <i>lunch</i>"}
    )
    assert answer.headers["location"] == "/admin?done=refused"
    assert "after &lt;i&gt;lunch&lt;/i&gt;" in (await call(setup.person(), "/")).text
    assert not setup.ledger.grants(0.0)
    assert setup.counts.seen == {("daily-social", "refused"): 1}


@pytest.mark.parametrize(
    "fields", [{"request": "r9", "verb": "approve"}, {"request": "r1", "verb": "burn"}, {}]
)
async def test_nonsense_decides_nothing(fields: dict[str, str]) -> None:
    """Unknown requests and verbs are told, and change nothing."""
    setup = AdminSetup()
    setup.asked()
    answer = await call(setup.person("ada"), "/admin/requests", await form(setup, **fields))
    assert answer.status_code == 400
    assert setup.ledger.requests(status="open")


async def test_not_about_oneself() -> None:
    """Nobody decides about their own request, under their name or their pseudonym."""
    for pseudonyms in (False, True):
        setup = AdminSetup(pseudonyms=pseudonyms)
        setup.asked(person="ada")
        assert "your own request" in (await call(setup.person("ada"), "/admin")).text
        sent = await form(setup, request="r1", verb="approve")
        answer = await call(setup.person("ada"), "/admin/requests", sent)
        assert answer.status_code == 400
        assert "Somebody else" in answer.text
        assert not setup.ledger.grants(0.0)


@pytest.mark.parametrize("path", ["/admin/requests", "/admin/unmask"])
async def test_other_sites_cannot_decide(path: str) -> None:
    """Neither another site nor a form without this administrator's token changes anything."""
    setup = AdminSetup(pseudonyms=True)
    setup.asked()
    sent = await form(setup, request="r1", verb="approve", pseudonym=NAMES.of("dora"), reason="x")
    for headers, fields in (
        ({"Origin": "https://evil.example"}, sent),
        ({}, sent),
        (SAME, sent | {"token": setup.admin_service.tokens.of("abe", now=NOW)}),
    ):
        assert (await call(setup.person("ada"), path, fields, headers)).status_code == 403
    assert setup.ledger.requests(status="open")
    assert not setup.ledger.audit_log()


async def test_the_ledger_is_away() -> None:
    """The page says so with 503 and shows what memory knows; decisions are not taken."""
    setup = AdminSetup(UnreachableLedger(), pseudonyms=True)
    page = await call(setup.person("ada"), "/admin")
    assert page.status_code == 503
    assert "is not available right now" in page.text
    assert "3f9ad2c1b7e0" in page.text
    sent = {"token": setup.admin_service.tokens.of("ada", now=NOW)}
    for path, fields in (
        ("/admin/requests", {"request": "r1", "verb": "approve"}),
        ("/admin/unmask", {"pseudonym": NAMES.of("dora"), "reason": "x"}),
    ):
        answer = await call(setup.person("ada"), path, sent | fields)
        assert answer.status_code == 503
        assert "dora" not in answer.text


async def test_unmasking() -> None:
    """First the audit with the reason, then the name, for that administrator and for a minute or
    two."""
    setup = AdminSetup(pseudonyms=True)
    hidden = NAMES.of("dora")
    sent = await form(setup, pseudonym=hidden, reason="a complaint")
    answer = await call(setup.person("ada"), "/admin/unmask", sent)
    assert answer.status_code == 303
    (entry,) = setup.inner.audit_log(subject=hidden)
    assert (entry.action, entry.actor, entry.detail) == (
        "unmask",
        f"web:{NAMES.of('ada')}",
        "a complaint",
    )
    shown = await call(setup.person("ada"), answer.headers["location"])
    assert "dora" in text_of(shown.text)
    assert len(setup.inner.audit_log()) == 1
    for path in (
        answer.headers["location"].replace(
            hidden.replace(":", "%3A"), NAMES.of("ada").replace(":", "%3A")
        ),
        f"/admin/unmasked?pseudonym={hidden}",
    ):
        assert (await call(setup.person("ada"), path)).status_code == 403
    assert (await call(setup.person("abe"), answer.headers["location"])).status_code == 403


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"pseudonym": "dora", "reason": "x"}, "not a pseudonym"),
        ({"pseudonym": NAMES.of("dora"), "reason": " "}, "say why"),
    ],
)
async def test_unmasking_needs_a_reason(fields: dict[str, str], word: str) -> None:
    """Without a reason, or for what is not a pseudonym, nothing is looked for."""
    setup = AdminSetup(pseudonyms=True)
    answer = await call(setup.person("ada"), "/admin/unmask", await form(setup, **fields))
    assert answer.status_code == 400
    assert word in answer.text
    assert not setup.inner.audit_log()


async def test_where_names_are_kept() -> None:
    """Without pseudonyms there is nothing to unmask."""
    setup = AdminSetup()
    sent = await form(setup, pseudonym=NAMES.of("dora"), reason="x")
    answer = await call(setup.person("ada"), "/admin/unmask", sent)
    assert answer.status_code == 400
    assert not setup.ledger.audit_log()


async def test_somebody_unknown() -> None:
    """A pseudonym of nobody here is told as that."""
    setup = AdminSetup(pseudonyms=True)
    sent = await form(setup, pseudonym=NAMES.of("zoe"), reason="x")
    answer = await call(setup.person("ada"), "/admin/unmask", sent)
    assert "Not known here" in (await call(setup.person("ada"), answer.headers["location"])).text


async def test_problems_stand_at_their_field() -> None:
    """What is wrong with a form is told at the field and in the title; what belongs to no field
    that is shown, above all."""
    setup = AdminSetup(pseudonyms=True)
    setup.asked()
    for path, fields, marked in (
        ("/admin/unmask", {"pseudonym": "dora", "reason": "why"}, 'name="pseudonym" type="text"'),
        ("/admin/unmask", {"pseudonym": NAMES.of("dora"), "reason": ""}, 'type="text"'),
        ("/admin/requests", {"request": "r1", "verb": "refuse", "note": " "}, 'name="note"'),
    ):
        answer = await call(setup.person("ada"), path, await form(setup, **fields))
        assert answer.status_code == 400
        assert "<title>Please look again · Administration" in answer.text
        assert answer.text.count(' aria-invalid="true" aria-describedby="problem"') == 1
        assert marked in answer.text.split(' aria-invalid="true"')[0][-40:]
        assert answer.text.count('id="problem"') == 1
    gone = await form(setup, request="r9", verb="approve")
    answer = await call(setup.person("ada"), "/admin/requests", gone)
    assert "aria-describedby" not in answer.text
    assert '<p class="wrong" role="alert">' in answer.text


async def test_urgent_minutes_of_today_are_shown() -> None:
    """Who took how much of what, when and what for, escaped; not those of yesterday, and not what
    somebody was granted."""
    setup = AdminSetup()
    for number, created in (("urgent-1", NOW - 60), ("urgent-2", NOW - 86_400), ("g3", NOW)):
        taken = Grant(
            number, "dora", "daily-social", 600.0, f"<b>{number}", "dora", created, MIDNIGHT
        )
        setup.ledger.add_grant(taken, actor="web:dora")
    page = (await call(setup.person("ada"), "/admin")).text
    assert "took <strong>10 minutes</strong>" in page and "&lt;b&gt;urgent-1" in page
    assert "urgent-2" not in page and "g3" not in page
