"""Twin of proxy_addon/network/resolver.py: connections go where the guard has looked, and nowhere
else."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence

import pytest

from proxy_addon.config.settings import Settings
from proxy_addon.network import resolver as module
from proxy_addon.network.connect_errors import kind_of
from proxy_addon.network.guards import TargetGuard
from proxy_addon.network.resolver import ASKER, Asker, Resolver, TargetRefusedError


def guard(**settings: object) -> TargetGuard:
    return TargetGuard(Settings(**settings), (8080, 8081))


async def serve() -> tuple[asyncio.Server, int]:
    """A server on loopback that greets and hangs up."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def resolver(**settings: object) -> Resolver:
    """A resolver for the connections of this loop."""
    made = Resolver(Settings(**settings), guard(**settings))
    made.install(asyncio.get_running_loop())
    return made


async def test_table_leads_to_address_and_port():
    """A connection to a redirected name goes to the address and port of the table, loopback or
    not."""
    server, port = await serve()
    made = resolver(resolve=[f"x.com:443=127.0.0.1:{port}", f"*:80=127.0.0.1:{port}"])
    for host, asked in (("x.com", 443), ("X.com.", 443), ("anything.example", 80)):
        reader, writer = await asyncio.open_connection(host, asked)
        assert await reader.read() == b"hello"
        writer.close()
    assert made.mapped("x.com", 443) == ("127.0.0.1", port)
    assert made.mapped("y.com", 443) is None
    assert guard(resolve=["x.com:443=127.0.0.1:1"]).check_host("x.com", 443) is None
    made.close()
    server.close()


async def test_mapped_numeric_host():
    """A numeric host of the table is given to the adapter, because asyncio would connect to it
    directly."""
    made = resolver(resolve=["192.0.2.1:443=127.0.0.1:8443", "[2001:db8::1]:443=[::1]:8443"])
    assert made.mapped("192.0.2.1", 443) == ("127.0.0.1", 8443)
    assert made.mapped("[2001:DB8:0::1]", 443) == ("::1", 8443)
    made.close()


async def test_name_that_leads_here_is_refused():
    """A name that resolves to this machine is not connected to, whatever it is called (DNS
    rebinding)."""
    server, port = await serve()
    made = resolver()
    with pytest.raises(
        TargetRefusedError, match=r"localhost cannot be reached .* a loopback address"
    ):
        await asyncio.open_connection("localhost", port)
    with pytest.raises(TargetRefusedError, match="a loopback address"):
        await asyncio.open_connection("127.1", port)
    made.close()
    server.close()


async def test_listed_name_is_resolved():
    """A name that is listed is resolved by the system as ever, and connected to."""
    server, port = await serve()
    made = resolver(allow_targets=[f"localhost:{port}"])
    reader, writer = await asyncio.open_connection("localhost", port, family=socket.AF_INET)
    assert await reader.read() == b"hello"
    writer.close()
    made.close()
    server.close()


def answers(**of: Sequence[str]) -> object:
    """What the system would answer, by name; no name of the internet may be asked for in a test."""

    def ask(name: str) -> list[tuple[object, ...]]:
        made: list[tuple[object, ...]] = []
        for address in of[name.replace(".", "_")]:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            made.append((family, socket.SOCK_STREAM, 6, "", (address, 0)))
        return made

    return ask


async def test_guarded_answers_are_dropped_from_mixed_ones():
    """Of an answer with guarded and open addresses only the open ones are left."""
    ask = answers(mixed_example=["127.0.0.1", "2001:db8::5", "::ffff:127.0.0.1"])
    made = Resolver(Settings(), guard(), ask)
    made.install(asyncio.get_running_loop())
    found = await asyncio.get_running_loop().getaddrinfo("mixed.example", 443)
    assert [info[4][:2] for info in found] == [("2001:db8::5", 443)]
    made.close()


async def test_a_name_without_addresses_is_refused():
    """And says so."""
    made = Resolver(Settings(), guard(), answers(empty_example=[]))
    with pytest.raises(TargetRefusedError, match="has no address"):
        await made.connect("empty.example", 443, lambda: "dora")
    made.close()


async def test_a_silent_address_costs_a_quarter_of_a_second(monkeypatch):
    """RFC 8305: the second address is tried while the first has not answered, and wins."""
    server, port = await serve()
    made = Resolver(
        Settings(allow_targets=["127.0.0.0/8"]),
        guard(allow_targets=["127.0.0.0/8"]),
        answers(two_example=["127.0.0.9", "127.0.0.1"]),
    )
    real = asyncio.get_running_loop().sock_connect

    async def sock_connect(sock: socket.socket, address: tuple[str, int]) -> None:
        if address[0] == "127.0.0.9":
            await asyncio.sleep(60)  # an address that drops what it is sent
        await real(sock, address)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", sock_connect)
    began = time.monotonic()
    sock = await made.connect("two.example", port, lambda: "dora")
    assert sock.getpeername() == ("127.0.0.1", port)
    assert 0.2 < time.monotonic() - began < 2.0
    sock.close()
    made.close()
    server.close()


@pytest.mark.parametrize("addresses", [["192.0.2.1"], ["192.0.2.1", "192.0.2.2"]])
async def test_an_address_that_never_answers_is_given_up(monkeypatch, addresses: list[str]):
    """A site that drops everything is an error within a bounded time, not after minutes, whether
    mitmproxy connects or we do, and its name is asked for again."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    made = Resolver(Settings(), guard(), answers(silent_example=addresses))
    loop = asyncio.get_running_loop()

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(loop, "sock_connect", never)
    monkeypatch.setattr(loop, "create_connection", never)
    made.install(loop)
    with pytest.raises(TimeoutError, match=r"^connecting to silent\.example timed out$"):
        await made.connect("silent.example", 443, lambda: "dora")
    assert made._lookups.known("silent.example") is None
    with pytest.raises(TimeoutError, match=r"^connecting to silent\.example timed out$"):
        await asyncio.open_connection("silent.example", 443)
    made.close()


@pytest.mark.parametrize(("waits", "known"), [(0.0, True), (0.3, False)])
async def test_a_client_that_has_gone(monkeypatch, waits: float, known: bool):
    """Whoever cancels at once has not waited for the address; after a while the name is asked for
    again the next time."""
    monkeypatch.setattr(module, "UNANSWERED_SECONDS", 0.2)
    made = Resolver(Settings(), guard(), answers(silent_example=["192.0.2.1"]))

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    opening = made.open(asyncio.Protocol, "silent.example", 443, lambda: "dora")
    task = asyncio.ensure_future(opening)
    await made.addresses("silent.example", 443, lambda: "dora")
    await asyncio.sleep(waits)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (made._lookups.known("silent.example") is not None) == known
    made.close()


@pytest.mark.parametrize("answer", ["taken", "refused"])
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.1"]])
async def test_a_name_is_connected_to(answer: str, addresses: list[str]):
    """Whether it has one address or several, and an error is the system's."""
    server, port = await serve()
    if answer == "refused":
        server.close()
        await server.wait_closed()
    made = Resolver(
        Settings(allow_targets=["127.0.0.1"]),
        guard(allow_targets=["127.0.0.1"]),
        answers(one_example=addresses),
    )
    if answer == "refused":
        for attempt in (
            made.connect("one.example", port, lambda: "dora"),
            made.open(asyncio.Protocol, "one.example", port, lambda: "dora"),
        ):
            with pytest.raises(OSError, match=r"Connect call failed|Connection refused") as raised:
                await attempt
            assert kind_of(str(raised.value)) == "refused"
    else:
        sock = await made.connect("one.example", port, lambda: "dora")
        assert (sock.getpeername(), sock.getblocking()) == (("127.0.0.1", port), False)
        sock.close()
        transport, _ = await made.open(asyncio.Protocol, "one.example", port, lambda: "dora")
        assert transport.get_extra_info("peername") == ("127.0.0.1", port)
        transport.abort()
    made.close()
    server.close()


async def test_who_asks_is_known_to_the_task():
    """A connection that mitmproxy opens asks in the name of its client's connection."""
    asked: list[str] = []
    made = Resolver(Settings(), guard(), answers())

    async def addresses(name: str, asker: str) -> None:
        asked.append(asker)
        raise OSError("enough")

    made._lookups.addresses = addresses
    made.install(asyncio.get_running_loop())
    ASKER.set(Asker("dora"))
    with pytest.raises(OSError, match="enough"):
        await asyncio.ensure_future(asyncio.open_connection("x.example", 443))
    assert asked == ["dora"]
    made.close()


async def test_upstream_proxy_may_stand_here():
    """The upstream proxy is reached on loopback, because it was named; its neighbours are not."""
    server, port = await serve()
    made = resolver(upstream_proxy=f"http://localhost:{port}")
    reader, writer = await asyncio.open_connection("localhost", port, family=socket.AF_INET)
    assert await reader.read() == b"hello"
    writer.close()
    assert made.is_upstream_proxy("localhost", port)
    with pytest.raises(TargetRefusedError):
        await asyncio.open_connection("localhost", port + 1)
    made.close()
    server.close()


async def test_listening_is_not_guarded():
    """Servers of the same loop still listen on a local name."""
    made = resolver()
    server = await asyncio.start_server(lambda r, w: None, "localhost", 0)
    assert server.sockets
    server.close()
    made.close()


async def test_unknown_name_fails_as_ever():
    """A name that nobody knows fails with the system's own error, and so does what is no name."""
    made = resolver()
    with pytest.raises(socket.gaierror):
        await asyncio.open_connection("does-not-exist.invalid", 443)
    with pytest.raises(OSError, match="is not a valid name"):
        await asyncio.open_connection("x" * 70 + ".example", 443)
    made.close()
