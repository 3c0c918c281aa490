"""An office's day in about a minute: a thousand people, nineteen visits in twenty to sites that
nobody limits, and a lunch in which everybody is free."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.load import contestants
from tests.benchmarks.load.client import LoadClient, finished
from tests.benchmarks.load.contestants import OURS, TODAY, started
from tests.benchmarks.load.processes import cpu_seconds
from tests.benchmarks.load.report import Result
from tests.benchmarks.load.site import FREE, LIMITED, SMALL, Site
from tests.benchmarks.proxies import ROOT, Proxy

LUNCH_SHARE = 1 / 3  # of the day, which begins with it
VISITS = 10  # a person and day; the requests of each are in client.c
OFF = {"ALLOWANCE_LIGHT_PATH": "off"}
ALL_LIMITED = "decrypt: limited\n"


def measure(
    folder: Path,
    site: Site,
    client: LoadClient,
    people: int,
    seconds: float,
    against: Path | None,
    *,
    waits: bool = True,
) -> Result:
    """The same day through ours and through today's product at once. `against`: a checkout of the
    product to compare with; without one it is this checkout, without what makes it cheap. `waits`:
    until lunch ends in the right moment, which may take a minute; else it is lunch all day."""
    how = (
        f"the checkout {against.name}"
        if against
        else "this checkout with light_path = off and decrypt: limited (no --against)"
    )
    print(f"  today's product is {how}", flush=True)
    before = seconds * LUNCH_SHARE
    lunch_ends = _next_minute(before if waits else 120.0)
    zone, lunch = _lunch(lunch_ends, minutes=1 if waits else 10)
    compared = {
        TODAY: contestants.ours(
            folder / "today",
            site,
            policy_text=contestants.policy(
                zone=zone, lunch=lunch, more="" if against else ALL_LIMITED
            ),
            people=people,
            checkout=against or ROOT,
            environment={} if against else OFF,
        ),
        OURS: contestants.ours(
            folder / "ours",
            site,
            policy_text=contestants.policy(zone=zone, lunch=lunch),
            people=people,
        ),
    }
    with started(*compared.values()):
        if waits:
            time.sleep(max(0.0, (lunch_ends - _now()).total_seconds() - before))
        cpu = _spend_day(compared, client, people, seconds)
    ratio = cpu[TODAY] / cpu[OURS]
    why = "" if against else "against light_path = off and decrypt: limited"
    return Result("office day, CPU a person", (ratio,), must=4, aim=6, why=why)


def _spend_day(
    compared: Mapping[str, Proxy], client: LoadClient, people: int, seconds: float
) -> dict[str, float]:
    """CPU seconds of each."""
    before = {name: cpu_seconds(proxy.pid) for name, proxy in compared.items()}
    options = {
        "mode": "day",
        "host": FREE,
        "limited": LIMITED,
        "path": SMALL,
        "connections": people,
        "people": people,
        "visits": VISITS,
        "seconds": seconds,
        "lunch": seconds * LUNCH_SHARE,
    }
    clients = {name: client.start(proxy.port, **options) for name, proxy in compared.items()}
    spent = {}
    for name, process in clients.items():
        load = finished(process)
        spent[name] = cpu_seconds(compared[name].pid) - before[name]
        print(
            f"  {name:24} {spent[name] / people * 1e3:6.1f} ms of CPU a person:"
            f" {spent[name]:6.2f} s for {load.opened:,} connections and {load.requests:,} requests,"
            f" {load.errors} errors, median {load.median:.1f} ms, p99 {load.p99:.0f} ms",
            flush=True,
        )
        assert load.errors * 100 <= load.opened, f"{load.errors} errors through {name}"
    return spent


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the proxies go by the real clock


def _next_minute(before: float) -> datetime:
    """The first full minute for which there is time: to start the proxies, and for so many
    seconds."""
    soon = _now() + timedelta(seconds=before + 12)
    return soon.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _lunch(ends: datetime, minutes: int) -> tuple[str, str]:
    """A zone in which it is about noon, so that no day ends, and lunch in it."""
    offset = 12 - ends.hour
    zone = "UTC" if offset == 0 else f"Etc/GMT{-offset:+d}"
    local = ends + timedelta(hours=offset)
    return zone, f"{local - timedelta(minutes=minutes):%H:%M}-{local:%H:%M}"
