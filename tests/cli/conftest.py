"""What every test of a command gets."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet_neighbours() -> Iterator[None]:
    """Servers that other tests keep in threads of this process log to the same streams: not what a
    command says."""
    here = threading.get_ident()

    def ours(record: logging.LogRecord) -> bool:
        return record.thread == here

    log = logging.getLogger("asyncio")
    log.addFilter(ours)
    yield
    log.removeFilter(ours)
