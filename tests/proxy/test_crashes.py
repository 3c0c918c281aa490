"""A bug in a layer, whichever it is: nobody waits in vain, nothing limited goes on unseen, it is
counted and logged, and everybody else is served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy_addon.proxy.layers.bounded_stream import BoundedStream
from proxy_addon.proxy.layers.http1_site import Http1SiteSide
from proxy_addon.proxy.layers.http2_site import Http2SiteSide
from tests.e2e.client import NAVIGATE
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.harness import Broken
from tests.proxy.odd_office import WAYS, OddOffice
from tests.proxy.odd_site import Script

PLACES = {  # where it fails: a class of layers, a method, and whether the answer has begun then
    "before the decision": (BoundedStream, "check_invalid"),
    "before the site is contacted": (BoundedStream, "make_server_connection"),
    "when the answer comes": (BoundedStream, "state_wait_for_response_headers"),
    "when the answer ends": (BoundedStream, "send_response"),
}


@pytest.fixture
def office(tmp_path: Path, origins: Origins) -> Iterator[OddOffice]:
    """A proxy of its own for each test."""
    with OddOffice(tmp_path, origins) as made:
        yield made


def errors(office: OddOffice) -> float:
    """How many have been counted."""
    return office.proxy.harness.counted("errors_total", where="layer")


def fails(*_: Any, **__: Any) -> Any:
    """A bug."""
    raise Broken("a bug in a layer")


def fails_for_bug(kind: type, method: str) -> Any:
    """A method that fails for the path /bug alone."""
    right = getattr(kind, method)

    def wrong(stream: Any, *arguments: Any) -> Any:
        return fails() if stream.flow.request.path == "/bug" else right(stream, *arguments)

    return wrong


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", PLACES)
def test_a_bug_ends_the_connection(
    office: OddOffice, place: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each place, in each way: an answer that says that the fault is ours, or an end. No use is
    running any more, and the next client is served."""
    assert office.serves()
    kind, method = PLACES[place]
    with monkeypatch.context() as patched:
        patched.setattr(kind, method, fails_for_bug(kind, method))
        got = office.ask(
            way, "/bug", Script(), fields=[(k.lower(), v) for k, v in NAVIGATE.items()]
        )
    assert got.end in ("complete", "closed")
    assert got.status in (0, 200, 503)
    if "plain" in way and place != "when the answer ends":
        assert (got.status, got["x-allowance-reason"]) == (503, "unavailable")
    assert errors(office) == 1
    office.proxy.empty()
    running = office.proxy.on_loop(lambda: len(office.proxy.harness.enforcer._running))
    assert running == 0
    assert office.serves()


@pytest.mark.parametrize(("way", "kind"), [("h2-h1", Http1SiteSide), ("h2-h2", Http2SiteSide)])
def test_one_stream_ends_all(
    office: OddOffice, way: str, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other streams of the connection end, too: what runs in them could be neither metered nor
    cut."""
    office.site(way).scripts["/slow"] = [Script(b"\0\0".join([Script().answer] * 2), wait=30)]
    client = office.client(way)
    client.ask("/next")
    slow = client.begin("/slow")
    with monkeypatch.context() as patched:
        patched.setattr(kind, "send" if way == "h2-h1" else "_handle_event2", fails)
        assert client.ask("/bug").end == "closed"
    assert client.finish(slow).end in ("closed", "complete")
    office.proxy.empty()


def test_it_is_logged_once_a_minute(office: OddOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """And counted each time."""
    monkeypatch.setattr(BoundedStream, "check_invalid", fails)
    for _ in range(5):
        assert office.ask("plain", "/bug", Script()).status == 503
    assert errors(office) == 5
    assert len(office.failures()) == 1


def test_a_connection_that_cannot_be_opened_because_of_a_bug(
    office: OddOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it is told."""
    monkeypatch.setattr("asyncio.open_connection", fails)
    for way in WAYS:
        assert office.ask(way, "/bug", Script()).status == 502
    assert office.proxy.harness.counted("errors_total", where="connect") == len(WAYS)
    until(lambda: office.proxy.connections() == 0, "all connections to be gone")
