"""`proxy_addon/proxy/flow_input.py`: requests as the engine and the answers see them."""

from __future__ import annotations

from proxy_addon.proxy import flow_input as reading
from tests.proxy.harness import request

HEADERS = {
    "Sec-Fetch-Dest": "Document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-User": "?1",
    "Referer": "https://News.example/a?b",
    "Origin": "https://news.example",
    "Accept": "TEXT/HTML",
    "Upgrade": "WebSocket",
    "X-Requested-With": "XMLHttpRequest",
    "Purpose": "Prefetch",
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "x-a",
    "Cookie": "private",
}


def test_exchange() -> None:
    """Fetch metadata in lower case, the page behind the request, and nothing private."""
    made = request("http://x.com/home?q=1", headers=HEADERS).request
    read = reading.fields(made)
    x = reading.exchange(made, "x.com", read)
    assert (x.method, x.host, x.path) == ("GET", "x.com", "/home?q=1")
    assert (x.dest, x.mode, x.site) == ("document", "navigate", "cross-site")
    assert (x.purpose, x.gesture) == ("prefetch", True)
    assert (x.page_host, x.page_path, x.origin_host, x.accept) == (
        "news.example",
        "/a?b",
        "news.example",
        "text/html",
    )
    assert "private" not in str(read)


def test_without_headers() -> None:
    """What is missing is None: a phone app sends nothing of all this."""
    flow = request("http://x.com/")
    made = flow.request
    x = reading.exchange(made, "x.com", reading.fields(made))
    assert {x.dest, x.mode, x.site, x.purpose, x.page_host, x.origin_host, x.accept} == {None}
    assert not x.gesture
    assert not reading.request_info(flow, "x.com", reading.fields(made)).upgrade


def test_ask() -> None:
    """What an answer depends on, with the values as they came where they are sent back."""
    flow = request("http://x.com/home", headers=HEADERS)
    ask = reading.request_info(flow, "x.com", reading.fields(flow.request))
    assert (ask.method, ask.url, ask.host) == ("GET", "http://x.com/home", "x.com")
    assert (ask.origin, ask.upgrade, ask.x_requested_with) == (
        "https://news.example",
        True,
        "XMLHttpRequest",
    )
    assert (ask.request_method, ask.request_headers) == ("PUT", "x-a")
    assert ask.request_id == flow.id[:13]


def test_first_of_repeated_fields() -> None:
    """Of a repeated field the first counts."""
    made = request("http://x.com/").request
    made.headers.set_all("Accept", ["text/html", "image/png"])
    assert reading.fields(made).get(b"accept") == "text/html"
