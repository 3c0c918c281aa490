"""Connections to sites: table, names, guard, and then by number.

Names are resolved here and nowhere else, guarded addresses are dropped from the answers, and the
connection goes to an address that was checked: no loop resolves a name again on its own (uvloop
would, whatever stands in the place of its `getaddrinfo`). Of several addresses the second is tried
when the first has not answered within a quarter of a second (RFC 8305).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any

import aiohappyeyeballs

from proxy_addon.config.parsers import normal_host
from proxy_addon.config.settings import Settings
from proxy_addon.network.guards import TargetGuard, plain_address
from proxy_addon.network.lookups import AddressInfo, Ask, Lookups, ask_system

HAPPY_EYEBALLS_SECONDS = 0.25  # RFC 8305, section 8: Connection Attempt Delay
CONNECT_SECONDS = 30.0  # seconds until a connection that is not answered is given up
UNANSWERED_SECONDS = 1.0  # after so many seconds it is not the client who was impatient


class Asker:
    """Whose connection this is, as far as it is known: the share of names that pays for it."""

    __slots__ = ("name",)

    def __init__(self, name: str = "") -> None:
        self.name = name


# Set for each client connection; what is opened on its behalf asks in its name.
ASKER: ContextVar[Asker] = ContextVar("allowance_asker")
_NOBODY = Asker()
# While we connect to addresses that were checked: uvloop asks for the address of a number, too.
_CHECKED: ContextVar[bool] = ContextVar("allowance_checked", default=False)


type AskerName = Callable[[], str]
"""Tells who asks, called only where a name has to be looked up."""


def _current_asker() -> str:
    return ASKER.get(_NOBODY).name


class TargetRefusedError(OSError):
    """No address of a name may be reached; the message says why."""


class Resolver:
    """Names to addresses for every connection that this event loop opens: table, guard, then real
    DNS. The table applies to numeric hosts as well."""

    def __init__(self, settings: Settings, guard: TargetGuard, ask: Ask = ask_system) -> None:
        self._table = {
            (each.host, each.port): (each.address, each.to_port) for each in settings.resolve
        }
        self._guard = guard
        upstream = settings.upstream_proxy
        # The administrator named it, so it may be on this very machine.
        self._upstream = (normal_host(upstream.host), upstream.port) if upstream else None
        self._lookups = Lookups(ask)
        self._create_connection: Any = None  # the loop's own, once `install` has replaced it

    def mapped(self, host: str, port: int) -> tuple[str, int] | None:
        """Address and port that the `--resolve` table gives for a host, name or number; None = no
        line."""
        return self._table.get((normal_host(host), port)) or self._table.get(("*", port))

    def is_upstream_proxy(self, host: str, port: int) -> bool:
        """True for the address of `--upstream-proxy`, which is never guarded."""
        return self._upstream == (normal_host(host), port)

    def close(self) -> None:
        """Ask no more; questions that still run end by themselves."""
        self._lookups.close()

    async def addresses(self, host: str, port: int, asker: AskerName) -> Sequence[AddressInfo]:
        """Where a connection to `host` may go, best first. Raises TargetRefusedError when that is
        nowhere, else OSError."""
        if (mapped := self.mapped(host, port)) is not None:
            return _numeric(*mapped)
        if plain_address(host) is not None:
            return self._reachable(host, _numeric(host.strip("[]"), port))
        found = self._lookups.known(host)
        if found is None:
            found = await self._lookups.addresses(host, asker())
        return self._reachable(host, [_with_port(info, port) for info in found])

    async def connect(self, host: str, port: int, asker: AskerName) -> socket.socket:
        """A connected socket, which does not block. Raises OSError."""
        infos = await self.addresses(host, port, asker)
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await _race(infos)
        except BaseException as error:
            raise self._failed(host, error, began) from None

    async def open(
        self,
        factory: Callable[[], asyncio.BaseProtocol],
        host: str,
        port: int,
        asker: AskerName,
        **more: Any,
    ) -> tuple[Any, Any]:
        """Transport and protocol of a connection; `more` is for the loop's `create_connection`.
        Raises OSError. It waits for as long as the system does: who calls has to cancel it."""
        infos = await self.addresses(host, port, asker)
        loop = asyncio.get_running_loop()
        began = loop.time()
        address = infos[0][4]
        try:
            if len(infos) == 1 and not any(address[2:]):  # the loop takes no flow and no zone
                create = self._create_connection or loop.create_connection
                return await create(factory, address[0], address[1], **more)
            sock = await _race(infos)
        except BaseException as error:
            raise self._failed(host, error, began) from None
        return await attach(factory, sock, **more)

    def _failed(self, host: str, error: BaseException, began: float) -> BaseException:
        """The error of a connection that has come to nothing. Unless its client has just gone, the
        name is asked for again the next time."""
        waited = asyncio.get_running_loop().time() - began
        if isinstance(error, OSError | RuntimeError) or waited >= UNANSWERED_SECONDS:
            self._lookups.forget(host)
        if isinstance(error, TimeoutError):
            return timed_out(host)
        # uvloop raises both
        return OSError(str(error)) if isinstance(error, RuntimeError) else error

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on every connection of this loop that is given a name is opened by `connect`.

        Whoever gives a number has asked `TargetGuard.check_host` about it.
        """
        connect = self._create_connection = loop.create_connection

        async def create_connection(
            factory: Any, host: Any = None, port: Any = None, **more: Any
        ) -> Any:
            if not isinstance(host, str) or more.get("sock") is not None:
                return await connect(factory, host, port, **more)
            if plain_address(host) is not None and self.mapped(host, int(port)) is None:
                return await connect(factory, host, port, **more)  # nothing to be resolved
            for name in ("family", "proto", "flags", "local_addr"):
                more.pop(name, None)
            if more.get("ssl"):
                more.setdefault("server_hostname", host)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await self.open(factory, host, int(port), _current_asker, **more)
            except TimeoutError as error:
                raise error if str(error) else timed_out(host) from None

        setattr(loop, "getaddrinfo", partial(self.getaddrinfo, loop.getaddrinfo))  # noqa: B010
        setattr(loop, "create_connection", create_connection)  # noqa: B010 (mypy, as above)

    async def getaddrinfo(
        self,
        plain: Any,
        host: bytes | str | None,
        port: bytes | str | int | None,
        **more: Any,
    ) -> Sequence[AddressInfo]:
        """For whoever asks the loop by itself: as `plain`, the loop's own, with the guard applied
        to what is not for listening."""
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        passive = name is None or bool(more.get("flags", 0) & socket.AI_PASSIVE)
        if passive or not isinstance(port, int):
            found: Sequence[AddressInfo] = await plain(host, port, **more)
            return found
        if _CHECKED.get() and plain_address(name or "") is not None:
            return _numeric(name or "", port)
        return await self.addresses(name or "", port, _current_asker)

    def _reachable(self, name: str, found: Iterable[AddressInfo]) -> list[AddressInfo]:
        found = list(found)
        reachable: list[AddressInfo] = []
        refusal = ""
        for info in found:
            ip, port = str(info[4][0]), int(info[4][1])
            why = (
                None
                if self.is_upstream_proxy(name, port)
                else self._guard.check_address(name, ip, port)
            )
            if why is None:
                reachable.append(info)
            refusal = refusal or why or ""
        if not reachable:
            refusal = refusal or "the name has no address"
            raise TargetRefusedError(f"{name} cannot be reached through this proxy: {refusal}")
        return reachable


def timed_out(host: str) -> TimeoutError:
    """The error of a connection that took too long."""
    return TimeoutError(f"connecting to {host} timed out")


async def attach(
    factory: Callable[[], asyncio.BaseProtocol], sock: socket.socket, **more: Any
) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
    """Transport and protocol of a socket that is connected already."""
    loop = asyncio.get_running_loop()
    try:
        if more.get("ssl"):
            return await loop.create_connection(factory, sock=sock, **more)
        # Not `create_connection`: in uvloop's a connection that ends at once does not let go of a
        # socket that it was given.
        return await loop.connect_accepted_socket(factory, sock)
    except BaseException:
        sock.close()
        raise


async def _race(infos: Sequence[AddressInfo]) -> socket.socket:
    """A socket that is connected to the address that answers first. Raises OSError."""
    checked = _CHECKED.set(True)
    try:
        return await aiohappyeyeballs.start_connection(
            infos, happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS, loop=asyncio.get_running_loop()
        )
    finally:
        _CHECKED.reset(checked)


@lru_cache(maxsize=1024)
def _numeric(address: str, port: int) -> Sequence[AddressInfo]:
    """A number needs no name server, so it may be read right here."""
    kind, flags = socket.SOCK_STREAM, socket.AI_NUMERICHOST
    found: Sequence[Any] = socket.getaddrinfo(address, port, 0, kind, 0, flags)
    return found


def _with_port(info: AddressInfo, port: int) -> AddressInfo:
    family, kind, protocol, canonical, address = info
    return family, kind, protocol, canonical, (address[0], port, *address[2:])
