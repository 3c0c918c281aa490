"""URLs cut by hand."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.trace.event import BadRecordError
from proxy_addon.trace.urls import host_of, split_url


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://X.com/Home?a=1#b", ("https", "x.com", "/Home", "a=1")),
        ("https://x.com", ("https", "x.com", "/", "")),
        ("https://x.com?q=/a", ("https", "x.com", "/", "q=/a")),
        ("https://x.com#top/a?b", ("https", "x.com", "/", "")),
        ("wss://u:p@web.whatsapp.com.:443/ws", ("wss", "web.whatsapp.com", "/ws", "")),
        ("http://[2001:db8::1]:80/a", ("http", "2001:db8::1", "/a", "")),
        ("https://x.com//a", ("https", "x.com", "//a", "")),
    ],
)
def test_a_url_is_cut_at_the_right_places(url: str, parts: tuple[str, ...]) -> None:
    """Port, userinfo, fragment and the dot at the end go; the path keeps its case."""
    assert tuple(split_url(url)) == parts


@pytest.mark.parametrize(
    "url",
    [None, 5, "", "x.com/a", "://x.com", "https://", "https:///a", "https://:80/", "https://a b/"],
)
def test_what_is_no_url_is_refused(url: object) -> None:
    """No scheme or no host is a problem of the line."""
    with pytest.raises(BadRecordError):
        split_url(url)


@settings(max_examples=100)
@given(
    st.from_regex(
        r"https://[a-z]{1,9}(\.[a-z]{2,5}){1,2}(:[0-9]{2,4})?(/[a-zA-Z0-9._~-]{0,8}){0,3}",
        fullmatch=True,
    )
)
def test_we_agree_with_the_standard_splitter(url: str) -> None:
    """On ordinary URLs the short cut and the standard library say the same."""
    standard = urlsplit(url)
    ours = split_url(url)
    assert (ours.host, ours.path) == (standard.hostname, standard.path or "/")


def test_a_host_may_come_with_its_port() -> None:
    """Squid writes the target of a tunnel as host:port."""
    assert host_of("Graph.Facebook.com:443") == "graph.facebook.com"
