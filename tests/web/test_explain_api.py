"""`/api/explain`: the running proxy explains itself, to its own machine only."""

from __future__ import annotations

import httpx
import pytest

from proxy_addon.web.app import web_app
from proxy_addon.web.explain_api import PATH, explain
from tests.web.office import FixedProxyState, visit

ASK = f"{PATH}?user=dora&url=https://facebook.com/"


async def get(
    path: str = ASK, client: str = "127.0.0.1", host: str = "127.0.0.1:8081", **headers: str
) -> httpx.Response:
    """One request to the web port."""
    transport = httpx.ASGITransport(
        web_app(FixedProxyState(seen=[visit("facebook", 20, 3)])), client=(client, 1)
    )
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as one:
        return await one.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


async def test_the_answer() -> None:
    """The same keys as the command prints, and never kept by a cache."""
    answer = await get()
    assert answer.status_code == 200
    assert answer.json() == explain(FixedProxyState(), "dora", "https://facebook.com/") | {
        "at": answer.json()["at"]
    }
    assert list(answer.json())[:3] == ["verdict", "reason", "rule"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost:8081", "[::1]:8081"])
async def test_who_is_local(host: str) -> None:
    """Any name of this machine."""
    assert (await get(host=host)).status_code == 200
    assert (await get(client="::1")).status_code == 200


async def test_who_is_not() -> None:
    """Another machine; a front proxy that passes somebody on; a page in a browser, also one that
    rebinds names."""
    assert (await get(client="10.0.0.5")).status_code == 403
    assert (await get(host="evil.example")).status_code == 403
    assert (await get(x_forwarded_for="10.0.0.5")).status_code == 403
    assert (await get(origin="https://evil.example")).status_code == 403


async def test_what_cannot_be_answered() -> None:
    """A sentence, for the command to print."""
    assert (await get(PATH)).status_code == 400
    refused = await get(f"{PATH}?user=dora&url=facebook.com")
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith('"facebook.com" is not a URL')
