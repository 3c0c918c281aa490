"""Twin of proxy_addon/system/event_loop.py: uvloop where it works, and nothing is lost by it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from proxy_addon.config.settings import load_settings
from proxy_addon.network.guards import TargetGuard
from proxy_addon.network.resolver import Resolver
from proxy_addon.system import event_loop
from proxy_addon.system.event_loop import loop_factory

uvloop = pytest.importorskip("uvloop", reason="uvloop does not exist for this system")
HERE = "127.0.0.1"


def run(wanted: Any, main: Any) -> Any:
    """Run a coroutine under the loop for a setting."""
    return asyncio.run(main(), loop_factory=loop_factory(wanted))


async def kind() -> bool:
    """Whether this loop is uvloop's."""
    return isinstance(asyncio.get_running_loop(), uvloop.Loop)


@pytest.mark.parametrize(("wanted", "used"), [("auto", True), ("on", True), ("off", False)])
def test_the_setting(wanted: str, used: bool) -> None:
    """`auto` and `on` use uvloop where it works, which is here; `off` does not."""
    assert run(wanted, kind) is used


@pytest.mark.parametrize(("wanted", "level"), [("auto", "info"), ("on", "warning")])
def test_where_it_is_not_installed(
    wanted: Any, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's loop is used, and one line says so."""
    monkeypatch.setattr(event_loop, "uvloop", None)
    with structlog.testing.capture_logs() as lines:
        assert loop_factory(wanted) is asyncio.new_event_loop
    assert [(line["event"], line["log_level"]) for line in lines] == [("uvloop is not used", level)]


class Lazy(uvloop.Loop):  # type: ignore[name-defined,misc]
    """A loop whose tasks do not begin at once."""

    def set_task_factory(self, factory: Any) -> None:
        """As a version that does not know eager tasks."""


class Deaf(uvloop.Loop):  # type: ignore[name-defined,misc]
    """A loop that does not call what stands in the place of its methods."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("create_connection", "create_server"):
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        pass


@pytest.mark.parametrize("broken", [Lazy, Deaf])
def test_a_version_that_does_not_work(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that lacks something that the proxy relies on is found out before it is used."""
    monkeypatch.setattr(event_loop, "_uvloop", lambda: broken)
    monkeypatch.setattr(event_loop, "CHECK_SECONDS", 1.0)
    with structlog.testing.capture_logs() as lines:
        assert loop_factory("auto") is asyncio.new_event_loop
    assert [line["event"] for line in lines] == ["uvloop is not used"]


async def _connections(folder: Path) -> dict[str, str]:
    """What becomes of connections by name, with a table and with the guard."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), HERE, 0)
    port = server.sockets[0].getsockname()[1]
    settings = load_settings(
        {"resolve": [f"mapped.example:80={HERE}:{port}"], "state": folder / "state"}
    )
    asked: list[str] = []

    def ask(host: str) -> Any:
        asked.append(host)
        return [(2, 1, 6, "", (HERE, 0))]

    resolver = Resolver(settings, TargetGuard(settings, ()), ask)
    resolver.install(asyncio.get_running_loop())
    found = {}
    for host, to in (("mapped.example", 80), ("inner.example", port), ("localhost", port)):
        try:
            _, writer = await asyncio.open_connection(host, to)
            found[host] = str(writer.get_extra_info("peername")[:2] == (HERE, port))
            writer.close()
        except OSError as error:
            found[host] = str(error).partition(":")[0]
    loop: Any = asyncio.get_running_loop()
    try:
        await loop.getaddrinfo("inner.example", port)
        found["getaddrinfo"] = "answered"
    except OSError as error:
        found["getaddrinfo"] = str(error).partition(":")[0]
    resolver.close()
    server.close()
    return found


@pytest.mark.parametrize("wanted", ["on", "off"])
def test_no_connection_goes_round_the_guard(wanted: Any, tmp_path: Path) -> None:
    """Under either loop: a name that leads to this machine is refused, whoever asks; the table is
    honoured; and a connection goes to the address that was checked."""
    assert run(wanted, lambda: _connections(tmp_path)) == {
        "mapped.example": "True",
        "inner.example": "inner.example cannot be reached through this proxy",
        "localhost": "localhost cannot be reached through this proxy",
        "getaddrinfo": "inner.example cannot be reached through this proxy",
    }
