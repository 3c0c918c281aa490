"""Tabs and what goes on in them without anybody: timers, held requests, sockets, streams."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from tests.traces.style_d.people import lognormal
from tests.traces.style_d.scene import Scene
from tests.traces.style_d.sites import Timer
from tests.traces.style_d.wire import Call, Device

THROTTLED_AFTER = 300.0
"""Seconds hidden after which Chrome wakes timers once a minute only; until then once a second."""


class Show(Enum):
    """What a tab is at an instant."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    ASLEEP = "asleep"
    CLOSED = "closed"


STATES = {
    "closed": Show.CLOSED,
    "hidden": Show.HIDDEN,
    "left": Show.VISIBLE,
    "asleep": Show.ASLEEP,
}


@dataclass(slots=True)
class Tab:
    """`views` are its states, each from an instant on. `url` is the page of the moment."""

    device: Device
    url: str
    page: str = ""
    views: list[tuple[float, Show]] = field(default_factory=list)

    def turn(self, at: float, show: Show) -> None:
        """From `at` on; instants come in order."""
        if self.views and at <= self.views[-1][0]:
            at = self.views[-1][0] + 0.001
        self.views.append((at, show))

    def _index(self, at: float) -> int:
        return bisect_right(self.views, at, key=lambda view: view[0]) - 1

    def show(self, at: float) -> Show:
        """Its state then."""
        index = self._index(at)
        return self.views[index][1] if index >= 0 else Show.CLOSED

    def since(self, at: float) -> float:
        """When that state began."""
        return self.views[max(0, self._index(at))][0]

    def until(self, at: float) -> float:
        """When that state ends."""
        index = self._index(at) + 1
        return self.views[index][0] if index < len(self.views) else math.inf

    def runs_until(self, at: float) -> float:
        """When its scripts stop: asleep or closed."""
        while (until := self.until(at)) < math.inf:
            if self.show(until) in (Show.ASLEEP, Show.CLOSED):
                return until
            at = until
        return math.inf


def _throttled(tab: Tab, at: float, origin: float) -> float:
    step = 60.0 if at - tab.since(at) > THROTTLED_AFTER else 1.0
    return origin + math.ceil((at - origin) / step) * step


def tick(scene: Scene, tab: Tab, timer: Timer) -> None:
    """Everything that a timer does all day."""
    if not tab.views:
        return
    rng, origin, every = scene.rng, tab.views[0][0], timer.every
    at = origin + rng.uniform(0.3, 1.0) * every
    while at < scene.end:
        show = tab.show(at)
        if show in (Show.CLOSED, Show.ASLEEP) or (show is Show.HIDDEN and not timer.hidden):
            change = tab.until(at)
            if change == math.inf:
                return
            # A page that is loaded anew begins anew; what was overdue fires on waking.
            at = change + (
                rng.uniform(0.2, 1.0) * every if show is Show.CLOSED else rng.uniform(0.05, 2.0)
            )
            origin, every = (change, timer.every) if show is Show.CLOSED else (origin, timer.every)
            continue
        if show is Show.HIDDEN:
            at = _throttled(tab, at, origin)
            if tab.show(at) is not show:
                continue
        news = rng.random() < timer.news
        took = fire(scene, tab, at + abs(rng.gauss(0, 0.012)), timer, news)
        if timer.shape == "backoff":
            every = timer.every if news else min(every * 1.5, timer.every * 12)
        base = timer.hidden if show is Show.HIDDEN else every
        at += base
        if timer.shape == "chain":
            at += took + rng.uniform(0.0, 0.08)
        if timer.jitter:
            at += rng.uniform(0.0, timer.jitter) * base


def fire(scene: Scene, tab: Tab, at: float, timer: Timer, news: bool) -> float:
    """One request of a timer and what it brings; returns the seconds that it took."""
    full = scene.rng.randint(*timer.full) if news and timer.full[1] else None
    if timer.call.status == 204:
        scene.wire.beacon(tab.device, at, timer.call, tab.url)
        return 0.05
    done = scene.wire.send(tab.device, at, timer.call, tab.url, size=full)
    if news and timer.brings[1]:
        count = scene.rng.randint(*timer.brings)
        scene.wire.pictures(tab.device, done + 0.05, timer.pictures, count, tab.url)
    return done - at


@dataclass(frozen=True, slots=True)
class Poll:
    """A request that the server holds until there is news or `hold` seconds have passed. `ended`
    is asked after each answer and may send something itself (a pong)."""

    call: Call
    hold: float
    news: tuple[int, int] = (400, 4_000)
    idle: tuple[int, int] = (1, 60)
    ended: Callable[[float], None] | None = None


def held(scene: Scene, tab: Tab, poll: Poll, arrivals: list[float]) -> None:
    """Asks again as soon as it has been answered, for as long as the page runs."""
    rng = scene.rng
    at = tab.views[0][0] + rng.uniform(0.5, 2.0)
    index = 0
    while at < scene.end:
        if tab.show(at) in (Show.CLOSED, Show.ASLEEP):
            if tab.until(at) == math.inf:
                return
            at = tab.until(at) + rng.uniform(0.3, 3.0)
            continue
        while index < len(arrivals) and arrivals[index] < at:
            index += 1
        stop = tab.runs_until(at)
        due = at + poll.hold + rng.gauss(0, 0.05)
        told = arrivals[index] if index < len(arrivals) else math.inf
        done = min(due, told + rng.uniform(0.03, 0.3))
        if done > stop:  # the page is gone before the answer is there
            scene.wire.send(tab.device, at, poll.call, tab.url, size=0, held=stop - at)
            at = stop
            continue
        size = rng.randint(*(poll.news if told < due else poll.idle))
        done = scene.wire.send(tab.device, at, poll.call, tab.url, size=size, held=done - at)
        if poll.ended:
            poll.ended(done)
        at = done + lognormal(rng, 0.05, 0.9, 0.005, 1.0)


@dataclass(frozen=True, slots=True)
class Socket:
    """A WebSocket: the client's beat, the server's answer to it, and what news looks like."""

    url: str
    beat: float
    up: tuple[int, int] = (20, 40)
    down: tuple[int, int] = (10, 30)
    push: tuple[int, int] = (120, 1_800)
    receipt: int = 0
    """Bytes with which a client acknowledges each push by itself; 0 = it does not."""


def beats(scene: Scene, tab: Tab, socket: Socket, arrivals: list[float]) -> None:
    """Connects when the page runs; beats and pushes until it stops."""
    rng, wire = scene.rng, scene.wire
    address = "https" + socket.url.removeprefix("wss")
    at = tab.views[0][0]
    while at < scene.end:
        if tab.show(at) in (Show.CLOSED, Show.ASLEEP):
            at = tab.until(at)
            continue
        stop = min(scene.end, tab.runs_until(at))
        at += rng.uniform(0.4, 2.5)
        extra = {"upgrade": "websocket"}
        wire.send(
            tab.device,
            at,
            Call(address, 0, 0, "", status=101),
            tab.url,
            "websocket",
            "websocket",
            extra=extra,
        )
        for push in (each for each in arrivals if at < each < stop):
            wire.message(tab.device, push, socket.url, False, rng.randint(*socket.push))
            if socket.receipt:
                wire.message(
                    tab.device,
                    push + rng.uniform(0.02, 0.3),
                    socket.url,
                    True,
                    socket.receipt + rng.randint(-6, 12),
                )
        beat = at + socket.beat * rng.random()
        while beat < stop:
            wire.message(tab.device, beat, socket.url, True, rng.randint(*socket.up))
            wire.message(
                tab.device,
                beat + lognormal(rng, 0.06, 0.9, 0.01, 3.0),
                socket.url,
                False,
                rng.randint(*socket.down),
            )
            beat += socket.beat + rng.gauss(0, 0.03)
        at = stop + 0.01


def stream(scene: Scene, tab: Tab, call: Call, arrivals: list[float], lasts: float) -> None:
    """Server-sent events: one answer that goes on until the server or the page ends it."""
    rng = scene.rng
    at = tab.views[0][0] + rng.uniform(0.3, 1.5)
    while at < scene.end:
        if tab.show(at) in (Show.CLOSED, Show.ASLEEP):
            at = tab.until(at) + rng.uniform(0.2, 2.0)
            continue
        stop = min(scene.end, tab.runs_until(at), at + lognormal(rng, lasts, 0.2))
        count = sum(1 for each in arrivals if at < each < stop)
        size = 20 * int((stop - at) / 15) + sum(rng.randint(300, 2_000) for _ in range(count))
        scene.wire.send(
            tab.device,
            at,
            call,
            tab.url,
            size=size,
            held=stop - at,
            extra={"accept": "text/event-stream"},
        )
        at = stop + rng.uniform(0.5, 3.5)
