"""The browser of `page_tests.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.interface import Proxy
from tests.browser.page_tests import WHOLE, Desk, PageTests, in_short_form
from tests.browser.pages_server import PagesServer
from tests.browser.start import start


@pytest.fixture(scope="class")
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """One browser, of the kind that the class names, for all pages."""
    with PagesServer() as server, start(request.cls.kind, Proxy(server.port)) as browser:
        yield Desk(browser, server)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make browsers` runs."""
    if WHOLE:
        return
    left_out = [item for item in items if isinstance(item, pytest.Function) and _is_long(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_long(item: pytest.Function) -> bool:
    if item.cls is None or not issubclass(item.cls, PageTests):
        return False
    given = item.callspec.params if hasattr(item, "callspec") else {}
    test = item.originalname
    return not in_short_form(test, item.cls.kind, given.get("page", ""), given.get("language", ""))
