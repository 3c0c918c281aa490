"""Style A: what a person does, and for how long they are really there."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.traces.day import Spans
from tests.traces.style_a.browser import Device, Tab, within
from tests.traces.style_a.habits import Habits
from tests.traces.style_a.site import Site


def thinker(rng: random.Random) -> Callable[[], float]:
    """How long somebody looks before the next action; one distribution a person and sitting."""
    mean = within(rng, 3, 18)
    kind = rng.choice(("lognormal", "exponential", "uniform", "gamma mixture"))
    if kind == "lognormal":
        spread = rng.uniform(0.4, 0.9)
        return lambda: min(120.0, mean * rng.lognormvariate(-spread * spread / 2, spread))
    if kind == "exponential":
        return lambda: min(120.0, 0.4 + rng.expovariate(1 / mean))
    if kind == "uniform":
        return lambda: rng.uniform(0.3 * mean, 1.7 * mean)
    return lambda: min(
        120.0,
        rng.gammavariate(2, mean / 4) if rng.random() < 0.75 else rng.gammavariate(3, mean * 0.8),
    )


class Person:
    """One person at one device. Every method puts down truth and returns the moment of leaving."""

    def __init__(
        self, rng: random.Random, device: Device, habits: Habits, truth: dict[str, Spans]
    ) -> None:
        self.rng = rng
        self.device = device
        self.habits = habits
        self.truth = truth

    def was_there(self, site: Site, start: float, last: float, tab: Tab | None = None) -> float:
        """From the first action to a few seconds, at most a minute, after the last."""
        end = last + min(60.0, self.rng.lognormvariate(2.2, 0.7))
        self.truth.setdefault(site.name, []).append((start, end))
        if tab:
            tab.attended.append((start, end))
        return end

    def scrolls(self, tab: Tab, start: float, seconds: float, returns: bool = False) -> float:
        """A feed: think, scroll, look, now and then open something. Coming back loads no page."""
        rng, think = self.rng, thinker(self.rng)
        tab.path = rng.choice(tab.site.feeds)
        at = last = start
        if not returns:
            self.habits.load(tab, at)
        elif rng.random() < 0.5:
            self.habits.call(tab, at, tab.site.polls, within(rng, 200, 2e4))
        else:
            self._more(tab, at)
        app_like = rng.random() < 0.7  # opens items without a new document
        while (at := at + think()) < start + seconds:
            last = at
            done = rng.random()
            if done < 0.72:
                self._more(tab, at)
            elif done < 0.86:
                self.habits.call(tab, at, tab.site.api[:1], within(rng, 100, 3000))
                tab.device.send(
                    at + 0.4,
                    tab.site.telemetry[0],
                    "empty",
                    tab.page,
                    method="POST",
                    size=0,
                    status=204,
                )
            elif app_like:
                self.habits.call(tab, at, tab.site.api[-1:], within(rng, 5e3, 2e5))
                self.habits.pictures(tab, at + 0.2, rng.randint(0, 8))
                at += think()
            else:
                tab.path = rng.choice(tab.site.items)
                self.habits.load(tab, at)
                at += think()
        return self.was_there(tab.site, start, last, tab)

    def reads(self, tab: Tab, start: float, pages: int) -> float:
        """Long articles: silence after the page has come, a late picture here and there."""
        rng, at, last = self.rng, start, start
        for _ in range(pages):
            tab.path = rng.choice(tab.site.items)
            self.habits.load(tab, at)
            last, leaves = at, at + within(rng, 40, 400)
            while (at := at + min(110.0, 4 + rng.lognormvariate(3.1, 0.7))) < leaves:
                self.habits.pictures(tab, at, rng.randint(1, 4), 0.5)
                if rng.random() < 0.3:
                    self.habits.call(tab, at, tab.site.api, within(rng, 3e3, 9e4))
                last = at
            at = min(at, leaves)
        return self.was_there(tab.site, start, last, tab)

    def watches(
        self, tab: Tab, start: float, seconds: float, pauses: bool, resumes: bool = False
    ) -> float:
        """A film in segments, loaded ahead by a buffer that is full most of the time."""
        rng, site = self.rng, tab.site
        tab.path = tab.path if resumes else rng.choice(site.items)
        if not resumes:
            self.habits.load(tab, start)
        piece, ahead = within(rng, 2, 12), within(rng, 6, 50)
        if rng.random() < 0.3:
            piece = within(rng, 12, 35)
        rate, sound = within(rng, 8e4, 9e5), rng.random() < 0.4
        url = rng.choice(site.films)
        started = start + rng.uniform(0.0, 3.0)
        played, loaded, at, stop = 0.0, 0.0, started, started + seconds
        while at < stop:
            while loaded - played < max(ahead, piece) and loaded < seconds + ahead:
                when = at + rng.uniform(0, 0.3) + 0.15 * (loaded - played) / max(piece, 1)
                self._segment(tab, when, url, piece * rate * rng.uniform(0.6, 1.4))
                if sound:
                    self._segment(tab, when + 0.05, url, piece * 1.6e4, "audio/mp4")
                loaded += piece
            step = piece * rng.uniform(0.93, 1.07)
            at, played = at + step, played + step
            if pauses and rng.random() < 0.02:
                self.was_there(site, start, at - rng.uniform(0, 5), tab)
                at += within(rng, 40, 900)
                stop, start = stop + 60, at
                if at >= stop:
                    return at
        return self.was_there(site, start, stop - 8, tab)

    def streams(self, tab: Tab, start: float, seconds: float) -> float:
        """One body that flows for as long as somebody watches it."""
        rng = self.rng
        tab.path = rng.choice(tab.site.items)
        self.habits.load(tab, start)
        begun, size = start + rng.uniform(0.5, 4), seconds * within(rng, 4e4, 6e5)
        dest = rng.choice(("video", "empty"))
        tab.device.send(
            begun,
            tab.site.films[0],
            dest,
            tab.page,
            size=size,
            duration=seconds,
            content_type="video/mp4",
        )
        return self.was_there(tab.site, start, begun + seconds - rng.uniform(0, 5), tab)

    def chats(self, tab: Tab, start: float, seconds: float, opens: bool = False) -> float:
        """Typing, waiting, typing: messages of all sizes at no particular times; a picture now and
        then."""
        rng, site, think = self.rng, tab.site, thinker(self.rng)
        at = last = start
        if opens:
            self.habits.load(tab, start)
        else:
            tab.device.message(start, site.socket, "client", rng.randint(120, 400))
        typing = rng.random() < 0.6
        while (at := at + 1 + think()) < start + seconds:
            last = at
            if typing:
                for _ in range(rng.randint(1, 3)):
                    tab.device.message(
                        at - rng.uniform(0.2, 3), site.socket, "client", rng.randint(60, 140)
                    )
            tab.device.message(at, site.socket, "client", within(rng, 90, 2500))
            tab.device.message(
                at + rng.uniform(0.05, 0.5), site.socket, "server", rng.randint(40, 200)
            )
            if rng.random() < 0.5:
                tab.device.message(
                    at + within(rng, 1, 20), site.socket, "server", within(rng, 100, 3000)
                )
            if rng.random() < 0.1:
                self.habits.pictures(tab, at, 1)
        return self.was_there(site, start, last, tab)

    def uses_app(self, site: Site, start: float, seconds: float) -> float:
        """An app on a phone: one API host, pictures, films, and no word about why."""
        rng, think = self.rng, thinker(self.rng)
        at = last = start
        films = rng.random() < 0.4
        for _ in range(rng.randint(2, 6)):
            self.device.send(
                at + rng.uniform(0, 1), site.app, method="POST", size=within(rng, 2e3, 3e5)
            )
        while at < start + seconds:
            last = at
            self.device.send(
                at, site.app, method=rng.choice(("GET", "POST")), size=within(rng, 1e3, 2e5)
            )
            for _ in range(rng.randint(0, 10)):
                when = at + rng.uniform(0.1, 1.5)
                self.device.send(
                    when, rng.choice(site.pictures), "image", size=within(rng, 3e3, 2e5)
                )
            if films and rng.random() < 0.5:
                size = within(rng, 2e5, 8e6)
                self.device.send(
                    at + 0.5, site.films[0], "video", size=size, duration=within(rng, 0.5, 8)
                )
            if rng.random() < 0.3:
                self.device.send(
                    at + 1, site.app_telemetry, method="POST", size=20, up=rng.randint(500, 5000)
                )
            at += think()
        return self.was_there(site, start, last)

    def uses_pinned_app(self, site: Site, start: float, seconds: float) -> float:
        """Only tunnels: several at once, busy while the thumb moves."""
        rng, think = self.rng, thinker(self.rng)
        at = last = start
        while at < start + seconds:
            busy = within(rng, 1, 40)
            down = busy * within(rng, 1.2e4, 8e5)
            self.device.tunnel(
                at, rng.choice(site.tunnels), busy, down / within(rng, 20, 200), down
            )
            if rng.random() < 0.5:
                self.device.tunnel(
                    at + rng.random(),
                    site.tunnels[0],
                    within(rng, 1, 10),
                    2e3,
                    within(rng, 2e4, 3e5),
                )
            last = at + busy
            at += max(0.5, busy * rng.uniform(0.5, 1.2)) + think() / 2
        return self.was_there(site, start, last)

    def _more(self, tab: Tab, at: float) -> None:
        """What a scroll brings: one or two API requests and a handful of pictures, at times only
        pictures."""
        rng = self.rng
        if rng.random() < 0.85:
            for number in range(rng.choice((1, 1, 1, 2))):
                self.habits.call(tab, at + 0.2 * number, tab.site.api, within(rng, 4e3, 4e5))
        self.habits.pictures(tab, at + 0.15, rng.randint(1, 12))

    def _segment(
        self, tab: Tab, at: float, url: str, size: float, content_type: str = "video/mp4"
    ) -> None:
        tab.device.send(
            at,
            url,
            "empty",
            tab.page,
            size=size,
            content_type=content_type,
            status=self.rng.choice((200, 206)),
        )
