"""Real proxies: an outage and a crash under traffic, and one person on two proxies."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long]
VIDEO = "https://www.youtube.com/stream?seconds=60&rate=100000&type=video/mp4"
PAGE = "https://www.facebook.com/"
KNOWN, STRANGER = "127.0.3.1", "127.0.3.2"
RESOLUTION = (
    1.0  # seconds; a stream is charged in steps of this length (traffic_meter.CHUNK_SECONDS)
)


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    """The sites."""
    with Origins(tmp_path_factory.mktemp("origins")) as sites:
        yield sites


def lock(proxy: OfficeProxy) -> sqlite3.Connection:
    """Nobody else gets at the database until this is closed."""
    other = sqlite3.connect(proxy.folder / "var" / "allowance.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


def metric(proxy: OfficeProxy, name: str) -> float:
    """The value of a metric without labels."""
    lines = proxy.web("/metrics")[1].splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def test_an_outage_and_a_crash(origins: Origins, tmp_path: Path) -> None:
    """With the database locked the proxy goes on for people it knows, gives strangers their
    limit and says so everywhere; killed in the middle of it, it has lost at most two seconds of a
    film."""
    proxy = office(tmp_path, origins, settings={"flush": "1s"})
    with proxy:
        video = proxy.client.start([VIDEO], source=KNOWN)
        until(lambda: video.received() > 0, "the film to begin")
        began = time.monotonic()
        until(
            lambda: (
                "desk1" in proxy.cli("usage", "desk1", "--json").stdout
                and proxy.spent("desk1", "long") > 0
            ),
            "a row",
        )
        other = lock(proxy)
        until(lambda: "down since" in proxy.web("/readyz")[1], "the outage to be noticed", 30)
        until(lambda: metric(proxy, "allowance_journal_visits") >= 1, "the journal", 30)
        assert [proxy.web(page)[0] for page in ("/livez", "/readyz")] == [200, 200]
        assert not json.loads(proxy.web("/statusz")[1])["dependencies"]["ledger"]["ok"]
        assert metric(proxy, "allowance_journal_bytes") > 0
        assert proxy.client.open(PAGE, source=KNOWN).status == 200
        stranger = proxy.client.open(PAGE, source=STRANGER)
        assert stranger.status == 200  # `last-known`: the limit, less what is known here
        seen = time.monotonic() - began
        proxy.kill()
        other.close()
        video.cancel()
        proxy.restart()
        assert "a journal was replayed" in proxy.log
        assert proxy.spent("desk1", "long") >= seen - 2.0 - RESOLUTION
        assert proxy.client.open(PAGE, source=STRANGER).status == 200


def test_one_person_on_two_proxies(origins: Origins, tmp_path: Path) -> None:
    """Somebody who goes from one proxy to the other and back overspends by two flushes at the
    most."""
    limit, flush, flush_time = 5.0, 1.0, 0.5
    settings = {"flush": f"{flush:g}s"}
    first = office(tmp_path / "one", origins, policy(short=f"{limit:g}s"), settings=settings)
    second = office(tmp_path / "two", origins, policy(short=f"{limit:g}s"), settings=settings)
    with first:
        second.flags["database"] = first.shared["database"]
        with second:
            refused: set[int] = set()

            def use() -> bool:
                for number, proxy in enumerate((first, second)):
                    if proxy.client.open(PAGE, source=KNOWN).status == 403:
                        refused.add(number)
                return refused == {0, 1}

            until(use, "both to refuse", 60, every=0.1)
            time.sleep(2 * flush)
            spent = first.spent("desk1", "short")
    assert limit - 0.1 <= spent <= limit + 2 * (flush + flush_time)
