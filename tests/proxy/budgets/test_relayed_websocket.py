"""`proxy_addon/proxy/budgets/relayed_websocket.py`: WebSockets through real proxies, and the layer
by hand where it matters how much of a message it keeps."""

from __future__ import annotations

import random
import ssl
from typing import Any

import pytest
import wsproto.events
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers.websocket import WebsocketMessageHook
from mitmproxy.test import taddons, tflow
from wsproto import Connection, ConnectionType
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason

from proxy_addon.proxy.budgets import shares
from proxy_addon.proxy.budgets.bounded_deflate import bounded
from proxy_addon.proxy.budgets.relayed_websocket import HELD_BYTES, RelayedWebSocket
from proxy_addon.proxy.budgets.shares import share_of
from tests.e2e.client import fresh_address, read_until
from tests.e2e.websocket import WebSocket
from tests.proxy.harness import Serving

HOST = "www.facebook.com"
HANDSHAKE = (
    f"GET http://{HOST}/ws HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class ByHand:
    """The layer between a client and a site; what it passes on is read again."""

    def __init__(self, *, deflates: bool = True) -> None:
        flow = tflow.twebsocketflow(messages=False, close_code=None)
        assert flow.response is not None
        if deflates:
            flow.response.headers["Sec-WebSocket-Extensions"] = "permessage-deflate"
        with taddons.context() as office:
            made = context.Context(flow.client_conn, office.options)
        made.server = flow.server_conn
        self.flow = flow
        self.layer = RelayedWebSocket(made, flow)
        self.client = self.side(ConnectionType.CLIENT, deflates=deflates)
        self.site = self.side(ConnectionType.SERVER, deflates=deflates)
        self.handled: list[int] = []  # the sizes of what the add-on is told
        self._give(events.Start())

    @staticmethod
    def side(kind: ConnectionType, *, deflates: bool = True) -> Connection:
        """One side, with compression or without."""
        deflate = PerMessageDeflate()
        deflate.finalize("permessage-deflate")
        made = Connection(kind, [deflate] if deflates else [])
        bounded(made._proto.extensions)
        return made

    def _give(self, event: events.Event) -> None:
        for command in self.layer.handle_event(event):
            if isinstance(command, commands.SendData):
                to_client = command.connection is self.flow.client_conn
                (self.client if to_client else self.site).receive_data(command.data)
            elif isinstance(command, WebsocketMessageHook):
                assert self.flow.websocket is not None
                self.handled.append(len(self.flow.websocket.messages.pop().content))
                self._give(events.HookCompleted(command))
            elif isinstance(command, commands.StartHook) and command.blocking:
                self._give(events.HookCompleted(command))

    def send(self, data: bytes, piece: int = 65_536) -> None:
        """The client sends bytes."""
        for start in range(0, len(data), piece):
            part = data[start : start + piece]
            self._give(events.DataReceived(self.flow.client_conn, part))

    def came(self) -> list[Any]:
        """What the site has read since the last time."""
        return list(self.site.events())


@pytest.fixture
def by_hand() -> ByHand:
    """See above."""
    return ByHand()


def test_a_message_that_does_not_end_is_not_kept(by_hand: ByHand) -> None:
    """What has come of it is with the site already, and no piece is longer than what is held."""
    content = random.Random(7).randbytes(16 << 20)
    unfinished = by_hand.client.send(wsproto.events.BytesMessage(content))
    by_hand.send(unfinished[:-100])
    came = by_hand.came()
    assert not any(each.message_finished for each in came)
    assert sum(len(each.data) for each in came) > len(content) - 2 * HELD_BYTES
    assert max(by_hand.handled) < 2 * HELD_BYTES
    assert sum(map(len, by_hand.layer.client_ws.frame_buf)) <= HELD_BYTES


def test_many_messages_that_do_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits of all WebSockets of a person is bounded; the one that goes beyond is closed."""
    by_hand = ByHand(deflates=False)
    monkeypatch.setattr(shares, "PERSON_BYTES", HELD_BYTES // 2)
    share_of(by_hand.flow.client_conn).person = shares.PersonShare(0.0)
    begun = by_hand.client.send(wsproto.events.BytesMessage(bytes(HELD_BYTES)))
    by_hand.send(begun[: HELD_BYTES // 4])
    assert by_hand.came() == []
    by_hand.send(begun[HELD_BYTES // 4 : HELD_BYTES - 100])
    (closed,) = by_hand.came()
    assert closed.code == CloseReason.POLICY_VIOLATION
    assert closed.reason == "too much waits"


def test_long_messages_arrive_whole(by_hand: ByHand) -> None:
    """In other frames, and the same for the site; text is not cut within a character."""
    text = "".join(random.Random(8).choices("aü€😀", k=1_500_000))
    by_hand.send(by_hand.client.send(wsproto.events.TextMessage(text)), piece=4099)
    came = by_hand.came()
    assert "".join(each.data for each in came) == text
    assert [each.message_finished for each in came if each.frame_finished][-1]
    assert sum(by_hand.handled) == len(text.encode())


def test_short_messages_keep_their_frames() -> None:
    """Some sites take a message only in one frame, some only in several: they get what was sent."""
    by_hand = ByHand(deflates=False)
    sender = by_hand.client
    by_hand.send(sender.send(wsproto.events.TextMessage("whole")))
    by_hand.send(sender.send(wsproto.events.TextMessage("in ", message_finished=False)))
    assert len(by_hand.came()) == 1
    by_hand.send(sender.send(wsproto.events.TextMessage("two")))
    assert [(each.data, each.message_finished) for each in by_hand.came() if each.data] == [
        ("in ", False),
        ("two", True),
    ]
    assert by_hand.handled == [5, 6]


@pytest.mark.parametrize("deflates", [False, True])
def test_pings_pass(*, deflates: bool) -> None:
    """Also between the fragments of a message."""
    by_hand = ByHand(deflates=deflates)
    sender = by_hand.client
    by_hand.send(sender.send(wsproto.events.TextMessage("in ", message_finished=False)))
    by_hand.send(sender.send(wsproto.events.Ping(b"there?")))
    by_hand.send(sender.send(wsproto.events.TextMessage("two")))
    kinds = [type(each) for each in by_hand.came()]
    assert kinds[0] is wsproto.events.Ping
    assert by_hand.handled == [6]


def handshake(proxy: Serving, source: str, more: str = "") -> Any:
    """A WebSocket without TLS, by hand."""
    connection = proxy.client.socket(source)
    connection.sendall((HANDSHAKE + more + "\r\n").encode())
    assert b" 101 " in read_until(connection, b"\r\n\r\n")
    return connection


def closed_with(connection: Any, reader: Connection) -> int:
    """The code with which the proxy closes."""
    connection.settimeout(30)
    while True:
        data = connection.recv(65_536)
        assert data, "it was closed without a word"
        reader.receive_data(data)
        for event in reader.events():
            if isinstance(event, wsproto.events.CloseConnection):
                return int(event.code)


def test_a_flood_of_pings_is_closed(proxy: Serving) -> None:
    """With 1008, and it is counted."""
    connection = handshake(proxy, fresh_address())
    sender = Connection(ConnectionType.CLIENT)
    flood = b"".join(sender.send(wsproto.events.Ping(b"x")) for _ in range(8000))
    connection.settimeout(30)
    try:
        connection.sendall(flood)
    except OSError:
        pass  # it was closed meanwhile; what was sent to us can be read
    assert closed_with(connection, sender) == CloseReason.POLICY_VIOLATION
    assert proxy.harness.counted("refused_total", budget="websocket") == 1


def test_a_bomb_is_closed(proxy: Serving) -> None:
    """With 1009, and it is counted."""
    extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    connection = handshake(proxy, fresh_address(), extension)
    sender = ByHand.side(ConnectionType.CLIENT)
    connection.sendall(sender.send(wsproto.events.BytesMessage(bytes(64 << 20))))
    assert closed_with(connection, sender) == CloseReason.MESSAGE_TOO_BIG
    assert proxy.harness.counted("refused_total", budget="websocket") == 1


def test_messages_come_back(proxy: Serving) -> None:
    """Short and long ones, through TLS and compressed as clients do it."""
    status, tunnel = proxy.client.tunnel(HOST)
    assert status == 200
    trust = ssl.create_default_context(cafile=proxy.client.trust)
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with WebSocket(f"wss://{HOST}/ws", tunnel, trust) as chat:
        for message in ("hello", "ä" * 300_000, ""):
            chat.send(message)
            assert chat.recv(timeout=20) == message
