"""`proxy_addon/web/health_api.py`: each page says 503 only for what its reader can do something
about."""

from __future__ import annotations

import httpx
import pytest

from proxy_addon.system.health import FINE, down
from proxy_addon.web.app import web_app
from proxy_addon.web.interface import Health
from tests.web.office import FixedProxyState

AWAY = {"rules": FINE, "ledger": down("down: locked")}
WELL = Health(True, {"rules": FINE, "ledger": FINE})
LEDGER_AWAY = Health(True, AWAY)
DRAINING = Health(False, {"proxy": down("draining: no new connections")})
STUCK = Health(False, {"loop": down("the event loop has not turned for 9 s")}, alive=False)


async def get(health: Health, path: str) -> httpx.Response:
    """One page of a proxy in this state."""
    transport = httpx.ASGITransport(app=web_app(FixedProxyState(state=health)))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("health", "alive", "ready"),
    [(WELL, 200, 200), (LEDGER_AWAY, 200, 200), (DRAINING, 200, 503), (STUCK, 503, 503)],
    ids=["well", "ledger away", "draining", "stuck"],
)
async def test_what_each_page_says(health: Health, alive: int, ready: int) -> None:
    """A ledger that is away takes the proxy out of nothing; one that drains is not restarted, and
    gets no new connections; status is always readable."""
    found = {
        path: await get(health, path) for path in ("/livez", "/healthz", "/readyz", "/statusz")
    }
    assert [answer.status_code for answer in found.values()] == [alive, alive, ready, 200]
    assert found["/livez"].text == found["/healthz"].text


async def test_ready_names_what_is_wrong() -> None:
    """Each check is in the answer, also where the proxy is ready."""
    assert (await get(LEDGER_AWAY, "/readyz")).json() == {
        "ready": True,
        "checks": {"rules": "ok", "ledger": "down: locked"},
    }
    assert (await get(DRAINING, "/readyz")).json()["ready"] is False


async def test_nobody_stores_the_pages() -> None:
    """A cache between a balancer and a node would keep an answer that is no longer true."""
    for path in ("/livez", "/readyz", "/statusz"):
        assert "no-store" in (await get(WELL, path)).headers["cache-control"]
