"""Exchanges with a platform, and what is remembered of its pages, for the tests of what a request
is."""

from __future__ import annotations

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering.activity import Exchange, PageMemory

NOW = 100_000.0
X = Hit("x")
BACKGROUND = Hit("x", background=True)
EMBED = Hit("x", embed=True)
OPEN = PageMemory(page_at=NOW - 60)  # a page of the platform was opened a minute ago
NOBODY = PageMemory()

PAGE = Exchange("GET", "x.com", "/home", "document", "navigate", "none")
LOAD = Exchange(
    "GET",
    "x.com",
    "/api/feed",
    "empty",
    "cors",
    "same-origin",
    page_host="x.com",
    page_path="/home",
)
PICTURE = Exchange(
    "GET", "cdn.x.com", "/a.jpg", "image", "no-cors", "cross-site", page_host="x.com", page_path="/"
)
ELSEWHERE = PICTURE._replace(page_host="news.example", page_path="/today")
FRAME = Exchange(
    "GET", "x.com", "/widget", "iframe", "navigate", "cross-site", page_host="news.example"
)
APP = Exchange("POST", "api.x.com", "/graphql")
POST = LOAD._replace(method="POST")
