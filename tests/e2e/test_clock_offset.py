"""Two hosts whose clocks are 90 s apart share a ledger on Postgres: one person is charged once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from db.ledger import SqlLedger
from proxy_addon.core.intervals import measure, normalise
from proxy_addon.core.types import Interval
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.e2e, pytest.mark.postgres, pytest.mark.timeout(180)]

AHEAD = 90.0  # seconds
USED = 12.0  # seconds
TAIL = 1.0  # seconds, of the office's rules
SEAT = "127.0.3.1"
PAGE = "https://www.facebook.com/"


class Hosts(NamedTuple):
    """A proxy whose clock is right, and one whose clock is ahead."""

    right: OfficeProxy
    ahead: OfficeProxy


@pytest.fixture(scope="module")
def hosts(
    origins: Origins, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hosts]:
    """Both run."""
    url = postgres_server.url(postgres_server.new_database())
    found = []
    for name in ("right", "ahead"):
        proxy = office(tmp_path_factory.mktemp(name), origins, policy(short="1h"))
        proxy.database = url.replace("postgresql://", "postgresql+psycopg://")
        found.append(proxy)
    both = Hosts(*found)
    with both.right:
        paths = [str(Path(__file__).with_name("shifted_time")), os.environ.get("PYTHONPATH", "")]
        shifted = both.ahead.environment() | {
            "SHIFT_SECONDS": f"{AHEAD:g}",
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }
        both.ahead.environment = lambda: shifted  # type: ignore[method-assign]
        with both.ahead:
            yield both


def offset(proxy: OfficeProxy) -> float:
    """What a proxy shows of its clock."""
    lines = proxy.web("/metrics")[1].splitlines()
    found = [line for line in lines if line.startswith("allowance_clock_offset_seconds ")]
    return float(found[0].split()[1])


def test_a_minute_on_two_proxies_is_one_minute(hosts: Hosts) -> None:
    """Pages are opened at both in turn; charged is the time that passed, not twice that."""
    began = time.monotonic()
    first = last = 0.0
    while time.monotonic() - began < USED:
        for proxy in hosts:
            assert proxy.client.open(PAGE, source=SEAT).status == 200
            last = time.monotonic()
            first = first or last
    truth = last - first + TAIL

    def spent() -> float:
        ledger = SqlLedger(hosts.right.database, "test")
        try:
            rows = list(ledger.visits(0.0, person="desk1"))
        finally:
            ledger.close()
        return measure(normalise(Interval(row.start, row.end) for row in rows))

    until(lambda: spent() >= truth - 1.0, "all of it to be charged", 30)
    time.sleep(1.0)
    assert truth - 1.0 <= spent() <= truth + 2.0


def test_the_difference_is_told_of(hosts: Hosts) -> None:
    """In a metric, and once in the log of the host whose clock is wrong."""
    assert offset(hosts.ahead) == pytest.approx(-AHEAD, abs=1.0)
    assert offset(hosts.right) == pytest.approx(0.0, abs=1.0)
    said = hosts.ahead.events("the clock of this host differs from the ledger's")
    assert [line["seconds"] for line in said] == [pytest.approx(-AHEAD, abs=1.0)]
    assert not hosts.right.events("the clock of this host differs from the ledger's")
