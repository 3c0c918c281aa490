"""When the balance reaches zero, what runs ends within five seconds, and nothing else does."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.e2e.client import Client, fresh_address, read_until
from tests.e2e.office import CUT_WITHIN, SHORT, SLACK, spend_all, websocket
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

LONGEST = SHORT + CUT_WITHIN + SLACK  # seconds from the first byte
VIDEO = "seconds=30&rate=100000&type=video/mp4"
DOWNLOAD = 500_000_000
GROWTH = 60_000_000  # bytes of resident memory that a large download may cost


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("host", ["https://www.facebook.com", "http://www.facebook.com"])
def test_body_is_cut(client: Client, host: str, http2: bool) -> None:
    """A video that runs when the time is up breaks off, and the next page says why."""
    source = fresh_address()
    (reply,) = client.start([f"{host}/stream?{VIDEO}"], source=source, http2=http2).finish()
    assert reply.status == 200
    assert reply.exit_code != 0
    assert SHORT - 1.5 < reply.seconds < LONGEST
    assert len(reply.body) < 100_000 * LONGEST
    assert client.open("https://x.com/", source=source).reason == "exhausted"


def test_neighbours_go_on(client: Client) -> None:
    """In one HTTP/2 tunnel the feed is cut and the course beside it ends well; so does another
    platform."""
    source, course = fresh_address(), "seconds=9&rate=300&type=text/plain"
    urls = [
        f"https://www.linkedin.com/stream?{VIDEO}",
        f"https://www.linkedin.com/learning/stream?{course}",
    ]
    both = client.start(urls, http2=True, source=source)
    other = client.start(["https://www.youtube.com/stream?seconds=9&rate=20000"], source=source)
    cut, kept = both.finish()
    (elsewhere,) = other.finish()
    assert cut.exit_code != 0
    assert cut.seconds < LONGEST
    assert cut.connects + kept.connects == 1
    assert (kept.exit_code, len(kept.body)) == (0, 2700)
    assert (elsewhere.exit_code, len(elsewhere.body)) == (0, 180_000)


def test_free_video_does_not_pay_for_the_feed(running_office: OfficeProxy, client: Client) -> None:
    """A course that is free and plays all the while does not make the minutes of the feed beside it
    longer."""
    source, course = fresh_address(), "seconds=9&rate=20000&type=video/mp4"
    urls = [
        f"https://www.linkedin.com/stream?{VIDEO}",
        f"https://www.linkedin.com/learning/stream?{course}",
    ]
    cut, kept = client.start(urls, http2=True, source=source).finish()
    assert kept.exit_code == 0
    assert cut.exit_code != 0
    assert cut.seconds < LONGEST
    visits = running_office.usage(f"ip:{source}")["visits"]
    # Both are looked at four times a second, and a row for each change of mind would be dozens. On
    # a machine that stalls there are pauses, and each of them ends a row.
    assert len(visits) < 12, visits


def test_open_tunnel_gets_the_block_page(client: Client) -> None:
    """A tunnel outlives the end of the time: the next request in it gets the block page, not an
    error."""
    source, line = fresh_address(), "GET /headers HTTP/1.1\r\nHost: www.facebook.com\r\n"
    status, tunnel = client.tunnel("www.facebook.com", source=source)
    assert status == 200
    secure = client.tls(tunnel, "www.facebook.com")
    secure.sendall(f"{line}Sec-Fetch-Dest: document\r\n\r\n".encode())
    head = read_until(secure, b"\r\n\r\n").lower()
    read_until(secure, b"}")
    assert head.startswith(b"http/1.1 200")
    spend_all(client, source=source)
    secure.sendall(f"{line}Sec-Fetch-Dest: document\r\n\r\n".encode())
    head = read_until(secure, b"\r\n\r\n").lower()
    secure.close()
    assert head.startswith(b"http/1.1 403")
    assert b"x-allowance-reason: exhausted" in head


def test_websocket_is_cut(client: Client) -> None:
    """A chat in which a person types is closed with code 1008 when the time is up."""
    began, chance = time.monotonic(), random.Random(7)
    with (
        websocket(client, "www.facebook.com", fresh_address()) as chat,
        pytest.raises(ConnectionClosed) as end,
    ):
        while time.monotonic() < began + LONGEST:
            chat.send(
                "a message of a person, who does not tick as a heartbeat does. "
                * chance.randint(3, 12)
            )
            chat.recv(timeout=5)
            time.sleep(chance.uniform(0.8, 2.2))  # what follows a push at once is a receipt
    assert time.monotonic() - began < LONGEST
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 1008


def test_undecrypted_tunnel_is_cut(running_office: OfficeProxy, client: Client) -> None:
    """A platform with `inspect: false` keeps its certificate, is metered by bytes and closed at
    zero."""
    source, trust = fresh_address(), running_office.origins.ca_file
    url = f"https://chatter.example/stream?{VIDEO}"
    (reply,) = client.start([url], source=source, trust=trust).finish()
    assert reply.status == 200
    assert reply.exit_code != 0
    assert reply.seconds < LONGEST
    assert client.get("https://chatter.example/", source=source, trust=trust).connect == 403


def test_short_use_is_not_cut(client: Client) -> None:
    """A body that ends within the allowance arrives whole."""
    url = "https://www.facebook.com/stream?seconds=1&rate=50000&type=video/mp4"
    (reply,) = client.start([url], source=fresh_address()).finish()
    assert (reply.exit_code, len(reply.body)) == (0, 50_000)


def test_upload_is_cut(client: Client, tmp_path: Path) -> None:
    """An upload that is under way when the time runs out ends too."""
    source, body = fresh_address(), tmp_path / "body"
    body.write_bytes(bytes(30_000_000))
    slow = ("--limit-rate", "1M", "--data-binary", f"@{body}", "-H", "Expect:")
    upload = client.start(["https://www.facebook.com/upload"], *slow, source=source)
    spend_all(client, source=source)
    until(lambda: not upload.running, "the cut", CUT_WITHIN + SLACK)
    (reply,) = upload.finish()
    assert reply.status in (0, 403)


@pytest.mark.parametrize("host", ["www.youtube.com", "work.example"])
def test_memory_stays_flat(running_office: OfficeProxy, client: Client, host: str) -> None:
    """A download of 500 MB, decrypted or not, is not held in memory."""
    before = running_office.memory()
    args = ("--max-filesize", "2G", "-o", "/dev/null")
    download = client.start([f"https://{host}/big?bytes={DOWNLOAD}"], *args, source=fresh_address())
    peak = before
    while download.running:
        peak = max(peak, running_office.memory())
        time.sleep(0.05)  # a sampling interval, nothing is waited for
    (reply,) = download.finish()
    assert reply.exit_code == 0, reply.error
    print(
        f"{host}: {DOWNLOAD / reply.seconds / 1e6:.0f} MB/s, {before / 1e6:.0f} -> {peak / 1e6:.0f} MB"
    )
    assert peak - before < GROWTH
