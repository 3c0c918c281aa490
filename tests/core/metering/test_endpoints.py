"""Twin of proxy_addon/core/metering/endpoints.py: one name for each request of an endpoint."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.endpoints import endpoint


@pytest.mark.parametrize(
    ("host", "path", "key"),
    [
        ("x.com", "/home", "x.com/home"),
        ("x.com", "/i/badge.json?v=2", "x.com/i/badge.json"),
        ("x.com", "/a/status/1788990011", "x.com/a/status/*"),
        ("x.com", "/page/4", "x.com/page/*"),
        ("x.com", "/api/v1/feed", "x.com/api/v1/feed"),
        ("x.com", "/s/Zk3fPq81LmNo/x.js", "x.com/s/*/x.js"),
        ("x.com", "/" + "q" * 40, "x.com/*"),
        ("x.com", "/ads/JLLxyKatVEgYZaZUjCBvkg/slot", "x.com/ads/*/slot"),
        (
            "x.com",
            "/resource/UserHomefeedResource/get/",
            "x.com/resource/UserHomefeedResource/get/",
        ),
        ("x.com", "/graphql/HomeTimeline", "x.com/graphql/HomeTimeline"),
    ],
)
def test_endpoint(host: str, path: str, key: str) -> None:
    """Identifiers, hashes, numbers and the query go; what is asked for stays."""
    assert endpoint(host, path) == key
