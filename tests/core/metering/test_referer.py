"""`proxy_addon/core/metering/referer.py`: the page behind a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.metering.referer import page_of


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("https://news.example/a/b?c=d", ("news.example", "/a/b?c=d")),
        ("https://NEWS.example.:443", ("news.example", "/")),
        ("http://user:pw@news.example/", ("news.example", "/")),
        ("https://bücher.example/", ("xn--bcher-kva.example", "/")),
        ("android-app://com.example.app/", ("com.example.app", "/")),
        ("null", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
        ("/only/a/path", (None, None)),
        ("https:///path", (None, "/path")),
    ],
)
def test_page_of(referer: str | None, page: tuple[str | None, str | None]) -> None:
    """Host in its one spelling, and path; nothing for what is not a URL."""
    assert page_of(referer) == page


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """A client may send what it likes."""
    host, path = page_of(text)
    assert host is None or host
    assert path is None or path.startswith("/")
