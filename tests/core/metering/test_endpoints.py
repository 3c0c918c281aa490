"""Twin of proxy_addon/core/metering/endpoints.py: one name for each request of an endpoint."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.metering.endpoints import endpoint, series_name


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
        # Words of up to 39 letters alone, of up to 32 beside others.
        ("x.com", "/" + "q" * 39, "x.com/" + "q" * 39),
        ("x.com", "/a/Q" + "q" * 31, "x.com/a/Q" + "q" * 31),
        ("x.com", "/a/Q" + "q" * 32, "x.com/a/*"),
        # Two digits are a version, three a number; one is too many in twelve letters.
        ("x.com", "/v12/feed", "x.com/v12/feed"),
        ("x.com", "/v123/feed", "x.com/*/feed"),
        ("x.com", "/timelines-v2", "x.com/*"),
        ("x.com", "/timeline-v2", "x.com/timeline-v2"),
        # Six changes of case in fifteen letters are random, five are not, and in eleven letters
        # nothing is.
        ("x.com", "/aBcDeFggggggggg", "x.com/*"),
        ("x.com", "/aBcDeFFFFFFFFFF", "x.com/aBcDeFFFFFFFFFF"),
        ("x.com", "/aBcDeFgHiJk", "x.com/aBcDeFgHiJk"),
        ("x.com", "/aBcDeFgHiJkL", "x.com/*"),
    ],
)
def test_endpoint(host: str, path: str, key: str) -> None:
    """Identifiers, hashes, numbers and the query go; what is asked for stays."""
    assert endpoint(host, path) == key


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        ("voyagerMessagingDashMessengerConversations", True),
        ("voyager_messaging_dash_messenger_conversations", True),
        ("get-the-newest-notifications-of-a-person", True),
        ("Q" + "q" * 40, False),
        ("voyagerMessagingDashMessengerConversations2", False),
        ("get-the-newest-" * 6, False),
    ],
)
def test_long_names_of_words_are_names(part: str, kept: bool) -> None:
    """What a program calls by many words is told apart; tokens and identifiers are not."""
    assert endpoint("x.com", f"/api/{part}") == f"x.com/api/{part if kept else '*'}"


def test_operations_of_one_path_are_told_apart() -> None:
    """By the header that names the operation, or by the query; never by its plain name."""
    asked = Exchange("POST", "x.com", "/graphql", "empty")
    feed = series_name(asked._replace(operation="HomeFeed"))
    assert feed.startswith("x.com/graphql#")
    assert "Home" not in feed
    assert feed == series_name(asked._replace(operation="HomeFeed"))
    assert feed != series_name(asked._replace(operation="Badge"))
    assert series_name(asked._replace(path="/graphql?v=1&queryId=HomeFeed&n=2")) == feed
    assert series_name(asked._replace(path="/graphql?operationName=HomeFeed")) == feed
    assert series_name(asked._replace(path="/graphql?other=HomeFeed")) == "x.com/graphql"
