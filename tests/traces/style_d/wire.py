"""How a request looks to a proxy: headers by browser, sizes told or not, caches, errors."""

from __future__ import annotations

import random
import re
import string
from dataclasses import dataclass, field
from typing import Any

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.1"
APPS = (
    "okhttp/4.12.0",
    "Instagram 312.0.0.37.103 Android (33/13; 420dpi; 1080x2235; samsung)",
    "TwitteriPhone/10.60 iOS/17.6.1",
)
HTML, JSON, PICTURE = "text/html; charset=utf-8", "application/json", "image/webp"
SCRIPT, NOTHING = "application/javascript", ""
UNTOLD, UNTOLD_MEDIA = 0.15, 0.04
"""Share of the endpoints whose answers have no known size, of ordinary ones and of films."""


@dataclass(frozen=True, slots=True)
class Device:
    """`fetch`: sends fetch metadata; `referer`: some extensions and policies take it away."""

    name: str
    agent: str
    fetch: bool = True
    referer: bool = True
    app: bool = False


def browser(rng: random.Random, name: str = "laptop") -> Device:
    """Mostly current browsers; one in ten says nothing about fetches, one in twelve no Referer."""
    referer = rng.random() > 0.08
    if rng.random() < 0.1:
        return Device(name, SAFARI, fetch=False, referer=referer)
    return Device(name, rng.choice((CHROME, CHROME, CHROME, FIREFOX)), referer=referer)


def phone(rng: random.Random, name: str = "phone") -> Device:
    """A phone with its apps."""
    return Device(name, rng.choice(APPS), fetch=False, referer=False, app=True)


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of request; `low` and `high` bound the bytes of an answer.

    In `url` {n} becomes a number, {h} hexadecimal digits, {w} a word, {s} an identifier, {k} the
    session with the host.
    """

    url: str
    low: int = 300
    high: int = 2_500
    type: str = JSON
    method: str = "GET"
    status: int = 200
    operation: str = ""
    """What a GraphQL client calls it in a header."""


def document(url: str, low: int = 18_000, high: int = 160_000) -> Call:
    """A page."""
    return Call(url, low, high, HTML)


def picture(url: str, low: int = 9_000, high: int = 140_000, kind: str = PICTURE) -> Call:
    """An image."""
    return Call(url, low, high, kind)


def host(url: str) -> str:
    """Of a URL."""
    return url.split("/", 3)[2]


def site_of(page: str, url: str) -> str:
    """What Sec-Fetch-Site says about a request of `page`."""
    if not page:
        return "none"
    one, other = host(page), host(url)
    if one == other:
        return "same-origin"
    return "same-site" if one.split(".")[-2:] == other.split(".")[-2:] else "cross-site"


@dataclass(slots=True)
class Wire:
    """Collects the events of one person."""

    rng: random.Random
    user: str
    events: list[dict[str, Any]] = field(default_factory=list)
    cache: set[tuple[str, str]] = field(default_factory=set)
    untold: dict[str, bool] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    speed: float = 4e6
    """Bytes a second of the line."""

    def fill(self, url: str) -> str:
        """The URL with its placeholders filled."""
        rng = self.rng
        if "{k}" in url:
            key = self.kept.setdefault(host(url), f"{rng.getrandbits(64):016x}")
            url = url.replace("{k}", key)
        for mark, letters, length in (
            ("{n}", string.digits[1:], 19),
            ("{h}", "0123456789abcdef", 24),
            ("{w}", string.ascii_lowercase, 8),
            ("{s}", string.ascii_letters + string.digits + "-_", 11),
        ):
            while mark in url:
                url = url.replace(mark, "".join(rng.choices(letters, k=length)), 1)
        return url

    def headers(self, device: Device, url: str, page: str, dest: str, mode: str) -> dict[str, str]:
        """What a browser says about why it asks; an app says next to nothing."""
        found = {"user-agent": device.agent}
        if page and device.referer and not device.app:
            same = site_of(page, url) == "same-origin"
            found["referer"] = page if same else f"https://{host(page)}/"
        if device.fetch and not device.app:
            found["sec-fetch-dest"] = dest
            found["sec-fetch-mode"] = mode
            found["sec-fetch-site"] = site_of(page, url)
            if dest == "document":
                found["sec-fetch-user"] = "?1"
        if not device.app and page and mode == "cors" and site_of(page, url) != "same-origin":
            found["origin"] = f"https://{host(page)}"
        return found

    def told(self, call: Call, size: int) -> dict[str, int]:
        """The size, or nothing: some endpoints answer without one."""
        media = "video" in call.type or "ump" in call.type or "octet" in call.type
        key = call.url.split("?")[0]
        if key not in self.untold:
            self.untold[key] = self.rng.random() < (UNTOLD_MEDIA if media else UNTOLD)
        if not self.untold[key]:
            return {"bytes": size}
        return {"bytes": 0} if self.rng.random() < 0.5 else {}

    def send(
        self,
        device: Device,
        at: float,
        call: Call,
        page: str = "",
        dest: str = "empty",
        mode: str = "cors",
        *,
        size: int | None = None,
        held: float | None = None,
        url: str = "",
        extra: dict[str, str] | None = None,
        status: int = 0,
    ) -> float:
        """One request at `at`; returns when its answer has ended. `held`: seconds that it takes."""
        rng = self.rng
        url = url or self.fill(call.url)
        size = rng.randint(call.low, call.high) if size is None else size
        status = status or call.status
        if not status or (status == 200 and dest != "document" and rng.random() < 0.012):
            status, size = status and rng.choice((404, 429, 500, 502, 503)), rng.randint(0, 400)
        wait = rng.uniform(0.02, 0.25) if held is None else held
        if (
            mode == "cors"
            and call.type == JSON
            and call.method != "GET"
            and page
            and not device.app
        ):
            self._preflight(device, at, url, page)
        took = wait + size / (self.speed * rng.uniform(0.4, 1.2))
        headers = self.headers(device, url, page, dest, mode)
        if extra and extra.keys() & {"sec-purpose", "purpose", "x-moz"}:
            headers.pop("sec-fetch-user", None)
        if call.operation:
            headers["x-fb-friendly-name"] = call.operation
        self.events.append(
            {
                "at": round(at, 3),
                "user": self.user,
                "client": device.name,
                "kind": "request",
                "method": call.method,
                "url": url,
                "headers": headers | (extra or {}),
                "status": status,
                "content_type": call.type if size else "",
                "duration": round(took, 3),
                **self.told(call, size),
            }
        )
        return at + took

    def _preflight(self, device: Device, at: float, url: str, page: str) -> None:
        """What a browser asks before a request to another origin, unless it remembers."""
        if site_of(page, url) != "same-origin" and not self.cached(device, "OPTIONS " + url[:60]):
            ask = Call(url, 0, 0, NOTHING, "OPTIONS", 204)
            self.send(device, at - 0.03, ask, page, size=0, held=0.02, url=url)

    def cached(self, device: Device, url: str) -> bool:
        """Whether this device has it already; afterwards it has."""
        key = (device.name, url)
        if key in self.cache:
            return True
        self.cache.add(key)
        return False

    def pictures(
        self, device: Device, at: float, calls: tuple[Call, ...], count: int, page: str
    ) -> float:
        """A burst of images, some of which the cache has; returns when the last is there."""
        last = at
        for _ in range(count):
            call = self.rng.choice(calls)
            url = self.fill(call.url)
            if self.rng.random() < 0.2:  # faces that come again and again
                url = re.sub(r"{\w}", f"{self.rng.randint(1, 9)}f4e", call.url)
                if self.cached(device, url):
                    continue
            at += self.rng.expovariate(1 / 0.025)
            last = max(last, self.send(device, at, call, page, "image", "no-cors", url=url))
        return last

    def beacon(self, device: Device, at: float, call: Call, page: str) -> None:
        """sendBeacon: nothing comes back."""
        self.send(device, at, call, page, "empty", "no-cors", size=0, status=204)

    def message(self, device: Device, at: float, url: str, up: bool, size: int) -> None:
        """One WebSocket message."""
        self.events.append(
            {
                "at": round(at, 3),
                "user": self.user,
                "client": device.name,
                "kind": "websocket",
                "url": self.fill(url),
                "headers": {},
                "direction": "client" if up else "server",
                "bytes": size,
            }
        )

    def tunnel(
        self, device: Device, at: float, host: str, up: int, down: int, duration: float
    ) -> None:
        """A connection that nobody could look into."""
        self.events.append(
            {
                "at": round(at, 3),
                "user": self.user,
                "client": device.name,
                "kind": "tunnel",
                "host": host,
                "headers": {},
                "bytes_up": up,
                "bytes_down": down,
                "duration": round(duration, 3),
            }
        )
