"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.pgbouncer import transaction_pooler
from tests.postgres import own_postgres, postgres_server, postgres_url

__all__ = ["own_postgres", "postgres_server", "postgres_url", "transaction_pooler"]

# Tests with real processes, sockets and seconds.
_REAL = ("e2e", "faults", "dashboards", "docs", "deploy", "proxy", "web", "browser")
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The folders of `_REAL` come first: they take long and would else leave all workers but one
    idle at the end. What is marked as long is left to `make test-long`."""
    if not os.environ.get("TEST_LONG"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]

    def real(item: pytest.Item) -> bool:
        return item.path.relative_to(_HERE).parts[0] in _REAL

    items.sort(key=real, reverse=True)


@pytest.fixture(autouse=True)
def logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands that run in this process send logs to a stream that is closed after the test: take
    that back."""
    # A logger that keeps how it was set up at its first line would keep that into the tests that
    # follow.
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
