"""Style A's browser: a device that sends headers in its way, tabs that live on unseen, and their
timers.

Timers slow down in tabs that nobody sees, as browsers make them do, and a suspended laptop fires
what is overdue when it wakes up.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.traces.day import Span
from tests.traces.style_a.site import Site

_ACCEPT = {
    "document": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "iframe": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "image": "image/avif,image/webp,image/*,*/*;q=0.8",
    "style": "text/css,*/*;q=0.1",
}
_TYPE = {
    "document": "text/html; charset=utf-8",
    "iframe": "text/html",
    "image": "image/jpeg",
    "script": "application/javascript",
    "style": "text/css",
    "video": "video/mp4",
    "serviceworker": "text/javascript",
}
_LETTERS = string.ascii_letters + string.digits
_WORDS = (
    "ana",
    "studio",
    "team",
    "garden",
    "bikes",
    "london",
    "python",
    "news",
    "cooking",
    "travel",
    "art",
)


def within(rng: random.Random, low: float, high: float) -> float:
    """Drawn evenly by order of magnitude, so that short and long are equally likely."""
    return float(low * (high / low) ** rng.random())


def fill(rng: random.Random, template: str, keep: str) -> str:
    """A URL from a template; `{k}` is the same for a whole day."""
    if "{" not in template:
        return template
    return (
        template.replace("{k}", keep)
        .replace("{h}", "".join(rng.choices(_LETTERS, k=rng.choice((11, 16, 22)))))
        .replace("{n}", str(rng.randrange(10**5, 10**12)))
        .replace("{w}", rng.choice(_WORDS))
    )


def registrable(host: str) -> str:
    """Near enough for the hosts that we use."""
    return ".".join(host.split(".")[-2:])


@dataclass
class Timer:
    """How a script repeats itself: seconds, the way it wavers, and by how much of the period."""

    period: float
    waver: (
        str  # exact | interval-uniform | interval-gauss | grid-uniform | grid-gauss | after-answer
    )
    amount: float
    skip: float = 0.0

    @classmethod
    def draw(
        cls, rng: random.Random, low: float = 5.0, high: float = 600.0, regular: bool | None = None
    ) -> Timer:
        """Any timer; `regular` True for one without jitter, False for one with 10 to 30 %."""
        wavers = [
            "interval-uniform",
            "interval-gauss",
            "grid-uniform",
            "grid-gauss",
            "after-answer",
        ]
        waver = (
            "exact" if regular else rng.choice(wavers if regular is False else ["exact", *wavers])
        )
        return cls(
            within(rng, low, high), waver, rng.uniform(0.1, 0.3), rng.choice((0, 0, 0, 0.02, 0.1))
        )

    def times(self, rng: random.Random, start: float, end: float) -> Iterator[float]:
        """When it fires, before anything slows it down."""
        tick = start + self.period * rng.random()
        number = 0
        while tick < end:
            offset = 0.0
            if self.waver == "grid-uniform":
                offset = self.period * self.amount * rng.uniform(-1, 1)
            elif self.waver == "grid-gauss":
                offset = self.period * max(-0.45, min(0.45, rng.gauss(0, self.amount / 2)))
            if rng.random() >= self.skip and start <= tick + offset < end:
                yield tick + offset
            number += 1
            step = self.period
            if self.waver == "interval-uniform":
                step *= 1 + self.amount * rng.uniform(-1, 1)
            elif self.waver == "interval-gauss":
                step *= max(0.4, 1 + rng.gauss(0, self.amount / 2))
            elif self.waver == "after-answer":
                step += within(rng, 0.05, 0.05 + 0.1 * self.period)
            tick += step + (rng.gauss(0, 0.01) if self.waver == "exact" else 0.0)


@dataclass
class Device:
    """A browser (or an app) of one person. `headers` says what it tells: full | old | bare |
    no-referrer."""

    rng: random.Random
    user: str
    headers: str = "full"
    suspended: list[Span] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    keep: str = ""

    def __post_init__(self) -> None:
        self.keep = "".join(self.rng.choices(_LETTERS, k=22))
        self.speed = within(self.rng, 4e5, 2e7)
        self.slow = within(self.rng, 0.03, 0.4)

    def send(
        self,
        at: float,
        url: str,
        dest: str = "empty",
        page: str | None = None,
        *,
        method: str = "GET",
        size: float = 900,
        up: int = 0,
        status: int = 200,
        content_type: str | None = None,
        user_action: bool = False,
        mode: str | None = None,
        duration: float | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        """Put one request on the wire. `page` is the document behind it, None for a typed
        address."""
        event: dict[str, Any] = {
            "at": round(at, 3),
            "user": self.user,
            "method": method,
            "url": fill(self.rng, url, self.keep),
            "headers": self._headers(url, dest, page, method, mode, user_action) | (extra or {}),
            "status": status,
            "content_type": content_type
            if content_type is not None
            else _TYPE.get(dest, "application/json"),
            "bytes": max(0, int(size)),
            "duration": round(
                duration
                if duration is not None
                else self.slow * within(self.rng, 0.5, 3) + size / self.speed,
                3,
            ),
        }
        if up:
            event["bytes_up"] = up
        self.events.append(event)

    def message(self, at: float, url: str, direction: str, size: float) -> None:
        """One WebSocket message."""
        self.events.append(
            {
                "at": round(at, 3),
                "user": self.user,
                "kind": "websocket",
                "url": fill(self.rng, url, self.keep),
                "direction": direction,
                "bytes": max(1, int(size)),
            }
        )

    def tunnel(self, at: float, host: str, duration: float, up: float, down: float) -> None:
        """What passes undecrypted."""
        self.events.append(
            {
                "at": round(at, 3),
                "user": self.user,
                "kind": "tunnel",
                "host": host,
                "duration": round(duration, 3),
                "bytes_up": int(up),
                "bytes_down": int(down),
            }
        )

    def awake(self, times: Iterator[float]) -> Iterator[float]:
        """Times outside sleep; of what fell into a sleep one catches up right after it."""
        caught: set[int] = set()
        for at in times:
            for number, (start, end) in enumerate(self.suspended):
                if start <= at < end:
                    if number not in caught:
                        caught.add(number)
                        yield end + self.rng.uniform(0.2, 6.0)
                    break
            else:
                yield at

    def _headers(
        self,
        url: str,
        dest: str,
        page: str | None,
        method: str,
        mode: str | None,
        user_action: bool,
    ) -> dict[str, str]:
        if self.headers == "bare":
            return {"user-agent": "App/412.0 (phone)", "accept": "*/*"}
        headers = {"accept": _ACCEPT.get(dest, "*/*")}
        target, source = urlsplit(url), urlsplit(page or "")
        same_origin = (target.scheme, target.netloc) == (source.scheme, source.netloc)
        same_site = registrable(target.netloc) == registrable(source.netloc)
        if page and self.headers != "no-referrer":
            headers["referer"] = page if same_origin else f"{source.scheme}://{source.netloc}/"
        mode = mode or {"document": "navigate", "iframe": "navigate", "empty": "cors"}.get(
            dest, "no-cors"
        )
        if page and (method == "POST" or (mode == "cors" and not same_origin)):
            headers["origin"] = f"{source.scheme}://{source.netloc}"
        if self.headers == "old":
            return headers
        site = (
            "none"
            if not page
            else "same-origin"
            if same_origin
            else "same-site"
            if same_site
            else "cross-site"
        )
        headers |= {"sec-fetch-dest": dest, "sec-fetch-mode": mode, "sec-fetch-site": site}
        if user_action and dest == "document":
            headers["sec-fetch-user"] = "?1"
        return headers


@dataclass
class Tab:
    """A page of a platform, open from `opened` to `closed`. The person's script puts `attended`
    down."""

    device: Device
    site: Site
    opened: float
    closed: float
    attended: list[Span] = field(default_factory=list)
    path: str = "/"
    throttled: bool = True

    @property
    def page(self) -> str:
        """The address in the bar."""
        return self.site.home.rstrip("/") + self.path

    def slowed(self, times: Iterator[float]) -> Iterator[float]:
        """At most once a minute when nobody has looked at the tab for five minutes."""
        phase, last = self.device.rng.uniform(0, 60), float("-inf")
        for at in times:
            when = at
            if self.throttled and not any(s - 1 <= at <= e + 300 for s, e in self.attended):
                when = at + (phase - at) % 60
                if when - last < 30:
                    continue
            last = when
            yield when

    def repeat(self, timer: Timer, since: float | None = None) -> Iterator[float]:
        """When a timer of this page really fires."""
        start = self.opened if since is None else since
        times = self.slowed(timer.times(self.device.rng, start, self.closed))
        return (at for at in self.device.awake(times) if at < self.closed)
