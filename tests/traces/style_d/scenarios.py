"""One day of each kind, from a generator written without a look at the meter or the other ones.

Plans of attention come first (`people`), what the person does inside them next (`acts`, `films`,
`chats`), and what machines do all day last (`tabs`, `timers`); `wire` says how a request looks.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.traces.day import Span, Spans, Times
from tests.traces.style_d import chats, elsewhere, films
from tests.traces.style_d.acts import browse, depart, load, sit
from tests.traces.style_d.more_sites import APPS, CLIPS, READING, TIKTOK
from tests.traces.style_d.people import ENDS, lognormal, plan, sitting
from tests.traces.style_d.scene import Scene
from tests.traces.style_d.scene import scene as new_scene
from tests.traces.style_d.sites import FACEBOOK, INSTAGRAM, LINKEDIN, SOCIAL
from tests.traces.style_d.tabs import Show, Tab, tick
from tests.traces.style_d.timers import machines
from tests.traces.style_d.wire import browser, phone

type Part = Callable[[Scene, Span], object]
"""Fills a stretch of the day."""

STAYS = ("left", "left", "hidden")


def _spans(scene: Scene, span: Span, low: int, high: int, median: float = 280.0) -> Spans:
    rng = scene.rng
    return plan(rng, span, [sitting(rng, median) for _ in range(rng.randint(low, high))])


def _feed(scene: Scene, span: Span) -> None:
    rng = scene.rng
    site = rng.choice((*SOCIAL, *CLIPS))
    act = "swipe" if site is TIKTOK or (site in CLIPS and rng.random() < 0.3) else "scroll"
    browse(scene, site, browser(rng), _spans(scene, span, 2, 6), act, ENDS)


def _long_read(scene: Scene, span: Span) -> None:
    site = scene.rng.choice(READING)
    browse(scene, site, browser(scene.rng), _spans(scene, span, 2, 5, 420.0), "read", ENDS)


def _video(scene: Scene, span: Span) -> None:
    site = films.some(scene)
    tab = Tab(browser(scene.rng), site.home)
    films.films(scene, tab, site, _spans(scene, span, 1, 4, 700.0), ENDS)


def _long_stream(scene: Scene, span: Span) -> None:
    rng = scene.rng
    length = min(rng.uniform(2_400, 9_000), 0.8 * (span[1] - span[0]))
    films.stream(scene, Tab(browser(rng), ""), plan(rng, span, [length])[0])


def _paused(scene: Scene, span: Span) -> None:
    """A film is left paused in view for long, and gone on with."""
    rng = scene.rng
    site = films.some(scene)
    tab = Tab(browser(rng), site.home)
    pieces = plan(rng, span, [sitting(rng, 240.0) for _ in range(rng.randint(2, 4))], 400.0)
    films.watch(scene, site, tab, pieces, rng.choice(("closed", "left")), 10_000.0)
    for timer in site.timers:
        tick(scene, tab, timer)


def _glances(scene: Scene, span: Span) -> None:
    rng = scene.rng
    count = max(2, int((span[1] - span[0]) / 3_600 * rng.uniform(2.0, 5.0)))
    spans = plan(rng, span, [lognormal(rng, 18.0, 0.5, 10.0, 40.0) for _ in range(count)])
    ends = rng.choice((STAYS, ("closed",), ("hidden",), ENDS))
    browse(scene, rng.choice(SOCIAL), browser(rng), spans, "scroll", ends)


def _open(kind: str, low: int = 1, high: int = 2) -> Part:
    """A tab that is left open with machines of this kind in it."""

    def part(scene: Scene, span: Span) -> None:
        rng = scene.rng
        site = rng.choice(SOCIAL)
        # Used early; where somebody comes back, it is at any time.
        early = (span[0], span[0] + 0.3 * (span[1] - span[0])) if high < 3 else span
        spans = _spans(scene, early, low, high, 200.0)
        tab = browse(scene, site, browser(rng), spans, "scroll", STAYS)
        for timer in machines(rng, site, kind, tab.views[-1][1] is Show.HIDDEN):
            tick(scene, tab, timer)

    return part


def _coming_back(scene: Scene, span: Span) -> None:
    kind = scene.rng.choice(("regular", "jittered", "fat", "refresh", "own"))
    _open(kind, 4, 10)(scene, span)


def _graphql(scene: Scene, span: Span) -> None:
    """One path for everything; the operation is in a header or in the query."""
    rng = scene.rng
    site = rng.choice((FACEBOOK, INSTAGRAM, LINKEDIN))
    tab = browse(scene, site, browser(rng), _spans(scene, span, 2, 6), "scroll", ENDS)
    for timer in machines(rng, site, "graphql", True):
        tick(scene, tab, timer)


def _talk(*channels: chats.Channel) -> Part:
    def part(scene: Scene, span: Span) -> None:
        rng = scene.rng
        spans = _spans(scene, span, 3, 9, 150.0)
        chats.chat(scene, browser(rng), rng.choice(channels), spans, ENDS)

    return part


def _phone(scene: Scene, span: Span) -> None:
    rng = scene.rng
    site = rng.choice(APPS)
    act = "swipe" if site.platform == "tiktok" else rng.choice(("scroll", "scroll", "swipe"))
    act = act if site.clip else "scroll"
    spans = _spans(scene, span, 2, 8, 200.0)
    browse(scene, site, phone(rng), spans, act, ("closed", "hidden", "hidden"))


def _two_tabs(scene: Scene, span: Span) -> None:
    """To and fro between two platforms, one of them in view, or both side by side."""
    rng = scene.rng
    device = browser(rng)
    sites = rng.sample(SOCIAL, 2)
    tabs = [Tab(device, site.home) for site in sites]
    end = rng.choice(("hidden", "hidden", "hidden", "left"))
    turn = 0
    for start, stop in _spans(scene, span, 1, 4, 600.0):
        at = start
        while at < stop:
            until = min(stop, at + lognormal(rng, 60.0, 0.8, 10.0, 400.0))
            sit(scene, sites[turn], tabs[turn], (at, until), "scroll", end)
            at, turn = until, 1 - turn
    for site, tab in zip(sites, tabs, strict=True):
        for timer in site.timers:
            tick(scene, tab, timer)


def _two_devices(scene: Scene, span: Span) -> None:
    """A laptop and a phone, never looked at together; the laptop stays on."""
    rng = scene.rng
    spans = _spans(scene, span, 4, 9, 200.0)
    mine = [rng.random() < 0.5 for _ in spans]
    laptop = [each for each, phone_ in zip(spans, mine, strict=True) if not phone_]
    apps = [each for each, phone_ in zip(spans, mine, strict=True) if phone_]
    site = rng.choice(SOCIAL)
    same = [app for app in APPS if app.platform == site.platform]
    app = same[0] if same and rng.random() < 0.5 else rng.choice(APPS)
    browse(scene, site, browser(rng), laptop, "scroll", STAYS)
    browse(scene, app, phone(rng), apps, "scroll", ("closed", "hidden"))


def _sleep(scene: Scene, span: Span) -> None:
    """The lid is closed, at once or later; some laptops wake for seconds by themselves."""
    rng = scene.rng
    site = rng.choice(SOCIAL)
    tab = Tab(browser(rng), site.home)
    spans = _spans(scene, span, 2, 6)
    dark = rng.random() < 0.5
    for index, each in enumerate(spans):
        sit(scene, site, tab, each, "scroll", "left")
        following = spans[index + 1][0] if index + 1 < len(spans) else scene.end
        at = each[1] + rng.choice((0.5, rng.uniform(2, 30), 600.0))
        if at >= following:
            continue
        tab.turn(at, Show.ASLEEP)
        while dark and (at := at + rng.uniform(1_200, 4_000)) < following - 60:
            tab.turn(at, Show.HIDDEN)
            tab.turn(at + rng.uniform(10, 45), Show.ASLEEP)
    kind = rng.choice(("regular", "jittered", "refresh"))
    for timer in (*site.timers, *machines(rng, site, kind, True)):
        tick(scene, tab, timer)


def _in_turn(scene: Scene, span: Span) -> None:
    """A page each of two or three platforms, 65 to 95 s, one after the other without a break."""
    rng = scene.rng
    device = browser(rng)
    sites = rng.sample((*SOCIAL, *READING[1:4]), rng.choice((2, 3)))
    tabs = [Tab(device, site.home) for site in sites]
    end = rng.choice(("hidden", "closed"))
    for start, stop in _spans(scene, span, 2, 4, 700.0):
        at, turn = start, rng.randrange(len(sites))
        while stop - at >= 65.0:
            until = min(stop, at + rng.uniform(65.0, 95.0))
            site, tab = sites[turn], tabs[turn]
            scene.attend(site.platform, (at, until))
            tab.turn(at, Show.VISIBLE)
            load(scene, site, tab, at + rng.uniform(0.0, 0.3), site.item)
            if rng.random() < 0.5:
                scene.wire.send(device, rng.uniform(at + 5, until), site.detail, tab.url)
            depart(scene, site, tab, until, end)
            at, turn = until, (turn + 1) % len(sites)
    for site, tab in zip(sites, tabs, strict=True):
        for timer in site.timers:
            tick(scene, tab, timer)


def _news(scene: Scene, span: Span, player: float = 0.2) -> None:
    tab = Tab(browser(scene.rng), "")
    for start, stop in _spans(scene, span, 4, 9, 400.0):
        at = start
        while at < stop:
            elsewhere.newspaper(scene, tab, at, player)
            at += lognormal(scene.rng, 45.0, 0.9, 5.0, 400.0)


def _embedded_film(scene: Scene, span: Span) -> None:
    """Newspapers again, and some of the films in them are played."""
    rng = scene.rng
    device = browser(rng)
    for start, stop in _spans(scene, (span[0] + 200, span[1]), 2, 7, 150.0):
        tab = Tab(device, "")
        page = elsewhere.newspaper(scene, tab, start - rng.uniform(171, 190), 0.0)
        player = rng.choice(("youtube", "youtube", "twitch", "vimeo"))
        films.embedded(scene, tab, (start, stop), page, player)
    _news(scene, span, 0.5)


def _prefetch(scene: Scene, span: Span) -> None:
    device = browser(scene.rng)
    for start, _ in _spans(scene, span, 15, 40, 40.0):
        elsewhere.search(scene, device, start)


def _pinned(scene: Scene, span: Span) -> None:
    rng = scene.rng
    platform = rng.choice(tuple(elsewhere.PINNED))
    device = replace(phone(rng), agent="")
    elsewhere.pinned(scene, device, platform, _spans(scene, span, 2, 8, 240.0))


PARTS: dict[str, Part] = {
    "feed": _feed,
    "long-read": _long_read,
    "video": _video,
    "long-stream": _long_stream,
    "chat": _talk(*chats.SOCKETS),
    "glances": _glances,
    "open-regular": _open("regular"),
    "open-jittered": _open("jittered"),
    "open-fat": _open("fat"),
    "self-refresh": _open("refresh"),
    "rotating-ads": _open("ads"),
    "paused-video": _paused,
    "coming-back": _coming_back,
    "embeds": _news,
    "prefetch": _prefetch,
    "phone-app": _phone,
    "two-tabs": _two_tabs,
    "two-devices": _two_devices,
    "sleep": _sleep,
    "pinned-app": _pinned,
    "own-endpoint": _open("own", 2, 5),
    "long-polling": _talk(chats.WECHAT),
    "matrix": _talk(chats.MATRIX),
    "bosh": _talk(chats.BOSH),
    "socket-io": _talk(chats.SOCKET_IO),
    "chat-xhr": _talk(chats.SHORT_POLL),
    "sse": _talk(chats.EVENTS),
    "graphql": _graphql,
    "embedded-film": _embedded_film,
    "in-turn": _in_turn,
}
MIXED = (
    *("feed", "feed", "long-read", "video", "chat", "glances", "phone-app", "two-tabs", "embeds"),
    *("embeds", "prefetch", "coming-back", "open-jittered", "matrix", "socket-io", "graphql"),
    *("embedded-film", "in-turn", "own-endpoint", "sse"),
)


def _mixed(scene: Scene, span: Span) -> None:
    """Some of all this, in slots that do not overlap; tabs that are left open stay open all day."""
    rng = scene.rng
    at = span[0]
    while at < span[1] - 600.0:
        stop = min(span[1], at + lognormal(rng, 3_600.0, 0.5, 1_200.0, 7_200.0))
        PARTS[rng.choice(MIXED)](scene, (at, stop))
        at = stop


def make(rng: random.Random, scenario: str) -> tuple[list[dict[str, Any]], Times, float, float]:
    """Events, truth, start and end of one day."""
    scene = new_scene(rng)
    (_mixed if scenario == "mixed" else PARTS[scenario])(scene, scene.day)
    return scene.wire.events, scene.truth, scene.start, scene.end
