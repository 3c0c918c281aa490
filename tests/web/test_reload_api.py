"""`POST /api/reload`."""

from __future__ import annotations

import httpx
import pytest

from proxy_addon.rules.active import Outcome
from proxy_addon.system.health import FINE, degraded
from proxy_addon.web.app import web_app
from proxy_addon.web.interface import Health
from tests.web.office import FixedProxyState


async def post(
    office: FixedProxyState, client: str = "127.0.0.1", **headers: str
) -> httpx.Response:
    """The answer to a client at an address."""
    transport = httpx.ASGITransport(web_app(office), client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as browser:
        return await browser.post("/api/reload", headers=headers)


@pytest.mark.parametrize("changed", [True, False])
async def test_what_came_of_it(changed: bool) -> None:
    """200 with the digest in force."""
    answer = await post(FixedProxyState(outcome=Outcome(changed, "abc")))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == {
        "ok": True,
        "changed": changed,
        "digest": "abc",
        "problems": [],
        "warnings": [],
    }


async def test_broken_rules() -> None:
    """422 with every problem."""
    answer = await post(FixedProxyState(outcome=Outcome(False, "abc", ("a", "b"), ("x", "y"))))
    assert answer.status_code == 422
    assert answer.json() == {
        "ok": False,
        "changed": False,
        "digest": "abc",
        "problems": ["a", "b"],
        "warnings": [],
    }


async def test_what_only_a_running_proxy_knows() -> None:
    """The rules are in force, and something about them needs a person."""
    state = Health(True, {"rules": degraded("the written policy is older"), "ledger": FINE})
    answer = await post(FixedProxyState(state=state))
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    assert answer.json()["warnings"] == ["the written policy is older"]


@pytest.mark.parametrize("client", ["10.0.0.7", "::ffff:10.0.0.7", "2001:db8::1"])
async def test_nobody_from_elsewhere(client: str) -> None:
    """Problems may name people."""
    assert (await post(FixedProxyState(), client)).status_code == 403


@pytest.mark.parametrize("name", ["Origin", "X-Forwarded-For"])
async def test_no_page_and_no_front_proxy(name: str) -> None:
    """A browser's page says where it is from, and a front proxy for whom it asks."""
    assert (await post(FixedProxyState(), **{name: "http://evil.example"})).status_code == 403


async def test_reading_the_address_does_nothing() -> None:
    """A link cannot reload."""
    transport = httpx.ASGITransport(web_app(FixedProxyState()), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as browser:
        assert (await browser.get("/api/reload")).status_code == 405
