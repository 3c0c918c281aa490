"""A person in front of a feed: what they do, at irregular intervals, and when they really looked.

All times are seconds of the office, whose clock may run faster than ours: see `fast_time/`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from playwright.sync_api import Page

from tests.e2e.feed_site import CHIRP, FORUM

type Move = Callable[[Page], None]
type Span = tuple[float, float]

READ_ON = 8.0  # seconds for which they still read after they did something last
SENTENCES = (
    "Shall we meet at noon?",
    "I have read it, and I am not convinced. Let us talk.",
    "Fine with me.",
    "No.",
)


@dataclass(frozen=True)
class OfficeTime:
    """The clock of the office: `speed` seconds pass in one of ours since the instant `since`."""

    speed: float
    since: float

    def now(self) -> float:
        """The instant there."""
        return self.since + (time.time() - self.since) * self.speed  # noqa: TID251

    def environment(self) -> dict[str, str]:
        """What makes a child process keep this time."""
        return {"FAST_SPEED": repr(self.speed), "FAST_SINCE": repr(self.since)}


@dataclass
class Reader:
    """One person, their browser tab on chirp, and the spans in which they looked at each site."""

    name: str
    page: Page
    looked: dict[str, list[Span]] = field(default_factory=lambda: {CHIRP: [], FORUM: []})

    def attended(self, site: str) -> float:
        """Seconds of attention to a site."""
        return sum(end - start for start, end in self.looked[site])


class Session:
    """Several people, who do the same at the same time through different proxies."""

    def __init__(self, readers: Sequence[Reader], clock: OfficeTime, seed: int) -> None:
        self.readers, self.clock = readers, clock
        self.random = random.Random(seed)
        self.began: dict[str, float] = {}
        self.acted: dict[str, float] = {}

    def rest(self, seconds: float) -> None:
        """Let office time pass while the pages go on."""
        self.readers[0].page.wait_for_timeout(seconds * 1000 / self.clock.speed)

    def open_feed(self, film: float) -> None:
        """Everybody opens the feed, and looks from when it appears; its film lasts so many
        seconds."""
        speed = self.clock.speed
        for reader in self.readers:
            reader.page.goto(
                f"https://{CHIRP}/?speed={speed:g}&film={film / speed:g}", wait_until="commit"
            )
            self.began[reader.name] = self.clock.now()
            reader.page.locator("#post-0").wait_for()

    def finish(self) -> None:
        """The last thing: open a post, read it, and go."""
        self.everybody(open_post)
        self.look_away()

    def look_away(self, site: str = CHIRP) -> None:
        """They read on for a moment after what they did last, and that is all; the tab stays
        open."""
        for reader in self.readers:
            reader.looked[site].append(
                (self.began.pop(reader.name), self.acted[reader.name] + READ_ON)
            )

    def come_back(self) -> None:
        """Attention again, to the tab that was left open."""
        for reader in self.readers:
            self.began[reader.name] = self.clock.now()
        self.everybody(close_post)

    def everybody(self, move: Move) -> None:
        """One thing that everybody does."""
        for reader in self.readers:
            move(reader.page)
            self.acted[reader.name] = self.clock.now()

    def read(self, seconds: float) -> None:
        """Scroll, open, like, write, for so long. The waits between are log-normal: half of them
        below six seconds."""
        end = self.clock.now() + seconds
        moves = self._moves()
        while (left := end - self.clock.now()) > 0:
            self.rest(min(left, self.random.lognormvariate(1.8, 0.8)))
            if self.clock.now() < end:
                self.everybody(next(moves))
        self.everybody(close_post)

    def _moves(self) -> Iterator[Move]:
        """Mostly scrolling; now and then something else."""
        while True:
            for _ in range(self.random.randrange(3, 7)):
                yield scroll(self.random.randrange(250, 900))
            yield self.random.choice((like, write(self.random.choice(SENTENCES))))
            for _ in range(self.random.randrange(2, 5)):
                yield scroll(self.random.randrange(250, 900))
            yield open_post
            yield close_post

    def watch(self) -> None:
        """Play the film and see it to its end."""
        self.everybody(play)
        for reader in self.readers:
            reader.page.wait_for_function(
                "document.body.dataset.ended || document.body.dataset.failed", timeout=120_000
            )
            assert not reader.page.evaluate("document.body.dataset.failed")

    def read_forum(self, seconds: float) -> None:
        """Open a forum with a widget of chirp on it in another tab; turn three pages; leave it open
        as well."""
        tabs = []
        for reader in self.readers:
            tab = reader.page.context.new_page()
            tab.goto(f"https://{FORUM}/?speed={self.clock.speed:g}", wait_until="commit")
            self.began[reader.name] = self.clock.now()
            tabs.append(tab)
        for share in (0.25, 0.4, 0.35):
            self.rest(seconds * share)
            for reader, tab in zip(self.readers, tabs, strict=True):
                tab.locator("#next").click()
                tab.frame_locator("iframe").get_by_text("Sharp at last.").wait_for()
                self.acted[reader.name] = self.clock.now()
        self.look_away(FORUM)


def scroll(pixels: int) -> Move:
    """Turn the wheel over the posts."""

    def move(page: Page) -> None:
        page.mouse.move(300, 400)
        page.mouse.wheel(0, pixels)

    return move


def like(page: Page) -> None:
    """Like the post in view."""
    _in_view(page, ".like")


def open_post(page: Page) -> None:
    """Open the post in view with its replies."""
    _in_view(page, "article img")
    page.locator("#close").wait_for()


def close_post(page: Page) -> None:
    """Back to the feed, if a post is open."""
    page.evaluate(
        "() => document.getElementById('open').hidden || document.getElementById('close').click()"
    )


def write(sentence: str) -> Move:
    """Write to somebody."""

    def move(page: Page) -> None:
        page.locator("#chat").fill(sentence)
        page.locator("#chat").press("Enter")

    return move


def play(page: Page) -> None:
    """Scroll on to the next film and start it."""
    page.evaluate(
        """() => {
            const next = [...document.querySelectorAll('.play')].find(e => e.getBoundingClientRect().top > 60);
            next.id = 'play';
            next.scrollIntoView({ block: 'center' });
        }"""
    )
    page.locator("#play").click()


def _in_view(page: Page, selector: str) -> None:
    """Click the first of these that is on the screen, by a script: a wheel may still be turning."""
    page.evaluate(
        """selector => [...document.querySelectorAll(selector)].find(e => {
            const box = e.getBoundingClientRect();
            return box.top > 60 && box.bottom < innerHeight + 300;
        })?.click()""",
        selector,
    )
