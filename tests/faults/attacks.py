"""One client attacks a real proxy in every way that is known, and somebody else uses it meanwhile.

`python -m tests.faults.attacks` attacks for some seconds each, `--long` for longer; both print, for
each attack, how long the pages of somebody else took (an ordinary site, a limited one and our own
page, each ten times a second on a connection of its own), and what the proxy needed. The attacker,
somebody else and the sites are processes of their own; the attacker connects again as soon as it is
thrown out.
"""

from __future__ import annotations

import argparse
import itertools
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import wsproto.events
from hpack import Encoder
from hyperframe.frame import SettingsFrame
from wsproto import Connection, ConnectionType
from wsproto.extensions import PerMessageDeflate

from tests.e2e.client import Client, close_sockets, read_until
from tests.e2e.office import office, policy
from tests.e2e.process import ROOT, OfficeProxy
from tests.faults.attack_sites import SitesElsewhere
from tests.faults.visitor import SITES, Visitor, load
from tests.proxy.budgets import floods

ATTACKER = "127.0.3.1"
LIMITED, BLOCKED = "www.facebook.com", "www.tiktok.com"
HANDSHAKE = (
    f"GET /ws HTTP/1.1\r\nHost: {LIMITED}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
NONE = "nothing"

type Attack = Callable[[Client], None]


class Measured(NamedTuple):
    """Seconds that pages took by site, and what the proxy needed: seconds of the processor for each
    second, and its most memory, bytes."""

    pages: dict[str, list[float]]
    processor: float
    memory: int

    def line(self, name: str) -> str:
        """One row of the table."""
        cells = [
            f"{statistics.median(took):.3f} / {max(took):.3f}" if took else "none"
            for took in self.pages.values()
        ]
        return (
            f"{name:16} "
            + "  ".join(f"{each:>15}" for each in cells)
            + (f"  {self.processor:5.2f} {self.memory / 2**20:6.0f}")
        )


# -- the attacker


def _secure(client: Client, host: str, alpn: str) -> ssl.SSLSocket | None:
    """TLS in a tunnel; None: it was refused."""
    status, tunnel = client.tunnel(host, source=ATTACKER)
    return client.tls(tunnel, host, [alpn]) if status == 200 else None


def _flood(flood: floods.Flood, host: str = LIMITED) -> Attack:
    def attack(client: Client) -> None:
        connection = _secure(client, host, "h2")
        if connection is not None:
            floods.send(connection, flood(host), 20_000)

    return attack


def _websocket(client: Client) -> tuple[ssl.SSLSocket, Connection] | None:
    """A WebSocket that is open; None: it was refused."""
    connection = _secure(client, LIMITED, "http/1.1")
    if connection is None:
        return None
    connection.sendall(HANDSHAKE.encode())
    read_until(connection, b"\r\n\r\n")
    deflate = PerMessageDeflate()
    deflate.finalize("permessage-deflate")
    return connection, Connection(ConnectionType.CLIENT, [deflate])


def _messages(client: Client, event: wsproto.events.Event, most: int | None = None) -> None:
    if opened := _websocket(client):
        connection, sender = opened
        connection.sendall(sender.send(event)[:most])
        connection.settimeout(2)
        connection.recv(1000)


def _without_end(event: wsproto.events.Event) -> Attack:
    """The same small frame, as often as it is taken."""

    def attack(client: Client) -> None:
        if opened := _websocket(client):
            connection, sender = opened
            for _ in range(2000):
                connection.sendall(b"".join(sender.send(event) for _ in range(50)))
                with suppress(TimeoutError):
                    connection.settimeout(0.0005)
                    connection.recv(65_536)
                connection.settimeout(10)

    return attack


def bomb(client: Client) -> None:
    """A compressed message of 400 MB in 400 KB."""
    _messages(client, wsproto.events.BytesMessage(bytes(400 << 20)))


def unfinished(client: Client) -> None:
    """A message that does not end."""
    _messages(client, wsproto.events.BytesMessage(os.urandom(64 << 20)), most=(64 << 20) - 100)


def ask_pages(client: Client) -> None:
    """Page after page of ours."""
    request = b"GET /me.json HTTP/1.1\r\nHost: allowance.internal\r\n\r\n"
    connections = [_secure(client, "allowance.internal", "http/1.1") for _ in range(20)]
    for _, connection in itertools.product(range(20), connections):
        if connection is not None:
            with suppress(OSError):
                connection.sendall(request)
    for connection in connections:
        if connection is not None:
            connection.settimeout(2)
            with suppress(OSError):
                connection.recv(65_536)


def unread(client: Client) -> None:
    """Ninety streams of a megabyte on each of forty connections, in windows of nothing."""
    opened = []
    for _ in range(40):
        connection = _secure(client, LIMITED, "h2")
        if connection is None:
            break
        encoder = Encoder()
        streams = [floods.head(encoder, 2 * n + 1, LIMITED, path="/big") for n in range(90)]
        closed = SettingsFrame(0, {SettingsFrame.INITIAL_WINDOW_SIZE: 0}).serialize()
        connection.sendall(floods.PREFACE + closed + b"".join(streams))
        opened.append(connection)
    time.sleep(1)
    del opened


def silence(client: Client) -> None:
    """2,500 connections on which nothing is said."""
    opened = []
    with suppress(OSError):
        opened = [client.socket(ATTACKER) for _ in range(2500)]
    time.sleep(1)
    del opened


ATTACKS: dict[str, Attack] = {
    **{flood.__name__: _flood(flood) for flood in floods.COUNTED},
    "requests": _flood(floods.requests, BLOCKED),
    "continuations": _flood(floods.continuations),
    "header_bomb": _flood(floods.header_bomb),
    "bomb": bomb,
    "unfinished": unfinished,
    "ws_pings": _without_end(wsproto.events.Ping(b"x")),
    "ws_messages": _without_end(wsproto.events.TextMessage("x")),
    "ws_fragments": _without_end(wsproto.events.TextMessage("x", message_finished=False)),
    "unread": unread,
    "pages": ask_pages,
    "silence": silence,
}


def attack_until(name: str, port: int, trust: Path, seconds: float) -> None:
    """Attack again and again."""
    print("begins", flush=True)
    end = time.monotonic() + seconds
    client = Client(port, trust)
    while time.monotonic() < end:
        with suppress(OSError, AssertionError):
            ATTACKS[name](client)
        close_sockets()
        time.sleep(0.01)


# -- both


def needs(pid: int) -> tuple[float, int]:
    """Seconds of the processor so far, and the most memory, bytes."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return ticks / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) * 1024


def measure(proxy: OfficeProxy, name: str, seconds: float) -> Measured:
    """Pages of somebody while one attack goes on."""
    assert proxy.process is not None
    arguments = [name, str(proxy.port), str(proxy.client.trust), str(seconds)]
    command = [sys.executable, "-m", "tests.faults.attacks", "--attack", *arguments]
    attacker = None
    if name != NONE:
        command[:0] = ["nice", "-n", "19"]  # as if it were on a machine of its own
        attacker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert attacker.stdout is not None and attacker.stdout.readline() == b"begins\n"
    before, began = needs(proxy.process.pid)[0], time.monotonic()
    try:
        took = Visitor(proxy.port, proxy.client.trust, seconds).finish()
    finally:
        if attacker is not None:
            attacker.kill()
            attacker.communicate()
    after, memory = needs(proxy.process.pid)
    return Measured(took, (after - before) / (time.monotonic() - began), memory)


def measured(names: Iterator[str], seconds: float) -> Iterator[tuple[str, Measured]]:
    """Each attack on a proxy of its own, first none."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origins = stack.enter_context(SitesElsewhere(folder / "origins"))
        for name in names:
            rules = policy(short="30m")
            with office(folder / name, origins, rules) as proxy:
                for host in SITES.values():
                    load(proxy.client, host)
                yield name, measure(proxy, name, seconds)


def main() -> None:
    """Measure, or attack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--long", action="store_true", help="30 s for each attack instead of 5")
    parser.add_argument("--attack", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(ATTACKS)}; all without any")
    given = parser.parse_args()
    if given.attack:
        name, port, trust, seconds = given.attack
        attack_until(name, int(port), Path(trust), float(seconds))
        return
    print(f"{'attack':16} " + "  ".join(f"{each:>15}" for each in SITES) + "    CPU    MiB")
    names = iter([NONE, *(given.names or ATTACKS)])
    for name, found in measured(names, 30.0 if given.long else 5.0):
        print(found.line(name), flush=True)


if __name__ == "__main__":
    main()
