"""Style B, machines: what tabs, sockets, foreign pages and the browser ask for while nobody
does."""

from __future__ import annotations

from collections.abc import Callable

from tests.traces.style_b.scene import Scene, burst, navigate, sitting
from tests.traces.style_b.wire import HOSTS, Hosts, Wire

STRANGERS = (
    "www.morningpost.example/a",
    "forum.example/t/1",
    "recipes.example/pasta",
    "intranet.example/home",
)


def socket_noise(scene: Scene, wire: Wire, hosts: Hosts, since: float) -> None:
    """Heartbeats, pushes and receipts on a WebSocket."""
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


def poller(scene: Scene, wire: Wire, hosts: Hosts, page: str, since: float, kind: str) -> None:
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


def open_tab(kind: str) -> Callable[[Scene], None]:
    """A tab left open, with one kind of poller in it."""

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
        poller(scene, wire, hosts, page, at, kind)

    return source


def embeds(scene: Scene) -> None:
    """Widgets of platforms on the pages of others."""
    wire, rng = scene.wire(), scene.rng
    at = scene.start
    while (at := at + rng.expovariate(1 / rng.choice((60, 300, 900)))) < scene.end:
        hosts, stranger = scene.hosts(tuple(HOSTS)), rng.choice(STRANGERS)
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


def prefetch(scene: Scene) -> None:
    """Pages that a browser loads ahead."""
    wire, rng = scene.wire(), scene.rng
    at = scene.start
    while (at := at + rng.expovariate(1 / rng.choice((120, 600)))) < scene.end:
        hosts = scene.hosts()
        header = rng.choice(("sec-purpose", "sec-purpose", "purpose"))
        value = (
            "prefetch;prerender" if header == "sec-purpose" and rng.random() < 0.4 else "prefetch"
        )
        page, source = f"{hosts.web}/{wire.token(9)}", rng.choice((*STRANGERS, hosts.web))
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
