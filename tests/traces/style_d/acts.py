"""What a person does on a page with a feed, posts and texts."""

from __future__ import annotations

from tests.traces.day import Span, Spans
from tests.traces.style_d.people import arrivals, lognormal
from tests.traces.style_d.scene import Scene
from tests.traces.style_d.sites import Site
from tests.traces.style_d.tabs import STATES, Show, Tab, fire, tick
from tests.traces.style_d.wire import Call, Device, document, host


def load(scene: Scene, site: Site, tab: Tab, at: float, url: str = "") -> float:
    """A page is opened by typing, a bookmark or a link; returns when its first screen is there."""
    rng, wire, device = scene.rng, scene.wire, tab.device
    tab.url = wire.fill(url or site.home)
    if device.app:
        done = wire.send(device, at, Call(site.home, 500, 20_000), size=rng.randint(500, 20_000))
        done = wire.send(device, done, site.feed)
        return wire.pictures(device, done, site.pictures, rng.randint(3, 8), "")
    if site.alias and not url and rng.random() < 0.15:
        alias = Call(site.alias, 0, 0, "", status=rng.choice((301, 302)))
        at = wire.send(device, at, alias, "", "document", "navigate")
    done = wire.send(device, at, document(tab.url), "", "document", "navigate", url=tab.url)
    _bundles(scene, site, tab, done)
    if rng.random() < 0.2:
        worker = Call(f"https://{tab.url.split('/')[2]}/sw.js", 400, 30_000, "text/javascript")
        wire.send(
            device,
            done + 1,
            worker,
            tab.url,
            "serviceworker",
            "same-origin",
            extra={"service-worker": "script"},
        )
    if site.spa:
        call = site.detail if url else site.feed
        done = wire.send(device, done + rng.uniform(0.1, 0.6), call, tab.url)
        for _ in range(rng.randint(2, 9)):  # who am I, what may I, what is new
            boot = Call(f"https://{host(site.feed.url)}/i/boot/{{w}}", 200, 9_000)
            wire.send(device, done + rng.uniform(-0.1, 1.5), boot, tab.url)
    return wire.pictures(device, done, site.pictures, rng.randint(6, 24), tab.url)


def _bundles(scene: Scene, site: Site, tab: Tab, at: float) -> None:
    """Scripts and styles: all of them at first, then only what changed or is asked after."""
    rng, wire = scene.rng, scene.wire
    for asset in site.assets:
        for chunk in range(rng.randint(4, 16)):
            url = f"{asset.url}?chunk={chunk}"
            later = at + rng.uniform(0.0, 0.6)
            if not wire.cached(tab.device, url):
                wire.send(tab.device, later, asset, tab.url, "script", "no-cors", url=url)
            elif rng.random() < 0.06:
                wire.send(
                    tab.device,
                    later,
                    asset,
                    tab.url,
                    "script",
                    "no-cors",
                    url=url,
                    status=304,
                    size=0,
                )


def arrive(scene: Scene, site: Site, tab: Tab, at: float) -> float:
    """The person looks at the tab: loads it, or comes back to it; returns when acts may begin."""
    rng = scene.rng
    fresh = not tab.views or tab.show(at) is Show.CLOSED
    tab.turn(at, Show.VISIBLE)
    if fresh:
        return load(scene, site, tab, at + rng.uniform(0.0, 0.3))
    if rng.random() < site.refreshes:
        at = scene.wire.send(tab.device, at + rng.uniform(0.05, 0.5), site.feed, tab.url)
        return scene.wire.pictures(tab.device, at, site.pictures, rng.randint(0, 6), tab.url)
    return at


def depart(scene: Scene, site: Site, tab: Tab, at: float, how: str) -> None:
    """The person is gone; unless the tab stays in view, the page says good-bye."""
    tab.turn(at, STATES[how])
    if how in ("closed", "hidden") and not tab.device.app:
        scene.wire.beacon(tab.device, at + scene.rng.uniform(0.0, 0.05), site.beacon, tab.url)


def scroll(scene: Scene, site: Site, tab: Tab, span: Span, seen: float = 0.0) -> None:
    """Down a feed, now and then into a post, until the person leaves (mid-way as a rule)."""
    rng, wire, device = scene.rng, scene.wire, tab.device
    at, left = span[0] + scene.person.pause(rng), float(site.posts) - seen
    page = "" if device.app else tab.url
    while at < span[1]:
        posts = lognormal(rng, 1.3, 0.5, 0.3, 5.0)
        left -= posts
        now = at
        if left < site.posts * 0.25:
            left += site.posts
            now = wire.send(device, now, site.feed, page)
        shown = sum(rng.random() < site.pictured for _ in range(max(1, round(posts))))
        if shown and rng.random() < 0.8:  # else loaded ahead or seen before
            wire.pictures(device, now, site.pictures, shown + rng.randint(0, 2), page)
        if site.clip and rng.random() < 0.1:
            for _ in range(rng.randint(1, 3)):
                now = wire.send(device, now, site.clip, page, "video", "no-cors")
        if rng.random() < 0.4:
            wire.beacon(device, at + rng.uniform(0.2, 3), site.beacon, page)
        choice = rng.random()
        if choice < 0.07:
            wire.send(device, now + rng.uniform(0.5, 2), site.act, page)
        elif choice < 0.17:
            at = _into(scene, site, tab, at + 0.1)
        at += scene.person.pause(rng)


def _into(scene: Scene, site: Site, tab: Tab, at: float) -> float:
    """A post of the feed, read with its comments, and back; returns when."""
    rng, wire, device = scene.rng, scene.wire, tab.device
    page = "" if device.app else tab.url
    if site.spa or device.app:
        at = wire.send(device, at, site.detail, page)
        wire.pictures(device, at, site.pictures, rng.randint(0, 8), page)
    else:
        url = wire.fill(site.item)
        at = wire.send(device, at, document(url), page, "document", "navigate", url=url)
        wire.pictures(device, at, site.pictures, rng.randint(1, 10), url)
    return at + scene.person.pause(rng) * rng.uniform(0.5, 2.0)


def read(scene: Scene, site: Site, tab: Tab, span: Span) -> None:
    """One long text after another: an opening, then few requests with long pauses."""
    rng, wire, device = scene.rng, scene.wire, tab.device
    at = span[0] + scene.person.pause(rng)
    while at < span[1]:
        url = wire.fill(site.item)
        if site.spa:
            done = wire.send(device, at, site.detail, tab.url)
        else:
            done = wire.send(device, at, document(url), tab.url, "document", "navigate", url=url)
            tab.url = url
        wire.pictures(device, done, site.pictures, rng.randint(0, 5), tab.url)
        for _ in range(1 + int(rng.expovariate(1 / 2.5))):
            at += scene.person.read(rng)
            if at >= span[1]:
                return
            choice = rng.random()
            if choice < 0.25:
                wire.pictures(device, at, site.pictures, rng.randint(1, 3), tab.url)
            elif choice < 0.4:
                wire.send(device, at, site.detail, tab.url)
            elif choice < 0.45:
                wire.send(device, at, site.act, tab.url)
        at += scene.person.pause(rng)


def swipe(scene: Scene, site: Site, tab: Tab, span: Span) -> None:
    """Short films one after the other, each loaded before it is its turn."""
    rng, wire, device = scene.rng, scene.wire, tab.device
    if site.clip is None:
        return
    page = "" if device.app else tab.url
    at, ahead = span[0], 0
    while at < span[1]:
        wanted = rng.choice((1, 2, 3)) - ahead
        now = at
        for _ in range(max(0, wanted)):
            partial = rng.random() < 0.8
            size = rng.randint(site.clip.low, site.clip.high)
            now = wire.send(
                device,
                now,
                site.clip,
                page,
                "video",
                "no-cors",
                size=size,
                status=206 if partial else 200,
                extra={"range": "bytes=0-"},
            )
            ahead += 1
        ahead = max(0, ahead - 1)
        if rng.random() < 1.0 / site.posts:
            wire.send(device, at + 0.2, site.feed, page)
        if rng.random() < 0.2:
            now = wire.send(device, at + rng.uniform(1, 4), site.detail, page)
            wire.pictures(device, now, site.pictures[1:] or site.pictures, rng.randint(2, 9), page)
        if rng.random() < 0.12:
            wire.send(device, at + rng.uniform(1, 6), site.act, page)
        wire.beacon(device, at + 0.5, site.beacon, page)
        at += lognormal(rng, 11.0, 0.9, 1.0, 180.0)


ACTS = {"scroll": scroll, "read": read, "swipe": swipe}


def sit(scene: Scene, site: Site, tab: Tab, span: Span, act: str, end: str) -> None:
    """One sitting: it is true, and this is what it looks like."""
    scene.attend(site.platform, span)
    began = arrive(scene, site, tab, span[0])
    ACTS[act](scene, site, tab, (min(began, span[1]), span[1]))
    depart(scene, site, tab, span[1], end)


def browse(
    scene: Scene, site: Site, device: Device, spans: Spans, act: str, ends: tuple[str, ...]
) -> Tab:
    """Several sittings in one tab, and its own timers all day. `ends` are drawn from."""
    tab = Tab(device, site.home)
    for span in spans:
        sit(scene, site, tab, span, act, scene.rng.choice(ends))
    for timer in site.timers:
        tick(scene, tab, timer)
    if not device.app and scene.rng.random() < 0.3:
        _pushes(scene, site, device)
    return tab


def _pushes(scene: Scene, site: Site, device: Device) -> None:
    """Notifications: the service worker fetches what it shows, whether or not a tab is open."""
    worker = f"https://{host(site.home)}/sw.js"
    what = Call(f"https://{host(site.feed.url)}/i/notification/{{n}}", 300, 3_000)
    for at in arrivals(scene.rng, scene.day, 2.0):
        done = scene.wire.send(device, at, what, worker)
        scene.wire.pictures(device, done, site.pictures[-1:], 1, worker)


__all__ = ["ACTS", "arrive", "browse", "depart", "fire", "load", "read", "scroll", "sit", "swipe"]
