"""Fixtures of the proxy's tests: an office on a moved clock, and real sites on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import close_sockets
from tests.e2e.origins import Origins
from tests.proxy.harness import ProxyHarness, Serving, serving


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


@pytest.fixture
def proxy(tmp_path: Path, origins: Origins) -> Iterator[Serving]:
    """The same office behind a real proxy."""
    with serving(tmp_path, origins) as running:
        yield running
