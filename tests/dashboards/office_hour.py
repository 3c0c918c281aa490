"""Proxy, Postgres and Prometheus on loopback, and an office hour in a quarter of a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.dashboards.prometheus import Prometheus
from tests.dashboards.traffic import Hour, Truth
from tests.e2e.office import CHATTER, HOSTS, noon_zone
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import free_port, until

POLICY = f"""
version: 1
timezone: {noon_zone()}
allowances:
  short: {{limit: 7s per day, warn_at: 6s}}
  long: {{limit: 30m per day}}
rules:
  - {{name: Learning is work, platforms: [linkedin/learning], then: allow}}
  - {{name: Care answers customers, roles: [care], platforms: [facebook, x], then: allow}}
  - {{name: Tried out, roles: [visitors], platforms: [tiktok], then: block, mode: observe}}
  - {{name: Not on our network, platforms: [tiktok], then: block}}
  - {{name: A little every day, platforms: [facebook, x, linkedin, chatter], then: {{spend: short}}}}
  - {{name: Half an hour a day, platforms: [youtube], then: {{spend: long}}}}
otherwise: allow
unidentified: {{role: guest}}
metering: {{tail: 1s}}
notice: {{file: notices/administrators.md, roles: [admin]}}
"""
NOTICE = "---\nversion: 2\ncontact: ext. 120\n---\n# For administrators\n## Purpose\nBe fair.\n"
CONFIRMED = "allowance_policy_acknowledged_people"
PEOPLE = (
    "default_role: staff\nroles:\n  staff: {}\n  guest: {}\n  admin: {members: [dora]}\n"
    + "".join(f"  {role}: {{}}\n" for role in Hour.ROLES)
)
DEVICES = "devices:\n" + "".join(
    f"  127.0.{32 + number}.0/24: {{role: {role}}}\n" for number, role in enumerate(Hour.ROLES)
)


@dataclass
class Ran:
    """A run: everything still stands."""

    proxy: OfficeProxy
    prometheus: Prometheus
    truth: Truth
    seconds: float  # that it took


def office_proxy(
    folder: Path, origins: Origins, database: str | None, workers: int = 1
) -> OfficeProxy:
    """The proxy of the hour; not started yet."""
    proxy = OfficeProxy(
        folder,
        origins,
        POLICY,
        people=PEOPLE + DEVICES,
        platforms={"chatter": CHATTER},
        hosts=HOSTS,
        resolve=[f"dead.example:443=127.0.0.1:{free_port()}"],
        settings={"sign-in": "optional", "drain": "1s", "flush": "250ms", "workers": workers},
    )
    (proxy.rules / "notices").mkdir()
    (proxy.rules / "notices" / "administrators.md").write_text(NOTICE)
    if database is not None:
        proxy.flags["database"] = database
    answer = proxy.cli("people", "add", "dora", "--password-stdin", stdin="open sesame\n")
    assert answer.returncode == 0, answer.stderr
    return proxy


@contextmanager
def office_hour(folder: Path, origins: Origins, database: str | None) -> Iterator[Ran]:
    """Run it; `database` is a URL, or SQLite where there is none."""
    proxy = office_proxy(folder / "office", origins, database)
    with proxy, Prometheus(folder / "prometheus", f"127.0.0.1:{proxy.web_port}") as prometheus:
        hour = Hour(proxy.port, proxy.ca_file, origins.ca_file)
        began = time.monotonic()
        truth = asyncio.run(hour.run())
        until(lambda: prometheus.value(CONFIRMED), "a count of who has confirmed", 30)
        asyncio.run(asyncio.sleep(2.5))  # two scrapes and a flush
        yield Ran(proxy, prometheus, truth, time.monotonic() - began + 2.0)
