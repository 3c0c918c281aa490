"""`proxy_addon/web/admin_policy_pages.py`: who gets in, what is shown without names, and names only
after a reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from urllib.parse import urlencode

import httpx
import pytest

from proxy_addon.ledger.interface import Acknowledgement, AuditEntry, LedgerUnavailable
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.admin_setup import NAMES, TOKENS, AdminSetup, call
from tests.web.office import NOW
from tests.web.policy_office import GUESTS, SOCIAL, UNREAD, WITH_POLICY, policy_setup
from tests.web.test_app import text_of

PATH = "/admin/policy"


class AwayLedger(MemoryLedger):
    """A ledger that cannot be reached."""

    def acknowledgements(
        self, *, person: str | None = None, notice: str | None = None
    ) -> Sequence[Acknowledgement]:
        raise LedgerUnavailable("away")

    def audit(self, entry: AuditEntry) -> None:
        raise LedgerUnavailable("away")


class NoAuditLedger(MemoryLedger):
    """A ledger whose audit takes nothing."""

    def audit(self, entry: AuditEntry) -> None:
        raise LedgerUnavailable("full")


async def shown(setup: AdminSetup, path: str = PATH, status: int = 200) -> str:
    """The words of a page that ada opens."""
    answer = await call(setup.person("ada"), path)
    assert answer.status_code == status, answer.text
    return text_of(answer.text)


async def sent(setup: AdminSetup, path: str, name: str = "ada", **fields: str) -> httpx.Response:
    """What a form of these pages is answered with."""
    token = {"token": TOKENS.of(name, now=NOW), "notice": SOCIAL.name}
    return await call(setup.person(name), path, token | fields)


def looks(setup: AdminSetup) -> list[AuditEntry]:
    """The looks in the audit."""
    return [each for each in setup.inner.audit_log() if each.action == "policy"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (PATH, None),
        (f"{PATH}/names", None),
        (f"{PATH}/remind", None),
        (f"{PATH}/compare", None),
        (f"{PATH}/names", {}),
        (f"{PATH}/remind", {}),
    ],
)
@pytest.mark.parametrize(
    ("name", "signed_in"), [("bella", True), ("ada", False)], ids=["staff", "address"]
)
async def test_only_administrators_who_signed_in(
    path: str, fields: dict[str, str] | None, name: str, signed_in: bool
) -> None:
    """Others get 403 and see nothing; no look is recorded, because there was none."""
    setup = policy_setup()
    answer = await call(setup.person(name, signed_in=signed_in), path, fields)
    assert answer.status_code == 403
    assert "For administrators only" in answer.text
    assert not looks(setup)


async def test_the_page() -> None:
    """How many have read it, by role, how far the others are, the versions; no name of anybody."""
    page = await shown(policy_setup())
    for part in (
        "Example Ltd · Allowance",
        "ada · admin",
        "11 of 16 have read version 3",
        "2 have no time left",
        "2 have met it and can put it off; the last of these times ends on Thursday at 02:50",
        "1 has not met it yet.",
        "for care, marketing and staff",
        "guests (0 of 1)",
        "Remind 5 people",
        "care 2 of 4",
        "staff 8 of 11",
        "3 in force 27 Oct 2026 11 everybody is asked again · compare",
        "2.1 23 Sept 2026 0 nobody is asked again · compare",
        "the first that is kept",
        "Record in the audit log and show",
    ):
        assert part in page, part
    assert not [name for name in UNREAD if name in page]
    other = await shown(policy_setup(), f"{PATH}?notice=guests")
    assert "0 of 1 has read version 1" in other
    assert "shown once for each version" in other
    assert "There is no such policy" in await shown(policy_setup(), f"{PATH}?notice=nope", 404)


async def test_other_states() -> None:
    """Everybody has read it; no policy; the ledger away: each has its words."""
    assert "All 16 have read version 3" in await shown(policy_setup(read_by=16))
    assert "Remind" not in await shown(policy_setup(read_by=16))
    for path in (PATH, f"{PATH}/remind"):
        assert "No written policy is in force" in await shown(AdminSetup(), path)
    away = AdminSetup(AwayLedger(), rules=WITH_POLICY)
    for path in (PATH, f"{PATH}/remind", f"{PATH}/compare"):
        await shown(away, path, 503)
    assert (await sent(away, f"{PATH}/names", reason="why")).status_code == 503


async def test_names() -> None:
    """After a reason: recorded with who asked, then shown for a minute, to this administrator
    alone, without another entry."""
    setup = policy_setup()
    answer = await sent(setup, f"{PATH}/names", reason=" Reminding \n them ")
    assert answer.status_code == 303
    assert looks(setup) == [
        AuditEntry(
            NOW,
            "web:ada",
            "policy",
            "everybody",
            "who has not read social-media 3 (5): Reminding them",
        )
    ]
    where = answer.headers["location"]
    page = await shown(setup, where)
    assert all(name in page for name in UNREAD)
    assert "hal staff version 2, 23 Sept 2026 no time left" in page
    assert "jonas staff version 2, 23 Sept 2026 has not met it yet" in page
    assert "bella" not in page
    assert len(looks(setup)) == 1
    assert (
        await call(setup.person("ada"), where.replace("social-media", "guests"))
    ).status_code == 403
    assert (await call(setup.person("ada"), f"{PATH}/names?notice=social-media")).status_code == 403


@pytest.mark.parametrize("path", [f"{PATH}/names", f"{PATH}/remind"])
async def test_no_reason_no_names(path: str) -> None:
    """Without a reason, or with one that is too long, the page comes again with the problem at its
    field and in its title; nothing is recorded and nobody named."""
    setup = policy_setup()
    for reason in ("  ", "x" * 241):
        answer = await sent(setup, path, reason=reason)
        assert answer.status_code == 422
        assert "<title>Please look again" in answer.text
        assert 'aria-invalid="true" aria-describedby="problem"' in answer.text
        assert not [name for name in UNREAD if name in text_of(answer.text)]
    assert not looks(setup)
    assert (await sent(setup, path, reason="why", notice="nope")).status_code == 404
    assert (await sent(setup, path, reason="why", token="no")).status_code == 403
    assert not looks(setup)


@pytest.mark.parametrize("path", [f"{PATH}/names", f"{PATH}/remind"])
async def test_no_audit_no_names(path: str) -> None:
    """While the look cannot be recorded nobody is named."""
    answer = await sent(AdminSetup(NoAuditLedger(), rules=WITH_POLICY), path, reason="why")
    assert answer.status_code == 503
    assert "bella" not in answer.text


async def test_tables() -> None:
    """Who has not read it, and a reminder for each, as files for spreadsheets; each is recorded."""
    setup = policy_setup()
    answer = await sent(setup, f"{PATH}/names", reason="why", **{"as": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="social-media-not-read.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == sorted(UNREAD)
    assert rows[2]["state"] == "overdue"
    answer = await sent(setup, f"{PATH}/remind", reason="why")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0]["text"].startswith("Hello cora,")
    assert len(looks(setup)) == 2


async def test_behind_pseudonyms() -> None:
    """Counts are the same; after a reason names are told where this host knows them."""
    setup = policy_setup(pseudonyms=True)
    assert "11 of 16 have read version 3" in await shown(setup)
    hidden = NAMES.of("zed")
    setup.inner.acknowledge(Acknowledgement(hidden, SOCIAL.name, "2", "22" * 32, NOW - 60, "gate"))
    answer = await sent(setup, f"{PATH}/names", reason="why")
    page = await shown(setup, answer.headers["location"])
    assert "hal" in page
    assert hidden in page
    (look,) = looks(setup)
    assert look.actor == f"web:{NAMES.of('ada')}"


async def test_reminders() -> None:
    """A text in each language of the office in which the policy is there, the address, and a link
    that begins an e-mail; nobody is named, and nothing recorded."""
    setup = policy_setup()
    answer = await call(setup.person("ada"), f"{PATH}/remind")
    page = text_of(answer.text)
    assert "Remind 5 people" in page
    assert "http://allowance.internal/policy?notice=social-media" in page
    assert 'value="Please read: Social media at work, version 3"' in answer.text
    assert "mailto:?subject=Please%20read%3A%20Social%20media" in answer.text
    assert 'id="text-de"' in answer.text
    assert not [name for name in UNREAD if name in page]
    assert not looks(setup)
    assert "There is nobody to remind" in await shown(policy_setup(read_by=16), f"{PATH}/remind")


async def test_comparing() -> None:
    """What was taken out and put in, by language; a version that there is not is a 404."""
    setup = policy_setup()
    query = {"notice": SOCIAL.name, "old": "2", "new": "3"}
    answer = await call(setup.person("ada"), f"{PATH}/compare?{urlencode(query)}")
    words = text_of(answer.text)
    assert "Social media at work What has changed from version 2 to version 3" in words
    assert "<ins>Say so when a picture or a voice was made by a machine.</ins>" in answer.text
    assert "<del>Call marketing.</del>" in answer.text
    assert "Call marketing and your team lead at once: {{ contact }}." in words
    assert "Deutsch No words have changed." in words
    for wrong in ({"old": "9"}, {"notice": GUESTS.name}, {"new": ""}):
        await shown(setup, f"{PATH}/compare?{urlencode(query | wrong)}", 404)


async def test_navigation() -> None:
    """From each page of administrators to the others and to one's own time; how many requests
    wait is told, and the address of the requests opens them."""
    setup = policy_setup()
    setup.asked(person="bella")
    for path in ("/admin", "/admin/requests", PATH, f"{PATH}/remind"):
        answer = await call(setup.person("ada"), path)
        assert answer.status_code == 200
        words = text_of(answer.text)
        assert "Requests (1) Policy My own time" in words
        assert 'aria-current="page"' in answer.text
