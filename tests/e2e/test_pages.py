"""Our own pages in a real `allowance run`: curl, with and without TLS, and streams that go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import fresh_address
from tests.e2e.office import office
from tests.e2e.origins import Origins
from tests.e2e.process import LIGHT_PATH, OfficeProxy
from tests.e2e.waiting import until

pytestmark = pytest.mark.skipif(not LIGHT_PATH, reason="the light path is off")
URLS = ("http://allowance.internal", "https://allowance.internal")


@pytest.fixture
def own(origins: Origins, tmp_path: Path) -> Iterator[OfficeProxy]:
    """A proxy that a test stops."""
    with office(tmp_path, origins) as proxy:
        yield proxy


@pytest.mark.parametrize("url", URLS)
def test_pages_over_one_connection(running_office: OfficeProxy, url: str) -> None:
    """Certificate of our CA, page, data and a page that is not there: one connection for all."""
    source = fresh_address()
    paths = ("/", "/me.json", "/nothing", "/help")
    replies = running_office.client.start(
        [url + path for path in paths],
        "--parallel-max",
        "1",
        source=source,
        trust=running_office.ca_file,
    ).finish()
    assert [reply.status for reply in replies] == [200, 200, 404, 200]
    assert replies[1].json()["user"] == f"ip:{source}"
    assert sum(reply.connects for reply in replies) == 1


@pytest.mark.parametrize("url", URLS)
def test_a_balance_that_changes(running_office: OfficeProxy, url: str) -> None:
    """What is left shows at once, and again when a platform has been opened meanwhile."""
    client, source = running_office.client, fresh_address()
    stream = client.start([f"{url}/me/events"], "-N", source=source)
    until(lambda: stream.received() > 0, "the first event")
    before = stream.received()
    assert client.open("https://www.youtube.com/", source=source).status == 200
    until(lambda: stream.received() > before, "another event")
    text = (stream.folder / "body0").read_text()
    assert '"long":{"limit":1800.0,"spent":0' in text
    assert stream.running
    stream.cancel()


def test_a_stop_while_somebody_looks(own: OfficeProxy) -> None:
    """The stream is whole, curl ends well, and so does the proxy, long before its drain is over."""
    streams = [own.client.start([f"{url}/me/events"], "-N") for url in URLS]
    for stream in streams:
        until(lambda stream=stream: stream.received() > 0, "the first event")
    code, seconds = own.stop()
    assert code == 0
    assert seconds < 10
    for stream in streams:
        (reply,) = stream.finish()
        assert (reply.status, reply.exit_code) == (200, 0)
        assert reply.text.startswith("retry: 3000\n\nevent: balance\n")
