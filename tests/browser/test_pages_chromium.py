"""Every page in every state, in Chromium."""

from __future__ import annotations

from tests.browser.page_tests import PageTests


class TestChromium(PageTests):
    """The tests of `page_tests.py`."""

    kind = "chromium"
