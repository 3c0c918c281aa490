"""The memory of tunnels in which nothing passes."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tests.benchmarks.load.client import LoadClient, finished
from tests.benchmarks.load.contestants import OURS
from tests.benchmarks.load.processes import cpu_seconds, memory
from tests.benchmarks.load.report import Result
from tests.benchmarks.load.site import FREE, SMALL
from tests.benchmarks.proxies import Proxy

WARM_UP_TUNNELS = 50
SETTLE_SECONDS = 2.0


def measure(
    running: Mapping[str, Proxy], client: LoadClient, tunnels: int, seconds: float
) -> Result:
    """Open so many through one proxy after the other, and print what they take, and what CPU time
    in so many seconds."""
    ours = 0.0
    for name, proxy in running.items():
        _hold(proxy, client, WARM_UP_TUNNELS, 0.1)
        kilobytes, idle = _hold(proxy, client, tunnels, seconds)
        print(
            f"  {name:24} {kilobytes:6.1f} KiB each of {tunnels:,} tunnels,"
            f" {idle * 1e3:5.1f} ms of CPU a second while they are idle",
            flush=True,
        )
        if name == OURS:
            ours = kilobytes
    return Result("memory of an idle tunnel", (ours,), "KiB", must=8, aim=5, at_most=True)


def _hold(proxy: Proxy, client: LoadClient, tunnels: int, seconds: float) -> tuple[float, float]:
    """KiB of memory for each, and CPU seconds a second while they are idle."""
    before = memory(proxy.pid)
    process = client.start(proxy.port, mode="idle", host=FREE, path=SMALL, connections=tunnels)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "open\n", "the client ended early"
        time.sleep(min(seconds, SETTLE_SECONDS))
        grown = memory(proxy.pid) - before
        spent = cpu_seconds(proxy.pid)
        time.sleep(seconds)
        idle = (cpu_seconds(proxy.pid) - spent) / seconds
    finally:
        load = finished(process)
    assert load.requests == tunnels, f"{tunnels - load.requests} of {tunnels} tunnels failed"
    return grown / tunnels / 1024, idle
