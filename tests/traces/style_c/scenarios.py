"""Style C: written before any constant was tuned and never tuned on. People act, tabs have several
timers each.

`python -m tests.traces.evaluate --style c --meter tests.traces.ours:charge` prints its table.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.traces.day import Times, union
from tests.traces.style_c.scene import Scene, browse, clip, tab, timer
from tests.traces.style_c.wire import NETS, Net


def _feed(scene: Scene, how: str = "feed") -> None:
    wire = scene.wire()
    for at in scene.starts(2, 6):
        net = scene.rng.choice(NETS)
        left = browse(scene, wire, net, at, min(1400, scene.rng.lognormvariate(5.6, 0.7)))
        tab(scene, wire, net, at, left + scene.rng.uniform(0, 60), how)


def _glances(scene: Scene) -> None:
    wire, net = scene.wire(), scene.rng.choice(NETS)
    for at in scene.starts(8, 16, 900):
        left = browse(scene, wire, net, at, scene.rng.uniform(6, 45))
        tab(scene, wire, net, at, left)


def _long_read(scene: Scene) -> None:
    wire, r = scene.wire(), scene.rng
    for start in scene.starts(2, 5):
        net, at = r.choice(NETS[:5]), start
        for _ in range(r.randint(1, 5)):
            wire.open(at, net, wire.fill(net.story))
            stay = r.uniform(40, 170)
            if stay > 70 and r.random() < 0.5:
                wire.images(at + r.uniform(20, 60), net, r.randint(1, 4))
            scene.was(net.name, at, at + stay)
            at += stay
        wire.call(at, net, r.choice(net.act), 900, method="POST")
        scene.was(net.name, at, at + 8)
        tab(scene, wire, net, start, at)


def _video(scene: Scene, long: bool = False) -> None:
    wire, r = scene.wire(), scene.rng
    for start in scene.starts(1, 2 if long else 4, 5400 if long else 1800):
        net = r.choice(NETS[-1:] if r.random() < 0.6 else NETS)
        at = start
        wire.open(at, net, net.story if net.name == "youtube" else wire.fill(net.story))
        seconds = r.uniform(1800, 5000) if long else r.uniform(90, 900)
        played, loaded, rate, now = 0.0, 0.0, r.uniform(60_000, 500_000), at + 1.5
        ahead, piece = r.uniform(12, 40), r.uniform(4, 10)
        if long and r.random() < 0.4:  # one long body
            wire.segment(now, net, seconds, rate, seconds)
            loaded = seconds
        while loaded < seconds:
            if loaded - played < ahead:
                wire.segment(now, net, piece, rate, min(piece, r.uniform(0.2, 2.0)))
                loaded += piece
                pause = r.uniform(0.2, 1.0)
                now, played = now + pause, played + pause
            wait = max(0.3, loaded - played - ahead + 0.1)
            now, played = now + wait, played + wait
        end = at + 1.5 + seconds
        scene.was(net.name, at, end + 3)
        wire.call(end + 2, net, r.choice(net.act), 800)


def _paused(scene: Scene) -> None:
    wire, net = scene.wire(), NETS[-1]
    for start in scene.starts(1, 2, 7000):
        wire.open(start, net, net.story)
        for i in range(12):
            wire.segment(start + 1 + 5 * i, net, 5, 200_000, 0.8)
        scene.was(net.name, start, start + 62)
        tab(scene, wire, net, start, min(scene.end, start + scene.rng.uniform(2000, 6500)))


def _chat(scene: Scene) -> None:
    r, wire = scene.rng, scene.wire()
    host, name = r.choice(
        (("web.whatsapp.com", "whatsapp"), ("edge-chat.facebook.com", "facebook"))
    )
    net = Net(
        name,
        host if name == "whatsapp" else "www.facebook.com",
        "/",
        "/",
        ("/api/graphql/",),
        ("/x",),
        ("/y",),
        (),
        host,
        host,
        host,
    )
    opened = scene.start + 60
    wire.open(opened, net, "/")
    scene.was(name, opened, opened + 15)
    beat, size = r.uniform(15, 40), r.randint(2, 70)
    timer(
        scene,
        opened,
        scene.end,
        beat,
        r.choice((0.0, 0.1)),
        lambda t: wire.socket(
            t, "web.whatsapp.com" if name == "whatsapp" else "gateway.facebook.com", "client", size
        ),
    )
    at = opened + 20
    sockets = "web.whatsapp.com" if name == "whatsapp" else "gateway.facebook.com"
    while at < scene.end:
        wire.socket(at, sockets, "server", r.randint(30, 2500))
        at += r.expovariate(1 / 70)
    for start in scene.starts(2, 7, 1200):
        at, stop = start, start + r.uniform(30, 400)
        while at < stop:
            wire.socket(at, sockets, "client", r.randint(90, 900))
            if r.random() < 0.6:
                wire.socket(at + r.uniform(1, 9), sockets, "client", r.randint(60, 200))
            last = at
            at += r.lognormvariate(2.4, 0.8)
        scene.was(name, start - 3, last + 5)


def _open(how: str) -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        for net in scene.rng.sample(NETS, scene.rng.randint(1, 2)):
            wire = scene.wire()
            at = scene.start + scene.rng.uniform(30, 2500)
            left = browse(scene, wire, net, at, scene.rng.uniform(40, 400))
            tab(scene, wire, net, at, scene.end if scene.rng.random() < 0.7 else left + 9000, how)

    return make


def _coming_back(scene: Scene, how: str = "mixed") -> None:
    wire, net = scene.wire(), scene.rng.choice(NETS)
    first, *later = scene.starts(4, 8)
    tab(scene, wire, net, first, scene.end, how)
    browse(scene, wire, net, first, scene.rng.uniform(60, 300))
    for at in later:
        browse(scene, wire, net, at, scene.rng.uniform(25, 500), opens=False)


def _embeds(scene: Scene) -> None:
    wire, r, at = scene.wire(), scene.rng, scene.start
    while at < scene.end:
        net, page = r.choice(NETS), "gazette.example/story"
        if r.random() < 0.7:
            wire.send(
                at + 0.5,
                net.embed,
                "text/html",
                30_000,
                page=page,
                dest="iframe",
                mode="navigate",
                site="cross-site",
            )
            for _ in range(r.randint(0, 5)):
                wire.send(
                    at + r.uniform(0.8, 2),
                    f"{net.web}/static/{wire.word()}.js",
                    "text/javascript",
                    20_000,
                    page=net.embed,
                    dest="script",
                    mode="no-cors",
                )
        for _ in range(r.randint(0, 5)):
            wire.send(
                at + r.uniform(0.5, 2),
                f"{net.image}/i/{wire.word()}.jpg",
                "image/jpeg",
                30_000,
                page=page,
                dest="image",
                mode="no-cors",
                site="cross-site",
            )
        at += r.expovariate(1 / 90)


def _prefetch(scene: Scene) -> None:
    wire, r, at = scene.wire(), scene.rng, scene.start
    while at < scene.end:
        net = r.choice(NETS)
        wire.send(
            at,
            net.web + net.home,
            "text/html",
            60_000,
            page="search.example/q",
            dest=r.choice(("empty", "document")),
            mode=r.choice(("no-cors", "navigate")),
            site="cross-site",
            sec_purpose=r.choice(("prefetch", "prefetch;prerender")),
        )
        at += r.expovariate(1 / 150)


def _phone(scene: Scene) -> None:
    r, wire = scene.rng, scene.wire(headers=False)
    net = r.choice(NETS[:4])
    hosts = {"facebook": "graph.facebook.com", "instagram": "i.instagram.com", "x": "api.x.com"}
    host = hosts.get(net.name, net.web)
    for period in (r.uniform(60, 300), r.uniform(600, 1800)):
        timer(
            scene,
            scene.start,
            scene.end,
            period,
            0.15,
            lambda t: wire.send(
                t, f"{host}/api/v1/status/", "application/json", 600, method="POST"
            ),
        )
    for start in scene.starts(3, 9):
        at, stop = start, start + r.lognormvariate(4.7, 0.8)
        while at < stop:
            wire.send(
                at,
                f"{host}/api/v1/feed/{r.choice(('timeline', 'reels', 'story'))}/",
                "application/json",
                30_000,
                method="POST",
            )
            wire.images(at + 0.3, net, r.randint(1, 8))
            if r.random() < 0.25:
                clip(scene, wire, net, at + 1)
            last = at
            at += min(50, r.lognormvariate(2.2, 0.8))
        scene.was(net.name, start, last + 6)


def _two_tabs(scene: Scene) -> None:
    wire = scene.wire()
    for net in scene.rng.sample(NETS, 2):
        tab(scene, wire, net, scene.start + 20, scene.end, "mixed")
        for at in scene.starts(1, 4):
            browse(scene, wire, net, at, scene.rng.uniform(40, 500))


def _two_devices(scene: Scene) -> None:
    first, second = scene.wire(), scene.wire(headers=False)
    net = scene.rng.choice(NETS[:4])
    for at in scene.starts(2, 5):
        browse(scene, first, net, at, scene.rng.uniform(100, 500))
        browse(
            scene,
            second,
            net,
            at + scene.rng.uniform(-100, 300),
            scene.rng.uniform(50, 300),
            opens=False,
        )


def _sleep(scene: Scene) -> None:
    _coming_back(scene)
    asleep = sorted(scene.rng.sample(range(int(scene.start), int(scene.end)), 2))
    for wire in scene.wires:
        wire.events = [e for e in wire.events if not asleep[0] <= e["at"] < asleep[1]]
    for platforms in scene.truth.values():
        for name, spans in platforms.items():
            platforms[name] = [
                s
                for a, b in union(spans)
                for s in ((a, min(b, asleep[0])), (max(a, asleep[1]), b))
                if s[1] > s[0]
            ]


def _pinned(scene: Scene) -> None:
    wire, r = scene.wire(), scene.rng
    name, host = r.choice(
        (
            ("tiktok", "api16-normal.tiktokv.com"),
            ("snapchat", "gcp.api.snapchat.com"),
            ("instagram", "i.instagram.com"),
        )
    )
    at = scene.start
    while at < scene.end:
        wire.tunnel(at, host, r.uniform(5, 60), 1500, r.uniform(1000, 9000))
        at += r.expovariate(1 / 400)
    for start in scene.starts(2, 6):
        at, stop = start, start + r.uniform(40, 600)
        while at < stop:
            took = r.uniform(8, 50)
            wire.tunnel(at, host, took, 5000, took * r.uniform(30_000, 400_000))
            at += took * r.uniform(0.6, 1.2)
        scene.was(name, start, at)


def _mixed(scene: Scene) -> None:
    for make in scene.rng.sample(
        (_glances, _coming_back, _embeds, _prefetch, _long_read, _video, _phone, _two_tabs, _feed),
        3,
    ):
        make(scene)


MAKERS: dict[str, Callable[[Scene], None]] = {
    "feed": _feed,
    "long-read": _long_read,
    "video": _video,
    "long-stream": lambda s: _video(s, True),
    "chat": _chat,
    "glances": _glances,
    "paused-video": _paused,
    "coming-back": _coming_back,
    "embeds": _embeds,
    "prefetch": _prefetch,
    "phone-app": _phone,
    "two-tabs": _two_tabs,
    "two-devices": _two_devices,
    "sleep": _sleep,
    "pinned-app": _pinned,
    "mixed": _mixed,
    **{
        how: _open(how)
        for how in ("open-regular", "open-jittered", "open-fat", "self-refresh", "rotating-ads")
    },
}


def make(rng: random.Random, scenario: str) -> tuple[list[dict[str, Any]], Times, float, float]:
    """Events (unsorted), truth, first and last instant of the day."""
    scene = Scene(rng)
    MAKERS[scenario](scene)
    events: list[dict[str, Any]] = [event for wire in scene.wires for event in wire.events]
    return events, scene.truth, scene.start, scene.end
