"""`proxy_addon/proxy/page_context.py`: what a page knows of its reader, and how the employee page
is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mitmproxy.addons import asgiapp
from mitmproxy.test import taddons

from proxy_addon.core.types import Decision, Reason, Verdict
from proxy_addon.identity.identification import Identity
from proxy_addon.proxy import page_context as pages
from proxy_addon.proxy.responses.responses import RequestInfo, block
from proxy_addon.system.sealing import Sealer
from tests.proxy.harness import NOON, ProxyHarness, request

SPENT = Decision(
    Verdict.BLOCK, Reason.EXHAUSTED, "facebook", None, "A little every day", "short", 0.0
)


def test_context(harness: ProxyHarness) -> None:
    """Name, roles, title and balance; without somebody only what is true for everybody."""
    harness.spend("dora", 300.0)
    context = pages.context(harness.services, Identity("dora", True, "device"), SPENT)
    assert (context.person, context.roles, context.platform_title) == (
        "dora",
        ("staff",),
        "Facebook",
    )
    assert context.balance is not None
    assert (context.balance.spent, context.now) == (300.0, NOON)
    assert (context.ask_url("short") or "").endswith("/ask?allowance=short")
    nobody = pages.context(harness.services, None, SPENT)
    assert (nobody.person, nobody.roles, nobody.balance) == (None, (), None)
    unlimited = pages.context(
        harness.services, Identity("dora", True, "device"), Decision(Verdict.BLOCK, Reason.BLOCKED)
    )
    assert (unlimited.balance, unlimited.platform_title) == (None, None)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a%20b/c?x=1%262&y=%3F", "/a b/c", b"x=1%262&y=%3F"),
        ("/", "/", b""),
        ("/?", "/", b""),
        ("/%C3%BC?q=%C3%BC", "/ü", b"q=%C3%BC"),
    ],
)
async def test_for_person(target: str, path: str, query: bytes) -> None:
    """The application sees path and query as the client wrote them, and the person that the proxy
    found."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    flow = request("http://allowance.internal/", headers={"X-Allowance-Person": "eve"})
    flow.request.path = target
    flow.response = None
    flow.metadata |= {
        "allowance_person": "dora",
        "allowance_identified": True,
        "allowance_signed_in": False,
    }
    with taddons.context():
        await asgiapp.serve(pages.for_person(app, flow), flow)
    assert (seen["path"], seen["query_string"], seen["scheme"]) == (path, query, "http")
    assert seen["extensions"] == {
        "allowance.person": {
            "name": "dora",
            "identified": True,
            "address": "127.0.0.1",
            "reached": "127.0.0.1",
            "port": 8080,
            "signed_in": False,
            "newcomer": False,
            "direct": False,
        }
    }


ASK = RequestInfo("GET", "https://www.facebook.com/a?b=1", "www.facebook.com", "document")
DORA = Identity("dora", True, "device")


def test_the_outlook(harness: ProxyHarness) -> None:
    """When it opens next, and the way back for what a link can repeat."""
    harness.spend("dora", 900.0)
    way_back = Sealer(b"k", "way back")
    services = harness.services._replace(way_back=way_back)
    context = pages.context(services, DORA, SPENT, ASK)
    assert context.looked_ahead
    assert context.opening is not None and context.opening.at > NOON
    assert way_back.open(context.back, "dora", NOON, 60.0) == ASK.url
    for other in (ASK._replace(method="POST"), ASK._replace(dest="iframe"), None):
        assert pages.context(services, DORA, SPENT, other).back == ""
    assert pages.context(harness.services, DORA, SPENT, ASK).back == ""
    unknown = replace(SPENT, reason=Reason.UNAVAILABLE)
    assert not pages.context(services, DORA, unknown, ASK).looked_ahead


def test_a_failure_takes_nothing_but_the_outlook(
    harness: ProxyHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal stays what it is, with the instant of the decision; the failure is counted."""

    def broken(*given: object) -> None:
        raise RuntimeError("the outlook is broken")

    monkeypatch.setattr(harness.services.enforcer.next_openings, "next", broken)
    late = replace(SPENT, until=NOON + 600.0)
    context = pages.context(harness.services, DORA, late, ASK)
    assert (context.looked_ahead, context.opening) == (False, None)
    assert context.balance is not None
    headers = dict(block(ASK, late, context).headers)
    assert headers["Retry-After"] == "600"
