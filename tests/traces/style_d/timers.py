"""Machines in open tabs, of each kind: the endpoints are such as no list knows yet."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.traces.style_d.sites import Site, Timer
from tests.traces.style_d.wire import Call, host, picture

NAMES = ("pulse", "counters", "updates", "session/keepalive", "status", "sidebar", "presence/list")
OPERATIONS = ("CometRightSideQuery", "PolarisTrayQuery", "StoriesTrayRefetchQuery", "ChatTabsQuery")


def _call(rng: random.Random, site: Site, low: int, high: int) -> Call:
    method = rng.choice(("GET", "GET", "POST"))
    return Call(
        f"https://{host(site.feed.url)}/i/{rng.choice(NAMES)}?t={{n}}", low, high, method=method
    )


def _thin(rng: random.Random, site: Site) -> Call:
    low = rng.randint(20, 900)
    return _call(rng, site, low, low + rng.choice((0, 40, 800, 2_500)))


def machines(rng: random.Random, site: Site, kind: str, hidden: bool) -> list[Timer]:
    """Some timers of a kind; at least one goes on where the tab is `hidden`."""
    count = rng.choice((1, 1, 2, 3, 4))
    made = [
        KINDS[kind](rng, site)
        for _ in range(count if kind in ("regular", "jittered") else min(count, 2))
    ]
    found = [replace(each, hidden=rng.choice((0.0, each.every, 60.0))) for each in made]
    if hidden:
        found[0] = replace(found[0], hidden=max(found[0].every, 10.0))
    return found


def _regular(rng: random.Random, site: Site) -> Timer:
    every = rng.choice((10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0))
    return Timer(_thin(rng, site), every, rng.choice(("exact", "chain")))


def _jittered(rng: random.Random, site: Site) -> Timer:
    if rng.random() < 0.2:
        return Timer(_thin(rng, site), rng.uniform(5, 20), "backoff", 0.1, news=0.05)
    # Mastodon without its stream: 20 s and up to 20 more.
    return Timer(_thin(rng, site), rng.uniform(12, 60), "uniform", rng.choice((0.3, 0.5, 1.0)))


def _fat(rng: random.Random, site: Site) -> Timer:
    low = rng.randint(15_000, 80_000)
    call = _call(rng, site, low, int(low * rng.uniform(1.05, 2.5)))
    return Timer(
        call,
        rng.uniform(20, 120),
        rng.choice(("exact", "chain", "uniform")),
        rng.choice((0.0, 0.2)),
    )


def _refresh(rng: random.Random, site: Site) -> Timer:
    """The feed renews itself and shows the pictures of what is new."""
    call = replace(site.feed, low=site.feed.low // 3, high=site.feed.high // 2)
    if rng.random() < 0.5:
        call = _call(rng, site, 4_000, 30_000)
    jitter = rng.choice((0.0, 0.1, 0.4))
    most = rng.randint(2, 9)
    return Timer(
        call,
        rng.uniform(30, 240),
        "chain",
        jitter,
        0.0,
        rng.uniform(0.3, 0.9),
        (8_000, 90_000),
        (1, most),
        site.pictures,
    )


def _ads(rng: random.Random, site: Site) -> Timer:
    """An advertisement goes, another comes, with its picture and its pixel."""
    address = host(site.feed.url)
    images = (
        picture(site.pictures[0].url, 25_000, 160_000),
        Call(f"https://{address}/i/view.gif?ad={{n}}", 42, 42, "image/gif"),
    )
    call = Call(f"https://{address}/i/placement?slot={{w}}", 1_500, 12_000)
    every = rng.choice((30.0, 45.0, 60.0, 90.0))
    return Timer(
        call,
        every,
        "chain",
        rng.choice((0.0, 0.05, 0.3)),
        0.0,
        0.95,
        (1_500, 12_000),
        (1, 3),
        images,
    )


def _own(rng: random.Random, site: Site) -> Timer:
    """Asks the very endpoint that is scrolled with whether there is anything new."""
    call = replace(site.feed, low=rng.randint(60, 400), high=rng.randint(500, 3_000))
    shape = rng.choice(("exact", "chain", "uniform"))
    jitter = rng.choice((0.2, 1.0)) if shape == "uniform" else 0.0
    return Timer(
        call,
        rng.choice((20.0, 30.0, 60.0)),
        shape,
        jitter,
        0.0,
        0.12,
        (3_000, 40_000),
        (0, 3),
        site.pictures,
    )


def _graphql(rng: random.Random, site: Site) -> Timer:
    """The same path as everything else; only the name of the operation tells it apart."""
    low = rng.randint(200, 4_000)
    call = replace(site.feed, low=low, high=low * 3)
    if site.feed.operation:
        call = replace(call, operation=rng.choice(OPERATIONS))
    else:
        call = replace(
            call,
            url=call.url.split("queryId=")[0]
            + "queryId=voyagerRelevancePresence."
            + f"{rng.getrandbits(128):032x}",
        )
    return Timer(
        call,
        rng.choice((15.0, 20.0, 30.0, 60.0)),
        rng.choice(("exact", "chain", "uniform")),
        rng.choice((0.0, 0.3)),
    )


KINDS = {
    "regular": _regular,
    "jittered": _jittered,
    "fat": _fat,
    "refresh": _refresh,
    "ads": _ads,
    "own": _own,
    "graphql": _graphql,
}
