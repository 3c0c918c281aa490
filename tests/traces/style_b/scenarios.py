"""Style B: no pages and no scripts. Presence alternates, actions excite each other, machines
tick."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.traces.day import Times
from tests.traces.style_b.machines import embeds, open_tab, poller, prefetch, socket_noise
from tests.traces.style_b.media import long_stream, paused, video
from tests.traces.style_b.process import acts
from tests.traces.style_b.scene import Scene, leftover, navigate, sitting
from tests.traces.style_b.wire import HOSTS


def make(rng: random.Random, scenario: str) -> tuple[list[dict[str, Any]], Times, float, float]:
    """Events (unsorted), truth, first and last instant of the day."""
    scene = Scene(rng)
    _SOURCES[scenario](scene)
    events = [event for wire in scene.wires for event in wire.events]
    for event in events:
        event["at"] = round(event["at"], 4)
        if "duration" in event:
            event["duration"] = round(event["duration"], 4)
    return events, scene.truth, scene.start, scene.end


def _feed(scene: Scene, typical: float = 400.0, share: float = 0.08) -> None:
    wire, hosts = scene.wire(), scene.hosts()
    for span in scene.spans(typical, share):
        page, end = sitting(scene, wire, hosts, span)
        leftover(
            scene, wire, hosts, page or hosts.web, span[0], end + scene.rng.expovariate(1 / 300)
        )


def _glances(scene: Scene) -> None:
    _feed(scene, scene.rng.uniform(12, 60), scene.rng.uniform(0.004, 0.015))


def _long_read(scene: Scene) -> None:
    wire, hosts, rng = scene.wire(), scene.hosts(), scene.rng
    for start, end in scene.spans(700, 0.06):
        at = last = start
        while at < end:
            page, last = navigate(wire, hosts, at), at
            leave = at + rng.gammavariate(3, 50)
            while (at := at + 4 + rng.weibullvariate(28, 1.3)) < min(leave, end):
                picture = f"https://{rng.choice(hosts.cdn)}/{wire.token(24)}.jpg"
                wire.request(
                    at,
                    "GET",
                    picture,
                    "image",
                    page,
                    rng.lognormvariate(10.5, 1),
                    content_type="image/jpeg",
                )
                last = at
        scene.there(hosts, start, last, end)


def _chat(scene: Scene) -> None:
    wire, hosts, rng = (
        scene.wire(),
        scene.hosts(("whatsapp", "facebook", "instagram", "snapchat", "x")),
        scene.rng,
    )
    opened = scene.start + rng.uniform(0, 600)
    spans = [s for s in scene.spans(240, 0.05) if s[0] > opened + 60]
    page = navigate(wire, hosts, opened)
    scene.there(hosts, opened, opened, opened + 20)
    upgrade = {"upgrade": "websocket"}
    wire.request(
        opened + 1,
        "GET",
        f"https://{hosts.socket}/socket",
        "websocket",
        page,
        0,
        status=101,
        headers=upgrade,
    )
    for span in spans:
        times = acts(rng, span, rng.lognormvariate(2.2, 0.4))
        for at in times:
            wire.message(at, hosts.socket, True, rng.lognormvariate(5.5, 0.7))
            if rng.random() < 0.6:
                wire.message(
                    at + rng.expovariate(0.2), hosts.socket, False, rng.lognormvariate(5.5, 1)
                )
        scene.there(hosts, span[0], times[-1], span[1])
    socket_noise(scene, wire, hosts, opened)


def _coming_back(scene: Scene) -> None:
    wire, hosts = scene.wire(), scene.hosts()
    page, opened = None, None
    for span in scene.spans(200, 0.05):
        opened = opened or span[0]
        page, _ = sitting(scene, wire, hosts, span, page)
    if page and opened:
        poller(
            scene,
            wire,
            hosts,
            page,
            opened,
            scene.rng.choice(("regular", "jittered", "fat", "refresh")),
        )


def _phone(scene: Scene) -> None:
    wire, hosts, rng = scene.wire(app=True), scene.hosts(), scene.rng
    for span in scene.spans(180, 0.06):
        sitting(scene, wire, hosts, span)
    for at in scene.machine(60, 1800):
        wire.request(
            at,
            "POST",
            f"https://{hosts.app}/metrics/batch",
            "empty",
            None,
            rng.choice((0, 12, 90)),
            bytes_up=3000,
        )
    if rng.random() < 0.6:
        for at in scene.machine(120, 1800):
            method, url = wire.api(hosts)
            wire.request(at, method, url, "empty", None, rng.lognormvariate(8.5, 1))


def _two_tabs(scene: Scene) -> None:
    wire, rng = scene.wire(), scene.rng
    left, right = scene.hosts(), scene.hosts()
    pages: dict[int, str | None] = {0: None, 1: None}
    at = scene.start + rng.uniform(60, 9000)
    for _ in range(rng.randint(2, 8)):
        index = int(rng.random() < 0.5)
        span = (at, at + rng.weibullvariate(120, 1.1) + 5)
        pages[index], at = sitting(scene, wire, (left, right)[index], span, pages[index])
        at += 2
    for index, page in pages.items():
        if page:
            leftover(scene, wire, (left, right)[index], page, scene.start + 9000, scene.end)


def _two_devices(scene: Scene) -> None:
    hosts, rng = scene.hosts(), scene.rng
    clients = (scene.wire(), scene.wire(app=rng.random() < 0.5))
    for start, end in scene.spans(500, 0.06):
        for client in clients:
            shift = rng.uniform(0, (end - start) / 2)
            sitting(scene, client, hosts, (start + shift, end + shift * rng.uniform(0, 1.5)))


def _sleep(scene: Scene) -> None:
    wire, hosts, rng = scene.wire(), scene.hosts(), scene.rng
    page: str | None = None
    spans = scene.spans(300, 0.05)
    first, at = spans[0][0], spans[0][0]
    for span in spans:
        if rng.random() < 0.8 and span[0] - at > 200:
            scene.asleep.append((at + rng.uniform(5, 60), span[0] - rng.uniform(5, 60)))
        page, at = sitting(scene, wire, hosts, span, page)
    scene.asleep.append((at + rng.uniform(1, 300), scene.end - rng.uniform(1, 600)))
    for kind in rng.sample(("regular", "jittered", "fat", "refresh", "ads"), 2):
        poller(scene, wire, hosts, page or hosts.web, first, kind)
    socket_noise(scene, wire, hosts, first)


def _pinned(scene: Scene) -> None:
    wire, hosts, rng = scene.wire(app=True), scene.hosts(tuple(HOSTS)), scene.rng

    def tunnel(at: float, duration: float, down: float) -> None:
        host = rng.choice((hosts.app, hosts.film, *hosts.cdn))
        size = {"bytes_up": round(down / rng.uniform(8, 90)) + 300, "bytes_down": round(down)}
        wire.events.append(
            {
                "at": at,
                "user": wire.user,
                "kind": "tunnel",
                "host": host,
                "duration": duration,
                **size,
            }
        )

    for start, end in scene.spans(300, 0.06):
        at = last = start
        while at < end:
            stretch = min(rng.gammavariate(2, 8) + 0.5, end - at + 1)
            tunnel(at, stretch, stretch * rng.lognormvariate(11, 1))
            last = at + stretch
            at = last + rng.expovariate(1 / 6)
        scene.there(hosts, start, last, end + 5)
    for at in scene.machine(60, 900):
        tunnel(at, rng.gammavariate(1.5, 20), rng.lognormvariate(7.5, 0.8))


def _mixed(scene: Scene) -> None:
    """Several sources for each of a few people."""
    active = (
        _feed,
        _glances,
        _long_read,
        video,
        _chat,
        paused,
        _coming_back,
        _phone,
        _two_tabs,
        _two_devices,
        _pinned,
    )
    idle = (
        *(open_tab(kind) for kind in ("regular", "jittered", "fat", "refresh", "ads")),
        embeds,
        prefetch,
    )
    for _ in range(scene.rng.randint(1, 3)):
        scene.user = f"user{scene.rng.randrange(40)}"
        for source in (
            *scene.rng.sample(active, scene.rng.randint(2, 4)),
            *scene.rng.sample(idle, scene.rng.randint(1, 3)),
        ):
            source(scene)


_SOURCES: dict[str, Callable[[Scene], None]] = {
    "feed": _feed,
    "long-read": _long_read,
    "video": video,
    "long-stream": long_stream,
    "chat": _chat,
    "glances": _glances,
    "open-regular": open_tab("regular"),
    "open-jittered": open_tab("jittered"),
    "open-fat": open_tab("fat"),
    "self-refresh": open_tab("refresh"),
    "rotating-ads": open_tab("ads"),
    "paused-video": paused,
    "coming-back": _coming_back,
    "embeds": embeds,
    "prefetch": prefetch,
    "phone-app": _phone,
    "two-tabs": _two_tabs,
    "two-devices": _two_devices,
    "sleep": _sleep,
    "pinned-app": _pinned,
    "mixed": _mixed,
}
