"""Style B: no pages and no scripts. Presence alternates, actions excite each other, machines tick."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.traces.day import Times
from tests.traces.process_b import acts
from tests.traces.scene_b import Scene, burst, leftover, navigate, sitting
from tests.traces.wire_b import HOSTS, Hosts, Wire

_STRANGERS = (
    "www.morningpost.example/a",
    "forum.example/t/1",
    "recipes.example/pasta",
    "intranet.example/home",
)


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


def _play(
    scene: Scene, wire: Wire, hosts: Hosts, page: str | None, start: float, end: float
) -> None:
    """Segments that keep a buffer between two marks: fetched in runs, then silence till the lower mark."""
    rng = scene.rng
    segment, rate = rng.uniform(1.5, 10), rng.lognormvariate(12, 0.7)
    lower = rng.uniform(4, 20)
    upper = lower + rng.uniform(segment, 30)
    name = wire.token(18)
    at, ready, number = start, 0.0, 0
    filling = True
    while at < end:
        if filling:
            number += 1
            size = segment * rate * rng.uniform(0.5, 1.5)
            took = min(segment * 0.8, size / max(wire.rate, rate * 2))
            url = (
                f"https://{hosts.film}/{name}/{number}.m4s"
                if number % 2
                else f"https://{hosts.film}/{name}?sq={number}"
            )
            dest = "empty" if wire.version % 4 else "video"
            wire.request(
                at,
                "GET",
                url,
                dest,
                page,
                size,
                content_type="video/mp4",
                duration=took,
                status=200,
            )
            at += took + 0.05
            ready += segment - took - 0.05
            filling = ready < upper
        else:
            at += ready - lower
            ready, filling = lower, True


def _video(scene: Scene) -> None:
    wire, hosts, rng = (
        scene.wire(),
        scene.hosts(("youtube", "twitch", "tiktok", "facebook", "x", "reddit")),
        scene.rng,
    )
    for start, end in scene.spans(900, 0.08):
        page = navigate(wire, hosts, start)
        _play(scene, wire, hosts, page, start + 1.5, end)
        scene.there(hosts, start, end, end + rng.uniform(3, 10))
        leftover(scene, wire, hosts, page, start, end + rng.expovariate(1 / 600))


def _long_stream(scene: Scene) -> None:
    wire, hosts, rng = (
        scene.wire(),
        scene.hosts(("youtube", "twitch", "linkedin", "facebook")),
        scene.rng,
    )
    start = rng.uniform(scene.start + 60, scene.end - 3800)
    page, length = navigate(wire, hosts, start), rng.uniform(1800, 3000)
    url = f"https://{hosts.film}/live/{wire.token(30)}"
    size = length * rng.lognormvariate(12, 0.6)
    kind = rng.choice(("video/mp4", "video/webm", "application/octet-stream"))
    wire.request(start + 2, "GET", url, "video", page, size, content_type=kind, duration=length)
    scene.there(hosts, start, start + 2 + length, start + 5 + length)


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
    _socket_noise(scene, wire, hosts, opened)


def _socket_noise(scene: Scene, wire: Wire, hosts: Hosts, since: float) -> None:
    rng, beat, receipts = scene.rng, scene.rng.randint(1, 40), scene.rng.random() < 0.4
    for at in scene.machine(8, 60, since, jitter=scene.rng.uniform(0, 0.1)):
        wire.message(at, hosts.socket, True, beat)
        wire.message(at + 0.1, hosts.socket, False, beat)
    at = since
    while (at := at + rng.weibullvariate(400, 0.7)) < scene.end:
        for when in scene.filtered([at]):
            wire.message(when, hosts.socket, False, rng.lognormvariate(6, 1))
            if receipts:
                wire.message(when + rng.uniform(0.05, 0.8), hosts.socket, True, rng.randint(15, 80))


def _poller(scene: Scene, wire: Wire, hosts: Hosts, page: str, since: float, kind: str) -> None:
    """One of the machines that run in an open tab."""
    rng = scene.rng
    usual = {"fat": rng.lognormvariate(11.5, 0.7), "refresh": rng.lognormvariate(10.5, 1.0)}.get(
        kind, rng.lognormvariate(6, 1)
    )
    jitter = 0.0 if kind == "regular" else rng.uniform(0.1, 0.3) if kind == "jittered" else None
    fresh = rng.uniform(0.1, 1.0)
    for at in scene.machine(
        15 if kind == "ads" else 5, 180 if kind == "ads" else 600, since, jitter
    ):
        if kind == "ads":
            slot = f"https://{hosts.web}/{wire.noun}/slot?k={wire.token(6)}"
            wire.request(at, "GET", slot, "empty", page, rng.lognormvariate(8, 1))
        else:
            method, url = wire.api(hosts) if kind == "refresh" else wire.poll(hosts)
            wire.request(at, method, url, "empty", page, usual * rng.lognormvariate(0, 0.2))
        if kind in ("refresh", "ads") and rng.random() < fresh:
            for _ in range(rng.randint(1, 3 if kind == "ads" else 8)):
                picture = f"https://{rng.choice(hosts.cdn)}/{wire.token(20)}.webp"
                when = at + rng.gammavariate(2, 0.3)
                wire.request(
                    when,
                    "GET",
                    picture,
                    "image",
                    page,
                    rng.lognormvariate(9.8, 1),
                    content_type="image/webp",
                )


def _open(kind: str) -> Callable[[Scene], None]:
    def source(scene: Scene) -> None:
        wire, hosts, rng = scene.wire(), scene.hosts(), scene.rng
        at = scene.start + rng.uniform(5, 7200)
        if rng.random() < 0.35:
            page: str = navigate(wire, hosts, scene.start + 5, clicked=False)
            wire.events.clear()  # loaded before the day began
            at = scene.start
        else:
            found, _ = sitting(scene, wire, hosts, (at, at + rng.lognormvariate(5.6, 0.8)))
            page = found or hosts.web
        _poller(scene, wire, hosts, page, at, kind)

    return source


def _paused(scene: Scene) -> None:
    wire, hosts, rng = (
        scene.wire(),
        scene.hosts(("youtube", "twitch", "facebook", "reddit", "tiktok")),
        scene.rng,
    )
    start = scene.start + rng.uniform(60, 7200)
    watched = rng.lognormvariate(5.5, 0.7)
    page = navigate(wire, hosts, start)
    _play(scene, wire, hosts, page, start + 1, start + watched)
    scene.there(hosts, start, start + watched, start + watched + 4)
    for at in scene.machine(10, 60, start):
        url = f"https://{hosts.web}/player/state?id={wire.token(8)}"
        wire.request(
            at, "POST", url, "empty", page, rng.choice((0, 20, 200)), status=200, bytes_up=350
        )
    leftover(scene, wire, hosts, page, start, scene.end)


def _coming_back(scene: Scene) -> None:
    wire, hosts = scene.wire(), scene.hosts()
    page, opened = None, None
    for span in scene.spans(200, 0.05):
        opened = opened or span[0]
        page, _ = sitting(scene, wire, hosts, span, page)
    if page and opened:
        _poller(
            scene,
            wire,
            hosts,
            page,
            opened,
            scene.rng.choice(("regular", "jittered", "fat", "refresh")),
        )


def _embeds(scene: Scene) -> None:
    wire, rng = scene.wire(), scene.rng
    at = scene.start
    while (at := at + rng.expovariate(1 / rng.choice((60, 300, 900)))) < scene.end:
        hosts, stranger = scene.hosts(tuple(HOSTS)), rng.choice(_STRANGERS)
        pixel = rng.random() < 0.5
        kind = "image/gif" if pixel else "text/javascript"
        wire.request(
            at,
            "GET",
            f"https://{hosts.widget}",
            "image" if pixel else "script",
            stranger,
            4e4,
            content_type=kind,
        )
        if rng.random() < 0.6:
            frame = hosts.frame.replace("{id}", wire.token(11))
            wire.request(
                at + 0.5,
                "GET",
                f"https://{frame}",
                "iframe",
                stranger,
                3e4,
                content_type="text/html",
            )
            burst(wire, hosts, at + 1, frame)
            if rng.random() < 0.4:
                film = f"https://{hosts.film}/{wire.token(20)}"
                wire.request(
                    at + 2,
                    "GET",
                    film,
                    "empty",
                    frame,
                    rng.lognormvariate(12.5, 1),
                    content_type="video/mp4",
                )


def _prefetch(scene: Scene) -> None:
    wire, rng = scene.wire(), scene.rng
    at = scene.start
    while (at := at + rng.expovariate(1 / rng.choice((120, 600)))) < scene.end:
        hosts = scene.hosts()
        header = rng.choice(("sec-purpose", "sec-purpose", "purpose"))
        value = (
            "prefetch;prerender" if header == "sec-purpose" and rng.random() < 0.4 else "prefetch"
        )
        page, source = f"{hosts.web}/{wire.token(9)}", rng.choice((*_STRANGERS, hosts.web))
        mark = {header: value}
        wire.request(
            at,
            "GET",
            f"https://{page}",
            "document",
            source,
            8e4,
            headers=mark,
            content_type="text/html",
        )
        for _ in range(rng.randint(0, 5)):
            picture = f"https://{rng.choice(hosts.cdn)}/{wire.token(16)}.webp"
            wire.request(
                at + 0.6,
                "GET",
                picture,
                "image",
                page,
                2e4,
                headers=mark,
                content_type="image/webp",
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
        _poller(scene, wire, hosts, page or hosts.web, first, kind)
    _socket_noise(scene, wire, hosts, first)


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
        _video,
        _chat,
        _paused,
        _coming_back,
        _phone,
        _two_tabs,
        _two_devices,
        _pinned,
    )
    idle = (
        *(_open(kind) for kind in ("regular", "jittered", "fat", "refresh", "ads")),
        _embeds,
        _prefetch,
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
    "video": _video,
    "long-stream": _long_stream,
    "chat": _chat,
    "glances": _glances,
    "open-regular": _open("regular"),
    "open-jittered": _open("jittered"),
    "open-fat": _open("fat"),
    "self-refresh": _open("refresh"),
    "rotating-ads": _open("ads"),
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
}
