"""Fixtures of the end-to-end tests. A module shares its proxies: starting one costs a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Client, close_sockets
from tests.e2e.office import office
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy, running

LOG_TAIL = 4000  # characters of each proxy's log that a failure shows


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is an end-to-end test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test shows the end of the log of every proxy that runs."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for proxy in running:
            report.sections.append((f"log of the proxy on {proxy.port}", proxy.log[-LOG_TAIL:]))


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


@pytest.fixture(scope="session")
def running_office(
    origins: Origins, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OfficeProxy]:
    """`allowance run` with the office's rules; nobody has to sign in, the address tells people
    apart."""
    with office(tmp_path_factory.mktemp("office"), origins) as proxy:
        yield proxy


@pytest.fixture
def client(running_office: OfficeProxy) -> Client:
    """Clients of the running office."""
    return running_office.client
