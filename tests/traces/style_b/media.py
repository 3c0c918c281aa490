"""Style B, films: segments in runs, long streams, players that are paused."""

from __future__ import annotations

from tests.traces.style_b.scene import Scene, leftover, navigate
from tests.traces.style_b.wire import Hosts, Wire


def play(
    scene: Scene, wire: Wire, hosts: Hosts, page: str | None, start: float, end: float
) -> None:
    """Segments that keep a buffer between two marks: fetched in runs, then silence till the lower
    mark."""
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


def video(scene: Scene) -> None:
    """A film that is watched, segment by segment."""
    wire, hosts, rng = (
        scene.wire(),
        scene.hosts(("youtube", "twitch", "tiktok", "facebook", "x", "reddit")),
        scene.rng,
    )
    for start, end in scene.spans(900, 0.08):
        page = navigate(wire, hosts, start)
        play(scene, wire, hosts, page, start + 1.5, end)
        scene.there(hosts, start, end, end + rng.uniform(3, 10))
        leftover(scene, wire, hosts, page, start, end + rng.expovariate(1 / 600))


def long_stream(scene: Scene) -> None:
    """A live stream in one long answer."""
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


def paused(scene: Scene) -> None:
    """A film that is stopped, and a player that goes on telling so."""
    wire, hosts, rng = (
        scene.wire(),
        scene.hosts(("youtube", "twitch", "facebook", "reddit", "tiktok")),
        scene.rng,
    )
    start = scene.start + rng.uniform(60, 7200)
    watched = rng.lognormvariate(5.5, 0.7)
    page = navigate(wire, hosts, start)
    play(scene, wire, hosts, page, start + 1, start + watched)
    scene.there(hosts, start, start + watched, start + watched + 4)
    for at in scene.machine(10, 60, start):
        url = f"https://{hosts.web}/player/state?id={wire.token(8)}"
        wire.request(
            at, "POST", url, "empty", page, rng.choice((0, 20, 200)), status=200, bytes_up=350
        )
    leftover(scene, wire, hosts, page, start, scene.end)
