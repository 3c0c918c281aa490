"""Meters that a meter of ours has to beat, and the shape of a meter as the evaluation sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tests.traces.day import Span, Times, union

_NAMES = {
    "facebook": ("facebook.com", "fbcdn.net", "facebook.net"),
    "instagram": ("instagram.com", "cdninstagram.com", "instagram.fham1-1.fna.fbcdn.net"),
    "x": ("x.com", "twitter.com", "twimg.com", "t.co"),
    "linkedin": ("linkedin.com", "licdn.com"),
    "youtube": (
        "youtube.com",
        "ytimg.com",
        "googlevideo.com",
        "youtube-nocookie.com",
        "ggpht.com",
        "youtubei.googleapis.com",
    ),
    "tiktok": ("tiktok.com", "tiktokcdn.com", "tiktokv.com", "tiktokcdn-us.com"),
    "reddit": ("reddit.com", "redd.it", "redditmedia.com", "redditstatic.com"),
    "pinterest": ("pinterest.com", "pinterest.co.uk", "pinimg.com"),
    "twitch": ("twitch.tv", "jtvnw.net", "ttvnw.net"),
    "whatsapp": ("whatsapp.com", "whatsapp.net"),
    "snapchat": ("snapchat.com", "sc-cdn.net", "sc-static.net", "sc-prod.net"),
}
SUFFIXES = {suffix: name for name, suffixes in _NAMES.items() for suffix in suffixes}


class Charger(Protocol):
    """A meter: a day's events in, charged spans for each user and platform out."""

    def __call__(self, events: Sequence[Mapping[str, Any]]) -> Times: ...


def platform_of(event: Mapping[str, Any]) -> str | None:
    """Longest suffix on label boundaries."""
    host = event.get("host") or event["url"].split("/", 3)[2]
    labels = host.split(".")
    return next(
        (SUFFIXES[s] for i in range(len(labels)) if (s := ".".join(labels[i:])) in SUFFIXES), None
    )


def any_request(events: Sequence[Mapping[str, Any]]) -> Times:
    """Every request is a minute of use: what a network meter without understanding does."""
    return _spread(events, lambda event: True, 60.0)


def pages_and_films(events: Sequence[Mapping[str, Any]]) -> Times:
    """A straightforward reading of headers, sizes and types, without any memory."""
    return _spread(events, _looks_used, 60.0)


def _looks_used(event: Mapping[str, Any]) -> bool:
    kind = event.get("kind", "request")
    if kind == "tunnel":
        return bool(event["bytes_down"] > 4000 * max(1.0, event["duration"]))
    if kind == "websocket":
        return bool(event["direction"] == "client" and event["bytes"] > 64)
    headers = event["headers"]
    if headers.get("sec-purpose") or headers.get("purpose") or event["status"] == 204:
        return False
    if headers.get("sec-fetch-site") == "cross-site" and ".example" in headers.get("referer", ""):
        return False
    return bool(headers.get("sec-fetch-dest") == "document" or event["bytes"] > 5000)


def _spread(events: Sequence[Mapping[str, Any]], used: Any, seconds: float) -> Times:
    spans: dict[str, dict[str, list[Span]]] = {}
    for event in events:
        platform = platform_of(event)
        if platform and used(event):
            end = event["at"] + event.get("duration", 0.0) + seconds
            spans.setdefault(event["user"], {}).setdefault(platform, []).append((event["at"], end))
    return {
        user: {name: union(found) for name, found in each.items()} for user, each in spans.items()
    }
