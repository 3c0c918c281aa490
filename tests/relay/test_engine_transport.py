"""Twin of proxy_addon/relay/engine_transport.py: the second answer to a CONNECT is dropped."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from proxy_addon.relay.engine_transport import EngineTransport

ANSWER = b"HTTP/1.1 200 Connection established\r\n\r\n"


def written(*pieces: bytes) -> tuple[bytes, bool]:
    """What reaches the client, and whether the connection is closed."""
    transport = Mock()
    replayed = EngineTransport(transport, answered=True)
    for piece in pieces:
        replayed.write(piece)
    out = b"".join(bytes(call.args[0]) for call in transport.write.call_args_list)
    return out, transport.close.called


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((ANSWER,), (b"", False)),
        ((ANSWER, b"a", b"b"), (b"ab", False)),
        ((ANSWER + b"a", b"b"), (b"ab", False)),
        (tuple(bytes([byte]) for byte in ANSWER + b"ab"), (b"ab", False)),
        ((b"HTTP/1.1 403 Forbidden\r\n\r\nno",), (b"", True)),
        ((b"x" * 70_000,), (b"", True)),
    ],
)
def test_the_first_head_is_dropped(pieces: tuple[bytes, ...], expected: tuple[bytes, bool]) -> None:
    """However it is cut; one that refuses ends the connection, and nothing else is ever lost."""
    assert written(*pieces) == expected


def test_lines_are_written_in_order() -> None:
    """What asyncio writes as several pieces is one."""
    transport = Mock()
    replayed = EngineTransport(transport, answered=True)
    replayed.writelines([ANSWER, b"a"])
    replayed.writelines([b"b", b"c"])
    assert [call.args[0] for call in transport.write.call_args_list] == [b"a", b"bc"]


def test_everything_else_is_that_of_the_connection() -> None:
    """Addresses, buffers and the end."""
    transport = Mock()
    transport.get_extra_info.return_value = ("127.0.0.1", 1)
    replayed = EngineTransport(transport, answered=True)
    assert replayed.get_extra_info("peername") == ("127.0.0.1", 1)
    replayed.close()
    transport.close.assert_called_once_with()


def test_the_address_that_a_balancer_passed_on() -> None:
    """It is the client's; an answer that nobody has had is written."""
    transport = Mock()
    passed = EngineTransport(transport, answered=False, address=("10.0.7.21", 50000))
    assert passed.get_extra_info("peername") == ("10.0.7.21", 50000)
    assert passed.get_extra_info("sockname") is transport.get_extra_info.return_value
    passed.write(ANSWER)
    transport.write.assert_called_once_with(ANSWER)
