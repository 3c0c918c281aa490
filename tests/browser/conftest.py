"""The browser of `page_tests.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.interface import Proxy
from tests.browser.page_tests import Desk
from tests.browser.pages_server import PagesServer
from tests.browser.start import start


@pytest.fixture(scope="class")
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """One browser, of the kind that the class names, for all pages."""
    with PagesServer() as server, start(request.cls.kind, Proxy(server.port)) as browser:
        yield Desk(browser, server)
