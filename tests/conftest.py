"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.postgres import own_postgres, postgres_server, postgres_url

__all__ = ["own_postgres", "postgres_server", "postgres_url"]

# Tests with real processes, sockets and seconds. On a machine that others use as well one of them may wait in vain:
# it is asked once more, and pytest's last line says how often that was needed.
_REAL = ("e2e", "faults", "dashboards", "docs", "deploy", "proxy", "web")
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A second try for the tests in the folders of `_REAL`, for no others; and they come first, since they take long
    and would otherwise leave all workers but one without work at the end.
    """

    def real(item: pytest.Item) -> bool:
        return item.path.relative_to(_HERE).parts[0] in _REAL

    for item in filter(real, items):
        item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=real, reverse=True)


@pytest.fixture(autouse=True)
def logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands that run in this process send logs to a stream that is closed after the test: take that back."""
    # A logger that keeps how it was set up at its first line would keep that into the tests that follow.
    configure = structlog.configure

    def uncached(**given: Any) -> None:
        configure(**given | {"cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
