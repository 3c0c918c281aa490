"""Days in the trace format, in words."""

from __future__ import annotations

from typing import Any

START = 1_793_610_000.0  # 2026-11-02 09:00 in London
PAGE = {
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
    "sec-fetch-user": "?1",
}
CALL = {
    "sec-fetch-dest": "empty",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-origin",
    "referer": "https://x.com/home",
}

type Line = dict[str, Any]


def page(after: float, url: str = "https://x.com/home", user: str = "ana") -> Line:
    """A page is opened by a person."""
    return {
        "at": START + after,
        "user": user,
        "url": url,
        "headers": PAGE,
        "status": 200,
        "content_type": "text/html",
        "bytes": 51_234,
        "duration": 0.3,
    }


def call(after: float, path: str = "/i/api/feed", size: int = 9_000, user: str = "ana") -> Line:
    """A script of the page asks for something."""
    return {
        "at": START + after,
        "user": user,
        "url": f"https://x.com{path}",
        "headers": CALL,
        "status": 200,
        "content_type": "application/json",
        "bytes": size,
        "duration": 0.1,
    }


def film(after: float, seconds: float, user: str = "ana") -> Line:
    """One body of film that flows for `seconds`."""
    return {
        "at": START + after,
        "user": user,
        "url": "https://video.twimg.com/a/b.mp4",
        "headers": CALL,
        "status": 200,
        "content_type": "video/mp4",
        "bytes": int(300_000 * seconds),
        "duration": seconds,
    }


def embed(after: float, user: str = "ana") -> Line:
    """A frame of the platform on a news page."""
    headers = {
        "sec-fetch-dest": "iframe",
        "sec-fetch-mode": "navigate",
        "sec-fetch-site": "cross-site",
        "referer": "https://news.example/",
    }
    return page(after, "https://platform.twitter.com/embed/Tweet.html", user) | {"headers": headers}


def part(
    after: float, url: str, dest: str, kind: str, size: int = 9_000, page: str = "news.example/"
) -> Line:
    """Something of a platform that is loaded by a page elsewhere, or by a frame of its own."""
    headers = {
        "sec-fetch-dest": dest,
        "sec-fetch-mode": "navigate" if dest == "iframe" else "no-cors",
        "sec-fetch-site": "cross-site",
        "referer": f"https://{page}",
    }
    return call(after) | {"url": url, "headers": headers, "content_type": kind, "bytes": size}


def prefetch(after: float, user: str = "ana") -> Line:
    """A page that the browser loads ahead."""
    return page(after, user=user) | {"headers": PAGE | {"sec-purpose": "prefetch"}}


def question(after: float, user: str = "ana") -> Line:
    """A request that asks for no content."""
    return call(after, user=user) | {"method": "OPTIONS"}


def beacon(after: float, user: str = "ana") -> Line:
    """A page reports something and waits for no answer."""
    return call(after, user=user) | {"method": "POST", "status": 204, "bytes": 0}


def message(after: float, size: int, direction: str = "client", user: str = "ana") -> Line:
    """A WebSocket message."""
    return {
        "at": START + after,
        "user": user,
        "kind": "websocket",
        "url": "wss://web.whatsapp.com/ws/chat",
        "direction": direction,
        "bytes": size,
    }


def tunnel(after: float, seconds: float, down: int, user: str = "ana") -> Line:
    """A connection that stays closed to us."""
    return {
        "at": START + after,
        "user": user,
        "kind": "tunnel",
        "host": "api-eu.tiktokv.com",
        "duration": seconds,
        "bytes_up": 900,
        "bytes_down": down,
    }


POLICY = """
version: 1
timezone: Europe/London
platform_groups: {social: [x, whatsapp, tiktok, youtube]}
allowances:
  daily: {limit: %s per day}
rules:
  - name: Lunch is yours
    platforms: [social]
    when: {between: "12:00-13:00"}
    then: allow
  - name: A little a day
    platforms: [social]
    then: {spend: daily}
"""
PEOPLE = "default_role: staff\nroles: {staff: {}}\n"
PLATFORMS = {
    "x": "x:\n  title: X\n  hosts: [x.com, twitter.com, twimg.com]\n  embeds: [platform.twitter.com]\n",
    "whatsapp": "whatsapp:\n  title: WhatsApp\n  hosts: [whatsapp.com]\n",
    "tiktok": "tiktok:\n  title: TikTok\n  hosts: [tiktok.com, tiktokv.com]\n",
    "youtube": "youtube:\n  title: YouTube\n  hosts: [youtube.com]\n",
}


def write_rules(folder: Any, limit: str = "15m") -> Any:
    """A rules folder with one allowance of `limit` a day."""
    (folder / "platforms").mkdir(parents=True)
    (folder / "policy.yaml").write_text(POLICY % limit)
    (folder / "people.yaml").write_text(PEOPLE)
    for name, text in PLATFORMS.items():
        (folder / "platforms" / f"{name}.yaml").write_text(text)
    return folder
