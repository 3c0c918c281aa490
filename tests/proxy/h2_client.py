"""A strict HTTP/2 client: an answer is over when its stream is, whatever its length says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes

from tests.proxy.harness import Serving

NOTHING: Mapping[str, str] = MappingProxyType({})
_EARLIER, _STREAM = 1, 3
_WINDOW = 65_535  # bytes that a connection begins with


class Answer(NamedTuple):
    """`end`: how its stream ended, "ended" or "reset"; empty when it did not."""

    status: int = 0
    body: bytes = b""
    end: str = ""


def ask(
    proxy: Serving,
    host: str,
    *,
    window: int = _WINDOW,
    timeout: float = 5.0,
    fields: Mapping[str, str] = NOTHING,
    before: Mapping[str, str] = NOTHING,
) -> Answer:
    """GET a page in a tunnel, accepting `window` bytes at a time. Ends with the stream, or when
    nothing has come for `timeout` seconds. `fields` may be illegal ones, and replace others; with
    `before` an upload with such fields begins on the same connection first."""
    _, tunnel = proxy.client.tunnel(host)
    connection = proxy.client.tls(tunnel, host, alpn=["h2"])
    connection.settimeout(timeout)
    h2 = H2Connection(H2Configuration(header_encoding="utf-8", validate_outbound_headers=False))
    h2.initiate_connection()
    h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
    head = {":method": "GET", ":scheme": "https", ":authority": host, ":path": "/"}
    if before:
        h2.send_headers(_EARLIER, list({**head, **before}.items()))
        h2.send_data(_EARLIER, bytes(10_000), end_stream=True)
    h2.send_headers(_STREAM, list({**head, "accept": "text/html", **fields}.items()), True)
    answer = Answer()
    while not answer.end:
        connection.sendall(h2.data_to_send())
        try:
            received = connection.recv(65_536)
        except (TimeoutError, ConnectionResetError):
            break  # a proxy that closed before it read all of our bytes resets the connection
        if not received:
            break
        for event in h2.receive_data(received):
            answer = _taken(h2, event, answer)
    return answer


def _taken(h2: H2Connection, event: Event, so_far: Answer) -> Answer:
    """The answer with what `event` adds to it."""
    if getattr(event, "stream_id", _STREAM) == _EARLIER:
        return so_far
    match event:
        case ResponseReceived():
            return so_far._replace(status=int(dict(event.headers)[":status"]))
        case DataReceived():
            if event.flow_controlled_length:
                h2.acknowledge_received_data(event.flow_controlled_length, _STREAM)
            return so_far._replace(body=so_far.body + event.data)
        case StreamEnded():
            return so_far._replace(end="ended")
        case StreamReset():
            return so_far._replace(end="reset")
    return so_far
