"""Style B's day and what it is made of: bursts, navigations, sittings, and what a page leaves
behind."""

from __future__ import annotations

import random
from collections.abc import Iterable

from tests.traces.day import Span, Times
from tests.traces.style_b.process import acts, period_of, presences, ticks
from tests.traces.style_b.wire import HOSTS, Hosts, Wire

BROWSED = tuple(name for name in HOSTS if name != "whatsapp")
_STRANGERS = (
    "www.morningpost.example/a",
    "forum.example/t/1",
    "recipes.example/pasta",
    "intranet.example/home",
)


class Scene:
    """Everything that is drawn for one day."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.start = 1_780_000_000.0 + rng.randrange(300) * 86_400 + 25_200
        self.end = self.start + rng.choice((8, 8, 8.5, 9)) * 3600
        self.truth: Times = {}
        self.wires: list[Wire] = []
        self.user = f"user{rng.randrange(40)}"
        self.asleep: list[Span] = []

    def wire(self, app: bool = False) -> Wire:
        """Another client of the same person."""
        made = Wire(self.rng, self.user, app)
        self.wires.append(made)
        return made

    def hosts(self, names: tuple[str, ...] = BROWSED) -> Hosts:
        """Any platform."""
        return HOSTS[self.rng.choice(names)]

    def there(self, hosts: Hosts, start: float, last: float, left: float) -> float:
        """Put down a stretch: it ends when the person leaves, at most a minute after the last
        action."""
        end = max(last + 3.0, min(left, last + 60.0))
        self.truth.setdefault(self.user, {}).setdefault(hosts.name, []).append((start, end))
        return end

    def spans(self, typical: float, share: float) -> list[Span]:
        """When the person is there; at least once a day."""
        found = list(presences(self.rng, self.start, self.end, typical, share))
        middle = (self.start + self.end) / 2
        return found or [(middle, middle + typical)]

    def machine(
        self, low: float, high: float, since: float | None = None, jitter: float | None = None
    ) -> list[float]:
        """Times of a machine; in sleep nothing happens, and one overdue tick comes at waking up."""
        amount = self.rng.uniform(0.0, 0.3) if jitter is None else jitter
        begin = self.start if since is None else since
        times = ticks(self.rng, begin, self.end, period_of(self.rng, low, high), amount)
        return self.filtered(times)

    def filtered(self, times: Iterable[float]) -> list[float]:
        """What sleep leaves of it."""
        kept: list[float] = []
        for at in times:
            span = next(((s, e) for s, e in self.asleep if s <= at < e), None)
            if span is None:
                kept.append(at)
            elif not kept or kept[-1] < span[0]:
                kept.append(span[1] + self.rng.expovariate(1.0))
        return kept


def burst(wire: Wire, hosts: Hosts, at: float, page: str | None, noun: str | None = None) -> None:
    """An action on a page or in an app: a geometric number of calls, pictures after them."""
    rng = wire.rng
    while True:
        method, url = wire.api(hosts, noun)
        wire.request(at, method, url, "empty", page, rng.lognormvariate(9.5, 1.3))
        at += rng.expovariate(4)
        if rng.random() < 0.7:
            break
    for _ in range(min(25, int(rng.expovariate(1 / 5)))):
        picture = f"https://{rng.choice(hosts.cdn)}/{wire.token(8)}/{wire.token(20)}.webp"
        when = at + rng.gammavariate(1.5, 0.25)
        wire.request(
            when,
            "GET",
            picture,
            "image",
            page,
            rng.lognormvariate(10, 1),
            content_type="image/webp",
        )


def navigate(wire: Wire, hosts: Hosts, at: float, clicked: bool = True) -> str:
    """A navigation with its parts; the page's host and path."""
    rng = wire.rng
    page = f"{hosts.web}/{rng.choice(('', 'home', 'p/' + wire.token(6), 'u/' + wire.token(5)))}"
    headers = {"sec-fetch-user": "?1"} if clicked and wire.metadata else {}
    source = None if rng.random() < 0.7 else hosts.web + "/"
    kind = "text/html;charset=UTF-8"
    size = rng.lognormvariate(11, 0.8)
    wire.request(
        at, "GET", f"https://{page}", "document", source, size, headers=headers, content_type=kind
    )
    for _ in range(rng.randint(1, 9)):
        script = f"https://{hosts.web}/static/{wire.token(16)}.js"
        when = at + rng.uniform(0.1, 2)
        wire.request(
            when,
            "GET",
            script,
            "script",
            page,
            rng.lognormvariate(10, 1.5),
            content_type="text/javascript",
        )
    burst(wire, hosts, at + rng.uniform(0.3, 1.2), page)
    return page


def sitting(
    scene: Scene, wire: Wire, hosts: Hosts, span: Span, page: str | None = None
) -> tuple[str | None, float]:
    """Actions in one stretch of being there. `page` is a tab that was open already. The page and
    the end."""
    rng, mean = scene.rng, scene.rng.lognormvariate(2.0, 0.5)
    times = acts(rng, span, mean)
    new_page = rng.uniform(0, 0.25)
    noun = None
    for number, at in enumerate(times):
        if wire.app:
            burst(wire, hosts, at, None, noun)
        elif page is None or (number and rng.random() < new_page):
            page = navigate(wire, hosts, at)
        else:
            noun = rng.choice((None, None, "comments", "like"))
            burst(wire, hosts, at, page, noun)
    return page, scene.there(hosts, span[0], times[-1], span[1])


def leftover(scene: Scene, wire: Wire, hosts: Hosts, page: str, since: float, until: float) -> None:
    """A page's small noise until it is closed."""
    rng = scene.rng
    for at in scene.machine(10, 240, since):
        if at < until:
            log = f"https://{hosts.web}/log/{wire.version}"
            wire.request(
                at,
                "POST",
                log,
                "empty",
                page,
                rng.choice((0, 0, 35)),
                status=204,
                bytes_up=rng.randint(99, 5000),
            )
