"""Fixtures of the proxy's tests: an office on a moved clock, and real sites on loopback."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import close_sockets
from tests.e2e.origins import Origins
from tests.proxy.harness import ProxyHarness, Serving, serving
from tests.proxy.page_client import URL, tunnelled


@pytest.fixture(autouse=True)
def closed_sockets() -> Iterator[None]:
    """No connection of a test outlives it."""
    yield
    close_sockets()


@pytest.fixture(scope="session")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    """The sites that stand for the platforms."""
    with Origins(tmp_path_factory.mktemp("origins")) as servers:
        yield servers


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ProxyHarness]:
    """An office without sign-in; people are told apart by their address."""
    made = ProxyHarness(tmp_path)
    yield made
    made.close()


# Tests that speak of tunnels run with the light path in front of the engine and without it; those
# that look into the engine's handlers without it.
BOTH_WAYS = {
    "test_bad_input",
    "test_client_side",
    "test_free_tunnel",
    "test_request_ids",
    "test_rule_changes",
    "test_server_tls",
    "test_tunnel_choice",
    "test_tunnels",
}
ENGINE_ONLY = {"test_closing", "test_bounded_stream"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the ways through for each module."""
    if "proxy" not in metafunc.fixturenames:
        return
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in BOTH_WAYS:
        metafunc.parametrize("proxy", [True, False], indirect=True, ids=["light", "engine"])
    elif module in ENGINE_ONLY:
        metafunc.parametrize("proxy", [False], indirect=True, ids=["engine"])


@pytest.fixture
def proxy(request: pytest.FixtureRequest, tmp_path: Path, origins: Origins) -> Iterator[Serving]:
    """The same office behind a real proxy."""
    with serving(tmp_path, origins, light_path=getattr(request, "param", True)) as running:
        yield running


@pytest.fixture(params=["plain", "tunnel", "tls"])
def way(request: pytest.FixtureRequest, proxy: Serving) -> Iterator[tuple[socket.socket, str]]:
    """A connection for our pages in each of the three ways, and what comes before a path on it."""
    if request.param == "plain":
        yield proxy.client.socket(), URL
    elif request.param == "tunnel":
        yield proxy.client.tunnel("allowance.internal", 80)[1], ""
    else:
        yield tunnelled(proxy), ""


@pytest.fixture(scope="module")
def quick_collections() -> Iterator[None]:
    """What other tests have left is not looked through at each collection of garbage."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
