"""Headers that a format does not keep."""

from __future__ import annotations

import pytest

from proxy_addon.trace.unsent_headers import page_headers

HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "status", "kind", "page"),
    [
        ("GET", 200, HTML, True),
        ("GET", 206, "application/xhtml+xml", True),
        ("GET", 304, HTML, True),
        ("GET", 302, HTML, False),
        ("GET", 404, HTML, False),
        ("GET", 0, HTML, False),
        ("POST", 200, HTML, False),
        ("HEAD", 200, HTML, False),
        ("GET", 200, "application/json", False),
        ("GET", 200, "", False),
    ],
)
def test_which_answers_were_pages(method: str, status: int, kind: str, page: bool) -> None:
    """HTML that a GET was answered with."""
    assert ("accept" in page_headers(method, status, kind)) is page


def test_what_is_known_stays() -> None:
    """Referer and agent of `combined`; the agent of an app says that it is no browser."""
    browser = {"referer": "https://x.com/", "user-agent": "Mozilla/5.0"}
    assert page_headers("GET", 200, HTML, browser) == browser | {"accept": "text/html"}
    app = {"user-agent": "okhttp/4.9"}
    assert page_headers("GET", 200, HTML, app) == app
