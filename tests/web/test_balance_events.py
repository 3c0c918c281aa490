"""`proxy_addon/web/balance_events.py`: streams of a real application, read as they are written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from proxy_addon.web import balance_events as module
from proxy_addon.web.app import employee_app
from proxy_addon.web.balance_events import BalanceEvents
from tests.web.client import as_person
from tests.web.office import FixedProxyState, balance


class Reading:
    """One client of `/me/events`: what it has been sent, and how it leaves."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.text = ""
        self.complete = False
        self.ends: list[Callable[[], None]] = []
        self._left = asyncio.Event()
        self._request = [{"type": "http.request", "body": b"", "more_body": False}]

    def begins(self, end: Callable[[], None]) -> Callable[[], None]:
        """As the light path takes note of streams."""
        self.ends.append(end)
        return lambda: self.ends.remove(end)

    def leave(self) -> None:
        """Vanish."""
        self._left.set()

    async def receive(self) -> dict[str, Any]:
        """See ASGI."""
        if self._request:
            return self._request.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """See ASGI."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.text += message["body"].decode()
            self.complete = not message.get("more_body", False)

    async def shows(self, text: str) -> None:
        """Wait for a text."""
        async with asyncio.timeout(5):
            while text not in self.text:
                await asyncio.sleep(0.005)

    def balances(self) -> list[float]:
        """What was left, event by event."""
        lines = [line for line in self.text.splitlines() if line.startswith("data: {")]
        return [json.loads(line[6:])["allowances"]["daily-social"]["left"] for line in lines]


@asynccontextmanager
async def reading(endpoint: Any, person: str = "dora") -> AsyncIterator[Reading]:
    """A stream as it is open; nothing of it is left afterwards."""
    client = Reading()
    entry = {"name": person, "identified": True, "address": "10.0.0.1"}
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/me/events",
        "raw_path": b"/me/events",
        "query_string": b"",
        "headers": [(b"host", b"allowance.internal")],
        "extensions": {"allowance.person": entry, "allowance.streams": client.begins},
    }
    task = asyncio.get_running_loop().create_task(endpoint(scope, client.receive, client.send))
    try:
        await client.shows("event: balance")
        yield client
    finally:
        client.leave()
        async with asyncio.timeout(5):
            await task
        assert client.ends == []


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become hundredths."""
    for name in ("LOOK_SECONDS", "AGAIN_SECONDS", "COMMENT_SECONDS"):
        monkeypatch.setattr(module, name, getattr(module, name) / 100)


async def test_the_balance_at_once_and_at_each_change() -> None:
    """As `/me.json` has it; nothing is sent while nothing changes."""
    office = FixedProxyState(held=(balance(spent=300.0),))
    before = asyncio.all_tasks()
    async with reading(employee_app(office)) as client:
        assert client.status == 200
        assert client.headers[b"content-type"].startswith(b"text/event-stream")
        assert client.headers[b"cache-control"] == b"no-store"
        assert client.text.startswith("retry: 3000\n\nevent: balance\ndata: {")
        await asyncio.sleep(0.1)
        assert client.balances() == [600.0]
        office.held = (balance(spent=360.0),)
        await client.shows("540.0")
        assert client.balances() == [600.0, 540.0]
    assert asyncio.all_tasks() == before


async def test_many_changes_in_one_second_are_one() -> None:
    """The last of them is sent."""
    office = FixedProxyState(held=(balance(spent=0.0),))
    async with reading(employee_app(office)) as client:
        for spent in range(100):
            office.held = (balance(spent=float(spent)),)
        await client.shows("801.0")
        assert client.balances() == [900.0, 801.0]


async def test_a_comment_while_nothing_changes() -> None:
    """So that the connection is not taken for dead."""
    async with reading(employee_app(FixedProxyState(held=(balance(),)))) as client:
        await client.shows(": nothing new\n\n: nothing new\n\n")
        assert client.balances() == [900.0]


async def test_it_comes_to_an_end_when_it_is_told_to() -> None:
    """While draining: the answer is complete, although its client is still there."""
    async with reading(employee_app(FixedProxyState(held=(balance(),)))) as client:
        client.ends[0]()
        async with asyncio.timeout(5):
            while not client.complete:
                await asyncio.sleep(0.005)
        assert "event: full" not in client.text


async def test_the_oldest_of_too_many_ends() -> None:
    """A person has ten; somebody else's are not counted with them."""
    app = employee_app(FixedProxyState(held=(balance(),)))
    async with reading(app, "emil") as other, reading(app) as oldest, asyncio.TaskGroup() as group:
        done = asyncio.Event()

        async def another() -> None:
            async with reading(app) as client:
                await done.wait()
                assert not client.complete

        for _ in range(module.MOST_STREAMS):
            group.create_task(another())
        await oldest.shows("event: full\ndata: 10\n\n")
        assert oldest.complete
        assert not other.complete
        done.set()


async def test_a_new_stream_shows_its_news_to_the_others() -> None:
    """What the new one knows already is not kept from those before it."""
    office = FixedProxyState(held=(balance(spent=300.0),))
    events = BalanceEvents(office)
    first = events.open("dora", "old")
    second = events.open("dora", "new")
    assert (first.text, second.text, len(events)) == ("new", "new", 2)
    events.close("dora", first)
    events.close("dora", second)
    events.close("dora", second)
    assert (len(events), events._timer) == (0, None)


async def test_a_failure_of_ours_ends_the_stream() -> None:
    """Whoever connects again gets the error page, and it is logged once."""
    office = FixedProxyState(held=(balance(),))
    async with reading(employee_app(office)) as client:

        def broken(person: str) -> object:
            raise RuntimeError("the enforcer is gone")

        office.usage_mark = broken  # type: ignore[method-assign]
        async with asyncio.timeout(5):
            while not client.complete:
                await asyncio.sleep(0.005)


async def test_through_the_engine() -> None:
    """Which keeps an answer until it is whole: 501 at once."""
    app = as_person(employee_app(FixedProxyState(held=(balance(),))))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport) as client:
        async with asyncio.timeout(2):
            answer = await client.get("http://allowance.internal/me/events")
        assert answer.status_code == 501
        assert (await client.head("http://allowance.internal/me/events")).status_code == 405


async def test_nobody_without_the_proxy() -> None:
    """403, as for every page about a person."""
    transport = httpx.ASGITransport(app=employee_app(FixedProxyState()))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get("http://allowance.internal/me/events")).status_code == 403
