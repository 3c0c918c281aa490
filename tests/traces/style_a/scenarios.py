"""Style A: a person follows a script, page by page; a small browser model adds what pages do
alone."""

from __future__ import annotations

import random
from typing import Any

from tests.traces.day import Times
from tests.traces.style_a.browser import Device, Tab, within
from tests.traces.style_a.habits import Habits
from tests.traces.style_a.person import Person
from tests.traces.style_a.site import Site
from tests.traces.style_a.sites import SITES

_USERS = ("ana", "bo", "chi", "dana", "eli")
_VIDEO = (
    "youtube",
    "facebook",
    "tiktok",
    "reddit",
    "twitch",
    "instagram",
    "linkedin",
    "x",
    "pinterest",
    "snapchat",
)
_FEEDS = tuple(name for name in SITES if name != "whatsapp")
_CHATS = ("whatsapp", "facebook", "instagram", "snapchat", "linkedin", "x", "reddit")
_APPS = tuple(SITES)


class Office:
    """One day of one generator: draws everything from `rng`, collects events and truth."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.start = 1_793_600_000.0 + rng.randrange(200) * 86_400 + rng.uniform(0, 3600)
        self.hours = rng.uniform(7.5, 9.0)
        self.end = self.start + self.hours * 3600
        self.truth: Times = {}
        self.devices: list[Device] = []
        self.user = rng.choice(_USERS)
        self.habits = Habits(rng)

    def device(self, headers: str | None = None) -> Device:
        """Another browser of the same person."""
        kinds = ("full", "full", "full", "full", "old", "no-referrer")
        made = Device(self.rng, self.user, headers or self.rng.choice(kinds))
        self.devices.append(made)
        return made

    def person(self, device: Device) -> Person:
        """The person in front of this device."""
        return Person(self.rng, device, self.habits, self.truth.setdefault(self.user, {}))

    def site(self, names: tuple[str, ...]) -> Site:
        """Any platform of these."""
        return SITES[self.rng.choice(names)]

    def moment(self, latest: float = 0.8) -> float:
        """Some time of the day, early enough that something can follow."""
        return self.rng.uniform(self.start + 60, self.start + latest * (self.end - self.start))

    def tab(self, device: Device, site: Site, opened: float, closed: float | None = None) -> Tab:
        """A tab that is open till evening unless told otherwise."""
        throttled = self.rng.random() < 0.6
        return Tab(device, site, opened, min(closed or self.end, self.end), throttled=throttled)


def make(rng: random.Random, scenario: str) -> tuple[list[dict[str, Any]], Times, float, float]:
    """Events (unsorted), truth, first and last instant of the day."""
    office = Office(rng)
    _SCRIPTS[scenario](office)
    return (
        [event for device in office.devices for event in device.events],
        office.truth,
        office.start,
        office.end,
    )


def _sittings(office: Office, low: int, high: int, longest: float) -> list[float]:
    """Starts of sittings that do not run into each other."""
    count = office.rng.randint(low, high)
    room = (office.end - office.start - 600) / count
    return [
        office.start + i * room + office.rng.uniform(0, max(1.0, room - longest))
        for i in range(count)
    ]


def _short_lived(office: Office, tab: Tab, left: float) -> None:
    """The person closes the tab soon after leaving, or leaves it open with its ordinary habits."""
    tab.closed = min(office.end, left + within(office.rng, 0.5, 900))
    office.habits.ordinary(tab)


def _feed(office: Office) -> None:
    device, site = office.device(), office.site(_FEEDS)
    for start in _sittings(office, 1, 5, 2000):
        tab = office.tab(device, site, start)
        left = office.person(device).scrolls(tab, start, within(office.rng, 90, 1500))
        _short_lived(office, tab, left)


def _long_read(office: Office) -> None:
    device, site = office.device(), office.site(_FEEDS)
    for start in _sittings(office, 1, 4, 2400):
        tab = office.tab(device, site, start)
        _short_lived(office, tab, office.person(device).reads(tab, start, office.rng.randint(1, 5)))


def _video(office: Office) -> None:
    device, site = office.device(), office.site(_VIDEO)
    for start in _sittings(office, 1, 4, 3000):
        tab = office.tab(device, site, start)
        person = office.person(device)
        left = person.watches(
            tab, start, within(office.rng, 60, 2400), pauses=office.rng.random() < 0.5
        )
        _short_lived(office, tab, left)


def _long_stream(office: Office) -> None:
    device, site = office.device(), office.site(("youtube", "twitch", "facebook", "linkedin"))
    start = office.moment(0.7)
    tab = office.tab(device, site, start)
    _short_lived(
        office, tab, office.person(device).streams(tab, start, office.rng.uniform(1500, 3300))
    )


def _chat(office: Office) -> None:
    device, site = office.device(), office.site(_CHATS)
    opened = office.start + office.rng.uniform(0, 3600)
    tab = office.tab(device, site, opened)
    person = office.person(device)
    first = True
    for start in _sittings(office, 2, 7, 900):
        if start > opened:
            person.chats(tab, start, within(office.rng, 30, 800), opens=first)
            first = False
    if first:
        person.chats(tab, opened, 200.0, opens=True)
    office.habits.socket(tab, acknowledge=office.rng.random() < 0.5)
    if office.rng.random() < 0.5:
        office.habits.ordinary(tab)


def _glances(office: Office) -> None:
    device = office.device()
    habit = tuple(office.rng.sample(_FEEDS, office.rng.randint(1, 2)))
    for start in _sittings(office, 4, 14, 200):
        tab = office.tab(device, office.site(habit), start)
        left = office.person(device).scrolls(tab, start, office.rng.uniform(5, 60))
        _short_lived(office, tab, left)


def _open_tab(office: Office, habit: str) -> None:
    """Left open for hours. Sometimes the tab was restored in the morning and nobody looks at it all
    day."""
    device, site = office.device(), office.site(_FEEDS)
    restored = office.rng.random() < 0.3
    opened = office.start + office.rng.uniform(1, 120) if restored else office.moment(0.35)
    tab = office.tab(device, site, opened)
    if restored:
        office.habits.load(tab, opened, user_action=False, restored=True)
    else:
        office.person(device).scrolls(tab, opened, within(office.rng, 60, 1500))
    getattr(office.habits, habit)(tab)
    if office.rng.random() < 0.5:
        office.habits.telemetry(tab)


def _paused(office: Office) -> None:
    device, site = office.device(), office.site(_VIDEO)
    start = office.moment(0.4)
    tab = office.tab(device, site, start)
    person = office.person(device)
    left = person.watches(tab, start, within(office.rng, 40, 900), pauses=False)
    again = left + within(office.rng, 900, 7200)
    if office.rng.random() < 0.5 and again < office.end - 1200:
        left = person.watches(tab, again, within(office.rng, 60, 600), pauses=False, resumes=True)
    office.habits.player(tab, start)
    office.habits.ordinary(tab)


def _coming_back(office: Office) -> None:
    device, site = office.device(), office.site(_FEEDS)
    opened = office.moment(0.15)
    tab = office.tab(device, site, opened)
    person = office.person(device)
    at = person.scrolls(tab, opened, within(office.rng, 30, 600))
    while True:
        at += within(office.rng, 600, 7200)
        if at > office.end - 1000:
            break
        at = person.scrolls(tab, at, within(office.rng, 20, 600), returns=True)
    office.rng.choice(
        (office.habits.jittered, office.habits.regular, office.habits.fat, office.habits.refresh)
    )(tab)


def _embeds(office: Office) -> None:
    device = office.device()
    for _ in range(office.rng.randint(20, 120)):
        office.habits.news_page(device, office.moment(0.98), office.site(_APPS), office.end)


def _prefetch(office: Office) -> None:
    device = office.device(office.rng.choice(("full", "full", "no-referrer")))
    for _ in range(office.rng.randint(10, 80)):
        office.habits.prefetch(device, office.moment(0.98), office.site(_FEEDS))


def _phone(office: Office) -> None:
    device, site = office.device("bare"), office.site(_FEEDS)
    person = office.person(device)
    for start in _sittings(office, 2, 8, 900):
        person.uses_app(site, start, within(office.rng, 15, 800))
    office.habits.app_background(device, site, office.start, office.end)


def _two_tabs(office: Office) -> None:
    device = office.device()
    left_site, right_site = office.site(_FEEDS), office.site(_FEEDS)
    start = office.moment(0.6)
    tabs = [office.tab(device, left_site, start), office.tab(device, right_site, start + 30)]
    person, at = office.person(device), start
    seen: set[int] = set()
    for _ in range(office.rng.randint(2, 7)):
        index = office.rng.randrange(2)
        tabs[index].opened = min(tabs[index].opened, at) if index in seen else at
        at = person.scrolls(tabs[index], at, within(office.rng, 20, 500), returns=index in seen) + 1
        seen.add(index)
    for index in seen:
        office.habits.ordinary(tabs[index])


def _two_devices(office: Office) -> None:
    site, start = office.site(_FEEDS), office.moment(0.7)
    laptop, phone = office.device(), office.device(office.rng.choice(("bare", "full")))
    tab = office.tab(laptop, site, start)
    left = office.person(laptop).scrolls(tab, start, within(office.rng, 120, 1200))
    _short_lived(office, tab, left)
    other = start + office.rng.uniform(-100, max(10.0, left - start))
    if phone.headers == "bare":
        office.person(phone).uses_app(site, other, within(office.rng, 60, 900))
        office.habits.app_background(phone, site, office.start, office.end)
        return
    second = office.tab(phone, site, other)
    _short_lived(
        office, second, office.person(phone).scrolls(second, other, within(office.rng, 60, 900))
    )


def _sleep(office: Office) -> None:
    device, site = office.device(), office.site(_FEEDS)
    opened = office.moment(0.3)
    tab = office.tab(device, site, opened)
    person = office.person(device)
    at = person.scrolls(tab, opened, within(office.rng, 60, 600))
    while at < office.end - 4000:
        asleep = at + within(office.rng, 1, 900)
        wakes = asleep + within(office.rng, 300, 7200)
        device.suspended.append((asleep, wakes))
        at = wakes + within(office.rng, 5, 1200)
        if office.rng.random() < 0.4 and at < office.end - 1500:
            at = person.scrolls(tab, at, within(office.rng, 20, 400), returns=True)
    office.rng.choice(
        (office.habits.jittered, office.habits.regular, office.habits.refresh, office.habits.fat)
    )(tab)
    office.habits.ordinary(tab)
    if office.rng.random() < 0.5:
        office.habits.socket(tab)


def _pinned(office: Office) -> None:
    device, site = office.device("bare"), office.site(_APPS)
    person = office.person(device)
    for start in _sittings(office, 1, 7, 1200):
        person.uses_pinned_app(site, start, within(office.rng, 20, 1100))
    office.habits.pinned_background(device, site, office.start, office.end)


_PARTS = (
    _feed,
    _long_read,
    _video,
    _chat,
    _glances,
    _paused,
    _coming_back,
    _phone,
    _two_tabs,
    _two_devices,
    _pinned,
    _long_stream,
)


def _mixed(office: Office) -> None:
    """One to three people who do a bit of everything, with forgotten tabs and news pages in
    between."""
    for user in office.rng.sample(_USERS, office.rng.randint(1, 3)):
        office.user = user
        for part in office.rng.sample(_PARTS, office.rng.randint(2, 4)):
            part(office)
        for habit in office.rng.sample(
            ("regular", "jittered", "fat", "refresh", "rotating"), office.rng.randint(0, 2)
        ):
            _open_tab(office, habit)
        if office.rng.random() < 0.7:
            _embeds(office)
        if office.rng.random() < 0.3:
            _prefetch(office)


_SCRIPTS = {
    "feed": _feed,
    "long-read": _long_read,
    "video": _video,
    "long-stream": _long_stream,
    "chat": _chat,
    "glances": _glances,
    "open-regular": lambda office: _open_tab(office, "regular"),
    "open-jittered": lambda office: _open_tab(office, "jittered"),
    "open-fat": lambda office: _open_tab(office, "fat"),
    "self-refresh": lambda office: _open_tab(office, "refresh"),
    "rotating-ads": lambda office: _open_tab(office, "rotating"),
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
