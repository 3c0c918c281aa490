"""Clients notice nothing of a rolling restart: no new connection is refused or reset, and those
that are kept open end with an answer that says so."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from tests.e2e.office import office
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.rolling import PAGE, SITE, Load
from tests.e2e.waiting import until

BALANCER = b"PROXY TCP4 127.0.3.%d 127.0.0.1 40000 8080\r\n"


def started(proxy: OfficeProxy) -> int:
    """How many workers have been started."""
    return len(re.findall('"worker started"', proxy.log))


async def rolled(proxy: OfficeProxy, workers: int, rolls: int, *, balanced: bool) -> list[Load]:
    """Replace all workers so many times while eight clients are at work."""
    loads = [Load(proxy.port, BALANCER % n if balanced else b"") for n in (1, 2)]
    assert proxy.process is not None
    async with asyncio.TaskGroup() as clients:
        for number, load in enumerate(loads, 1):
            source = "127.0.0.1" if balanced else f"127.0.3.{number}"
            for address, kind in ((PAGE, "page"), (SITE, "site")):
                clients.create_task(load.new_connections(f"new {kind}", address, source))
                clients.create_task(load.kept_connection(f"kept {kind}", address, source))
        for _ in range(rolls):
            await asyncio.sleep(1)
            before, drained = started(proxy), len(proxy.events("draining"))
            os.kill(proxy.process.pid, signal.SIGHUP)
            async with asyncio.timeout(240):
                while started(proxy) < before + workers:
                    await asyncio.sleep(0.1)
                while len(proxy.events("draining")) < drained + workers:
                    await asyncio.sleep(0.1)
        await asyncio.sleep(4)  # the last ones drain
        for load in loads:
            load.done = True
    return loads


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("workers", "rolls", "balanced"),
    [
        pytest.param(2, 1, False, marks=pytest.mark.long),
        (2, 1, True),
        pytest.param(1, 10, False, marks=pytest.mark.long),
        pytest.param(2, 10, True, marks=pytest.mark.long),
        pytest.param(3, 10, False, marks=pytest.mark.long),
    ],
)
def test_no_request_is_lost(
    origins: Origins, tmp_path: Path, workers: int, rolls: int, balanced: bool
) -> None:
    """New connections and kept ones, to our pages and to a site, from devices and behind a balancer
    (where workers pass connections on): none fails."""
    addresses = ["127.0.0.1/32"] if balanced else []
    settings = {"workers": workers, "front-proxies": [], "drain": "3s"}
    settings |= {"proxy-protocol": addresses} if balanced else {}
    with office(tmp_path / "office", origins, settings=settings) as proxy:
        until(lambda: "Allowance is running" in proxy.log, "the start notice", 60)
        loads = asyncio.run(rolled(proxy, workers, rolls, balanced=balanced))
        assert "did not come up" not in proxy.log
    answers, closes = loads[0].answers + loads[1].answers, loads[0].closes + loads[1].closes
    print(workers, rolls, balanced, dict(answers), dict(closes))
    assert [failure for load in loads for failure in load.failures] == []
    assert min(answers.values()) > 20
