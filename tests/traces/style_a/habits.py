"""Style A: what machines do by themselves, on pages of a platform and on other people's pages."""

from __future__ import annotations

import random

from tests.traces.style_a.browser import Device, Tab, Timer, within
from tests.traces.style_a.site import Site

_NEWS = (
    "https://www.dailynews.example/world/",
    "https://blog.example/post/",
    "https://shop.example/item/",
)


class Habits:
    """Draws the habits once a day, so that every page of the day has the same ones."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.api = rng.random()
        self.worker = rng.random() < 0.4

    def pick(self, options: tuple[str, ...]) -> tuple[str, str]:
        """The method and the URL that this day uses out of several."""
        chosen = options[int(self.api * len(options))]
        method, _, url = chosen.rpartition(" ")
        return method or "GET", url

    def call(self, tab: Tab, at: float, options: tuple[str, ...], size: float) -> None:
        """One API request of the page."""
        method, url = self.pick(options)
        up = self.rng.randint(200, 3000) if method == "POST" else 0
        tab.device.send(at, url, "empty", tab.page, method=method, size=size, up=up)

    def pictures(self, tab: Tab, at: float, count: int, spread: float = 1.2) -> None:
        """New pictures from the platform's CDN."""
        for _ in range(count):
            url = self.rng.choice(tab.site.pictures)
            when = at + self.rng.uniform(0.02, spread)
            tab.device.send(when, url, "image", tab.page, size=within(self.rng, 3_000, 300_000))

    def load(self, tab: Tab, at: float, user_action: bool = True, restored: bool = False) -> None:
        """A whole page: document, scripts, API, pictures."""
        device, rng = tab.device, self.rng
        come_from = (
            None
            if restored or rng.random() < 0.6
            else rng.choice((tab.site.home, "https://www.google.com/"))
        )
        device.send(
            at, tab.page, "document", come_from, size=within(rng, 2e4, 6e5), user_action=user_action
        )
        for number in range(rng.randint(2, 12)):
            dest = "style" if number % 5 == 4 else "script"
            cached = rng.random() < 0.3
            size = 0 if cached else within(rng, 2e3, 8e5)
            status = 304 if cached else 200
            script = rng.choice(tab.site.scripts)
            device.send(
                at + rng.uniform(0.2, 1.5), script, dest, tab.page, size=size, status=status
            )
        for _ in range(rng.randint(1, 4)):
            self.call(tab, at + rng.uniform(0.6, 2.0), tab.site.api, within(rng, 2e3, 3e5))
        self.pictures(tab, at + 0.8, rng.randint(3, 20), 2.0)
        if self.worker:
            device.send(
                at + 3,
                tab.site.home + "sw.js",
                "serviceworker",
                tab.page,
                size=4000,
                mode="same-origin",
            )

    def ordinary(self, tab: Tab) -> None:
        """What nearly every page does: telemetry, a badge count, sometimes a heartbeat."""
        self.telemetry(tab)
        if self.rng.random() < 0.7:
            for at in tab.repeat(Timer.draw(self.rng, 20, 300)):
                self.call(tab, at, tab.site.polls[:1], self.rng.uniform(100, 1500))

    def telemetry(self, tab: Tab) -> None:
        """Log batches, some as beacons."""
        beacon = self.rng.random() < 0.5
        for at in tab.repeat(Timer.draw(self.rng, 10, 300)):
            tab.device.send(
                at,
                self.rng.choice(tab.site.telemetry),
                "empty",
                tab.page,
                method="POST",
                mode="no-cors" if beacon else "cors",
                size=self.rng.choice((0, 0, 2, 43, 150)),
                up=self.rng.randint(300, 6000),
                status=self.rng.choice((200, 204)),
                content_type="text/plain",
            )

    def regular(self, tab: Tab) -> None:
        """Polls to the second."""
        self._polls(tab, Timer.draw(self.rng, regular=True), fat=False)

    def jittered(self, tab: Tab) -> None:
        """Polls with 10 to 30 % jitter."""
        self._polls(tab, Timer.draw(self.rng, regular=False), fat=False)

    def fat(self, tab: Tab) -> None:
        """Polls whose answers are as large as a feed."""
        self._polls(tab, Timer.draw(self.rng), fat=True)

    def _polls(self, tab: Tab, timer: Timer, fat: bool) -> None:
        options = tab.site.polls if self.rng.random() < 0.7 else tab.site.api
        typical = within(self.rng, 2e4, 5e5) if fat else within(self.rng, 60, 4000)
        for at in tab.repeat(timer):
            self.call(tab, at, options, typical * self.rng.uniform(0.7, 1.3))
            if fat and self.rng.random() < 0.2:
                self.pictures(tab, at + 0.3, self.rng.randint(1, 3))

    def refresh(self, tab: Tab) -> None:
        """A feed that renews itself: the scroll API, and new pictures when there is something
        new."""
        news = self.rng.random()
        for at in tab.repeat(Timer.draw(self.rng, 20, 600)):
            self.call(tab, at, tab.site.api, within(self.rng, 8e3, 3e5))
            if self.rng.random() < news:
                self.pictures(tab, at + 0.2, self.rng.randint(1, 9), 1.5)
            if self.rng.random() < 0.3:
                self.call(tab, at + self.rng.uniform(0.5, 2), tab.site.telemetry, 10)

    def rotating(self, tab: Tab) -> None:
        """Advertisements that change: a slot is asked for, a picture or a script comes, a beacon
        goes."""
        for _ in range(self.rng.randint(1, 3)):
            for at in tab.repeat(Timer.draw(self.rng, 15, 180)):
                self.call(tab, at, tab.site.ads, within(self.rng, 500, 5e4))
                self.pictures(tab, at + 0.2, self.rng.randint(0, 3))
                if self.rng.random() < 0.3:
                    tab.device.send(
                        at + 0.4,
                        tab.site.scripts[0],
                        "script",
                        tab.page,
                        size=within(self.rng, 1e3, 1e5),
                    )
                tab.device.send(
                    at + 1.1,
                    tab.site.telemetry[0],
                    "empty",
                    tab.page,
                    method="POST",
                    size=0,
                    status=204,
                )

    def player(self, tab: Tab, since: float) -> None:
        """A player reports where it stands, playing or paused."""
        url = tab.site.pings[0]
        unthrottled, tab.throttled = tab.throttled, False
        for at in tab.repeat(Timer.draw(self.rng, 8, 60), since):
            tab.device.send(
                at,
                url,
                "empty",
                tab.page,
                method="POST",
                size=self.rng.choice((0, 43, 300)),
                up=400,
                status=204,
            )
        tab.throttled = unthrottled

    def socket(self, tab: Tab, acknowledge: bool = False) -> None:
        """Heartbeats of both sides, pushes when others write, sometimes a receipt for a push."""
        device, rng, url = tab.device, self.rng, tab.site.socket
        device.send(
            tab.opened + 1.5,
            url.replace("wss:", "https:"),
            "websocket",
            tab.page,
            mode="websocket",
            status=101,
            size=0,
            content_type="",
            extra={"upgrade": "websocket"},
        )
        size = rng.randint(2, 60)
        for at in device.awake(Timer.draw(rng, 10, 60).times(rng, tab.opened + 5, tab.closed)):
            device.message(at, url, "client", size)
            device.message(at + rng.uniform(0.02, 0.3), url, "server", size)
        at, mean = tab.opened, within(rng, 30, 1200)
        while (at := at + rng.expovariate(1 / mean)) < tab.closed:
            if any(s <= at < e for s, e in device.suspended):
                continue
            device.message(at, url, "server", within(rng, 40, 4000))
            if acknowledge:
                device.message(at + rng.uniform(0.03, 0.4), url, "client", rng.randint(20, 90))

    def news_page(self, device: Device, at: float, site: Site, end: float) -> None:
        """Somebody else's page with parts of the platform; a frame loads its own parts and may
        preload."""
        rng = self.rng
        page = rng.choice(_NEWS) + str(rng.randrange(10**6))
        if rng.random() < 0.5:
            device.send(at, page, "document", None, size=9e4, user_action=True)
        for dest, url in rng.sample(site.embeds, rng.randint(1, len(site.embeds))):
            when = at + rng.uniform(0.5, 5)
            device.send(when, url, dest, page, size=within(rng, 43, 2e5))
            if dest == "iframe":
                self._frame(device, when, site, url)
        if rng.random() < 0.2:
            dest, url = site.embeds[-1]
            timer = Timer.draw(rng, 15, 120)
            for again in timer.times(rng, at + 10, min(end, at + within(rng, 60, 3600))):
                device.send(again, url, dest, page, size=within(rng, 43, 2e4))

    def _frame(self, device: Device, at: float, site: Site, url: str) -> None:
        for dest, part in site.inside:
            for _ in range(self.rng.randint(1, 3)):
                when = at + self.rng.uniform(0.2, 3)
                if dest == "film":
                    size = within(self.rng, 5e4, 2e6)
                    device.send(when, part, "empty", url, size=size, content_type="video/mp4")
                else:
                    device.send(when, part, dest, url, size=within(self.rng, 500, 5e5))

    def prefetch(self, device: Device, at: float, site: Site) -> None:
        """A page that is fetched ahead, or rendered ahead with all its parts."""
        rng = self.rng
        source = rng.choice(
            ("https://www.google.com/search?q=x", "https://www.dailynews.example/", site.home)
        )
        prerender = rng.random() < 0.4
        purpose = {"sec-purpose": "prefetch;prerender" if prerender else "prefetch"}
        if rng.random() < 0.3:
            purpose = {"purpose": "prefetch"} | ({} if device.headers == "old" else purpose)
        page = site.home.rstrip("/") + rng.choice(site.items)
        dest = "document" if prerender else rng.choice(("empty", "document"))
        device.send(
            at,
            page,
            dest,
            source,
            size=within(rng, 1e4, 3e5),
            extra=purpose,
            content_type="text/html",
        )
        if prerender:
            for _ in range(rng.randint(2, 8)):
                when = at + rng.uniform(0.3, 2)
                device.send(
                    when,
                    rng.choice(site.scripts),
                    "script",
                    page,
                    size=within(rng, 1e3, 3e5),
                    extra=purpose,
                )
                device.send(
                    when,
                    rng.choice(site.pictures),
                    "image",
                    page,
                    size=within(rng, 1e3, 1e5),
                    extra=purpose,
                )

    def app_background(self, device: Device, site: Site, start: float, end: float) -> None:
        """An app in the pocket: telemetry, a poll, now and then a refresh with a few pictures."""
        rng = self.rng
        for at in Timer.draw(rng, 120, 1800).times(rng, start, end):
            device.send(
                at,
                site.app_telemetry,
                method="POST",
                size=rng.randint(2, 400),
                up=rng.randint(500, 9000),
            )
        if rng.random() < 0.7:
            for at in Timer.draw(rng, 60, 1800).times(rng, start, end):
                device.send(at, site.app, method="POST", size=within(rng, 200, 4e4))
                for _ in range(rng.choice((0, 0, 0, 1, 3))):
                    device.send(
                        at + rng.uniform(0.1, 2),
                        site.pictures[0],
                        "image",
                        size=within(rng, 2e3, 9e4),
                    )

    def pinned_background(self, device: Device, site: Site, start: float, end: float) -> None:
        """Keep-alives and pushes of an app that nobody opens its connections of."""
        rng = self.rng
        held = within(rng, 5, 600)
        for at in Timer.draw(rng, 60, 1200).times(rng, start, end):
            down = within(rng, 300, 9000) + (within(rng, 1e3, 3e4) if rng.random() < 0.1 else 0)
            device.tunnel(
                at, rng.choice(site.tunnels), within(rng, 0.5, held), within(rng, 200, 4000), down
            )
