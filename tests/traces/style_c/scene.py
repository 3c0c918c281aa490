"""Style C, the scene: a day, a person in a feed, and the timers of a tab that is open."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.traces.day import Spans
from tests.traces.style_c.wire import Net, Wire

MORNING = 1_793_606_400.0


class Scene:
    """One day under construction."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.start = MORNING + rng.uniform(0, 3600)
        self.end = self.start + rng.uniform(6, 9) * 3600
        self.wires: list[Wire] = []
        self.truth: dict[str, dict[str, Spans]] = {}

    def wire(self, user: str = "eli", *, headers: bool = True) -> Wire:
        """A device."""
        self.wires.append(Wire(self.rng, user, headers=headers))
        return self.wires[-1]

    def was(self, net: str, start: float, end: float, user: str = "eli") -> None:
        """Somebody was there."""
        self.truth.setdefault(user, {}).setdefault(net, []).append((start, min(end, self.end)))

    def starts(self, low: int, high: int, room: float = 1500.0) -> list[float]:
        """Instants at which sittings begin, `room` apart at least."""
        slots = int((self.end - self.start - room) // room)
        chosen = sorted(self.rng.sample(range(slots), min(slots, self.rng.randint(low, high))))
        return [self.start + room * s + self.rng.uniform(0, room / 4) for s in chosen]


def browse(
    scene: Scene, wire: Wire, net: Net, at: float, seconds: float, *, opens: bool = True
) -> float:
    """A person in a feed: looks, scrolls (some scrolls load), opens things. Returns when they
    left."""
    r, begun = scene.rng, at
    if opens:
        wire.open(at, net, net.home, site=r.choice(("none", "same-origin")))
    else:
        for _ in range(r.randint(1, 4)):
            wire.call(at + r.uniform(0, 0.8), net, r.choice(net.poll + net.api), 3000)
        wire.images(at + 0.7, net, r.randint(0, 6))
    stop = at + seconds
    while (at := at + min(100.0, r.lognormvariate(2.4, 0.9))) < stop:
        does = r.random()
        if does < 0.55:
            wire.call(at, net, r.choice(net.api), 40_000)
            wire.images(at + r.uniform(0.2, 0.6), net, r.randint(2, 12))
        elif does < 0.72:
            wire.images(at, net, r.randint(1, 5))
        elif does < 0.85:
            wire.call(at, net, r.choice(net.act), 1500, method="POST")
        elif does < 0.93:
            wire.open(at, net, wire.fill(net.story), site="same-origin")
            at += r.uniform(5, 60)
        else:
            clip(scene, wire, net, at)
    left = min(max(begun + 5, stop), scene.end)
    scene.was(net.name, begun, left, wire.user)
    return left


def clip(scene: Scene, wire: Wire, net: Net, at: float) -> None:
    for i in range(scene.rng.randint(1, 3)):
        wire.segment(at + 3.5 * i, net, 5, 150_000, scene.rng.uniform(0.3, 1.5))


def tab(scene: Scene, wire: Wire, net: Net, start: float, end: float, how: str = "") -> None:
    """Everything an open tab does by itself. Periods and kinds of jitter are drawn for each
    timer."""
    r = scene.rng
    for path in net.known:
        timer(
            scene,
            start,
            end,
            r.uniform(5, 90),
            0.2,
            lambda t, p=path: wire.call(t, net, p, 50, method="POST"),
        )
    count = r.randint(1, 4)
    jitter = {"open-regular": 0.01, "open-jittered": 0.3}.get(how)
    for _ in range(count):
        path, size = r.choice(net.poll), r.choice((200, 900, 6000))
        size = size if how != "open-fat" else r.choice((60_000, 250_000, 900_000))
        spread = r.choice((0.0, 0.05, 0.15, 0.3)) if jitter is None else jitter
        timer(
            scene,
            start,
            end,
            r.choice((r.uniform(8, 40), r.uniform(25, 150), r.uniform(100, 900))),
            spread,
            lambda t, p=path, s=size: wire.call(t, net, p, s),
        )
    if how == "self-refresh" or (how == "mixed" and r.random() < 0.3):

        def renew(t: float) -> None:
            wire.call(t, net, net.api[0], 50_000)
            wire.images(t + 0.5, net, r.randint(3, 14))

        timer(scene, start, end, r.uniform(40, 420), r.choice((0.02, 0.15, 0.3)), renew)
    if how == "rotating-ads" or (how == "mixed" and r.random() < 0.3):

        def rotate(t: float) -> None:
            wire.send(
                t,
                f"{net.web}/ads/{wire.word(22)}/slot",
                "application/json",
                5000,
                page=net.web + net.home,
            )
            wire.images(t + 0.4, net, r.randint(1, 3))

        timer(scene, start, end, r.uniform(20, 120), r.choice((0.02, 0.2, 0.3)), rotate)


def timer(
    scene: Scene,
    start: float,
    end: float,
    period: float,
    spread: float,
    fire: Callable[[float], None],
) -> None:
    r = scene.rng
    grid, shape = r.random() < 0.4, r.choice(("uniform", "gauss"))
    at = start + r.uniform(0, period)
    while at < end:
        shift = (
            r.uniform(-spread, spread)
            if shape == "uniform"
            else max(-0.6, min(0.6, r.gauss(0, spread / 1.5)))
        )
        if grid:
            fire(at + shift * period / 2)
            at += period
        else:
            fire(at)
            at += period * (1 + shift)
