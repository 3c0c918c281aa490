"""`tests/e2e/site.py`: the site that test origins serve."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.e2e.site import Record, Site


@pytest.mark.parametrize("path", ["/stream", "/sse"])
async def test_a_long_answer_ends_when_nobody_is_there(path: str) -> None:
    """A client that leaves ends it at once, so that it costs the tests that follow nothing."""
    left, sent = asyncio.Event(), []

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if len(sent) == 3:
            left.set()

    scope = {
        "type": "http",
        "scheme": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"seconds=600",
        "headers": [(b"host", b"x.com")],
    }
    async with asyncio.timeout(5):
        await Site(Record())(scope, receive, send)
    assert len(sent) <= 4
