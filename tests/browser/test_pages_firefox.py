"""Every page in every state, in Firefox."""

from __future__ import annotations

from tests.browser.page_tests import PageTests


class TestFirefox(PageTests):
    """The tests of `page_tests.py`."""

    kind = "firefox"
