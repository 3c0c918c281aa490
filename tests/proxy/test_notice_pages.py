"""`proxy_addon/proxy/notice_pages.py`: each kind of request that meets the policy gets the form
that it can use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy_addon.core.notices.gate import Confirmation, Need, Standing
from proxy_addon.core.notices.notice import Notice, NoticeText, Office, Version
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.types import Decision, Person, Reason, Verdict
from proxy_addon.identity.identification import Identity
from proxy_addon.metering.notice_gate import Gated
from proxy_addon.proxy import page_context
from proxy_addon.proxy.notice_pages import gate_answer
from proxy_addon.proxy.responses.responses import Answer, RequestInfo
from proxy_addon.system.sealing import Sealer
from tests.proxy.harness import NOON, PAGE, ProxyHarness, breaks, request
from tests.proxy.responses.samples import ASK, fields, links_of, text_of

NOTICE = Notice(
    "social",
    Version(3),
    {
        "en": NoticeText("en", "Social media", "Be kind.", (), ("You have {{ allowance }}.", "")),
        "de": NoticeText("de", "Soziale Medien", "Freundlich.", (), ("Kurz.",)),
    },
    "d3",
    grace=3 * 86_400.0,
)
UNREAD = Decision(Verdict.BLOCK, Reason.ACKNOWLEDGE, "facebook", None, "A little every day")
DORA = Person("dora", ("staff",))
SEAL = Sealer(b"the key of the CA", "way back")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ProxyHarness]:
    """An office with a policy in two languages."""
    made = ProxyHarness(tmp_path)
    made.services = made.services._replace(way_back=SEAL)
    rules = replace(made.rules, notices=(NOTICE,), office=Office("Example Ltd", "", ("en", "de")))
    made.enforcer.use(CompiledPolicy.of(rules))
    yield made
    made.close()


def answer(office: ProxyHarness, ask: RequestInfo = ASK, need: Need = Need.ASKED) -> Answer:
    """What dora gets."""
    gated = Gated(UNREAD, NOTICE, Standing(need, NOON + 86_400.0))
    context = page_context.context(office.services, Identity("dora", True, "device"), UNREAD)
    return gate_answer(office.services, ask, DORA, gated, context)


def test_while_it_is_not_known(office: ProxyHarness) -> None:
    """The ledger is away and the rules refuse then: the page says what cannot be looked up, that
    the fault is ours, and offers nothing to confirm."""
    decision = replace(UNREAD, reason=Reason.UNAVAILABLE)
    gated = Gated(decision, NOTICE, Standing(Need.DUE, NOON))
    context = page_context.context(office.services, Identity("dora", True, "device"), decision)
    found = gate_answer(office.services, ASK, DORA, gated, context)
    assert fields(found)["x-allowance-reason"] == "unavailable"
    assert "whether you have confirmed our policy" in text_of(found)
    assert "The fault is ours" in text_of(found) and b"<form" not in found.body


def test_a_page(office: ProxyHarness) -> None:
    """The summary with the reader's own minutes, and a way back that is sealed for them."""
    found = answer(office)
    assert "You have 15 minutes a day." in text_of(found)
    sealed = next(link for link in links_of(found) if "back=" in link).partition("back=")[2]
    assert SEAL.open(sealed, "dora", NOON, 60.0) == ASK.url
    assert SEAL.open(sealed, "emil", NOON, 60.0) is None


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"dest": "iframe"}, "text/html; charset=utf-8"),
        ({"dest": "empty", "mode": "cors", "accept": "*/*"}, "application/problem+json"),
        ({"dest": "image", "mode": "no-cors", "accept": "image/*"}, None),
    ],
)
def test_what_is_no_page(office: ProxyHarness, changes: dict[str, str], kind: str | None) -> None:
    """A frame, a script and an image get the refusal of their kind, without a form and without a
    way back."""
    found = answer(office, ASK._replace(**changes), Need.DUE)
    sent = fields(found)
    assert (found.status, sent["x-allowance-reason"]) == (403, "acknowledge")
    assert sent.get("content-type") == kind
    assert b"<form" not in found.body and b"back=" not in found.body


@pytest.mark.parametrize("where", ["gate_answer", "pages.context"])
async def test_a_page_that_cannot_be_made(
    office: ProxyHarness, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """What was refused stays refused, with the reason, and the failure is counted."""
    monkeypatch.setattr(f"proxy_addon.proxy.requests.{where}", breaks)
    office.enforcer.gate.book.is_known = True
    flow = request("http://www.facebook.com/", headers=PAGE)
    flow.client_conn.peername = ("127.0.3.1", 50_000)
    await office.addon.requestheaders(flow)
    assert flow.response is not None
    assert flow.response.status_code in (403, 503)
    assert office.counted("errors_total", where="requestheaders") == 1


def test_only_get_has_a_way_back(office: ProxyHarness) -> None:
    """A link would not send again what somebody sent."""
    found = answer(office, ASK._replace(method="POST"))
    assert found.status == 403
    assert not [link for link in links_of(found) if "back=" in link]


def test_in_the_readers_language(office: ProxyHarness) -> None:
    """As the browser wishes and the office offers."""
    found = answer(office, ASK._replace(languages="de-DE,de;q=0.9"))
    assert b'<html lang="de"' in found.body and "Soziale Medien" in text_of(found)
    assert b'<html lang="en"' in answer(office, ASK._replace(languages="fr")).body


def test_who_has_read_an_earlier_one(office: ProxyHarness) -> None:
    """Is told which."""
    earlier = Confirmation("social", Version(2), "d2", NOON - 86_400.0)
    other = Confirmation("guests", Version(9), "g9", NOON)
    for each in (earlier, other):
        office.enforcer.gate.book.confirm("dora", each)
    assert "You have read version 2." in text_of(answer(office))
