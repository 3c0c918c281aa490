"""`proxy_addon/proxy/budgets/fair_pages.py`: a flood for our own pages, through real proxies."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import fresh_address
from tests.e2e.origins import Origins
from tests.proxy.harness import Serving, serving
from tests.proxy.page_client import answer, ask, tunnelled

FLOODS = 30  # connections of the person who floods


@pytest.fixture(params=[True, False], ids=["light", "engine"])
def proxy(request: pytest.FixtureRequest, tmp_path: Path, origins: Origins) -> Iterator[Serving]:
    """Both ways on which our pages are answered."""
    with serving(tmp_path, origins, light_path=request.param) as running:
        yield running


def test_only_who_floods_is_refused(proxy: Serving) -> None:
    """Somebody asks for page after page on many connections at once: they are refused now and
    then, and every page of somebody else is answered."""
    source, statuses = fresh_address(), Counter[int]()
    done = threading.Event()

    def flood() -> None:
        connection = tunnelled(proxy, source)
        while not done.is_set():
            try:
                connection.sendall(ask("/me.json"))
                statuses[answer(connection)[0]] += 1
            except (OSError, AssertionError, TypeError, IndexError):
                connection = tunnelled(proxy, source)  # 429 ends the connection

    threads = [threading.Thread(target=flood) for _ in range(FLOODS)]
    for thread in threads:
        thread.start()
    try:
        other = tunnelled(proxy, fresh_address())
        for _ in range(20):
            other.sendall(ask("/me.json"))
            assert answer(other)[0] == 200
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    assert statuses[429] > 0 and statuses[200] > 0
    assert set(statuses) == {200, 429}
    assert proxy.harness.counted("refused_total", budget="pages") >= statuses[429]


def test_streams_give_their_turn_back(proxy: Serving) -> None:
    """Ten open streams of somebody do not keep them from their own page."""
    source = fresh_address()
    streams = [tunnelled(proxy, source) for _ in range(4)]
    for stream in streams:
        stream.sendall(ask("/me/events", "Accept: text/event-stream"))
    page = tunnelled(proxy, source)
    page.sendall(ask("/me.json"))
    assert answer(page)[0] == 200
