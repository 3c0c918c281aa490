"""The live check: real Chromium on pages that never rest, and how far what is charged is from the
attention paid.

Two people do the same at the same time. Dora goes through `allowance run`; Emil through
`mitmdump -s script.py -w`, whose flow dump is simulated afterwards. The office clock runs eight
times as fast as ours, so that all constants are those of every day: eight minutes pass in one.
`LIVE_MINUTES=long` takes the real time: docs/metering.md.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import browser
from tests.e2e.attention_script import OfficeTime, Reader, Session
from tests.e2e.browser import BrowserSession, screenshot
from tests.e2e.feed_site import CHIRP, FEED_HOSTS, FEED_PLATFORMS, FORUM, FeedSite
from tests.e2e.office import noon_zone, people
from tests.e2e.origins import Origins
from tests.e2e.process import Mitmdump, OfficeProxy
from tests.e2e.test_mitmdump import SCRIPT

LONG = os.environ.get("LIVE_MINUTES") == "long"
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3600 if LONG else 300),
    pytest.mark.browser,
    pytest.mark.skipif(
        browser.executable() is None, reason="no chromium here: apt-get install chromium"
    ),
]
SPEED = 1.0 if LONG else 8.0
WITHIN = 0.10  # of the true time, or
OR_SECONDS = 15.0
SAME = 2.0  # seconds by which the simulation of a dump may differ
PASSWORD = "a long enough password"
RULES = """
version: 1
timezone: {zone}
allowances:
  feed: {{limit: 3h per day}}
  board: {{limit: 3h per day}}
rules:
  - {{name: The feed, platforms: [chirp], then: {{spend: feed}}}}
  - {{name: The board, platforms: [forum], then: {{spend: board}}}}
otherwise: allow
"""


class TimedOffice(OfficeProxy):
    """`allowance run` whose wall clock keeps office time; so do its commands."""

    clock: OfficeTime

    def environment(self) -> dict[str, str]:
        """Ours and the clock's."""
        return super().environment() | timed(self.clock)


def timed(clock: OfficeTime) -> dict[str, str]:
    """The environment in which Python keeps office time."""
    paths = [str(Path(__file__).with_name("fast_time")), os.environ.get("PYTHONPATH", "")]
    return clock.environment() | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


@dataclass
class Day:
    """What came of the session: who looked for how long, what each proxy charged, what the dump was
    simulated to."""

    readers: dict[str, Reader]
    charged: dict[str, dict[str, float]]
    simulated: dict[str, float]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    """Feeds."""
    with Origins(tmp_path_factory.mktemp("feeds"), FeedSite) as servers:
        yield servers


def office(folder: Path, sites: Origins, user: str, clock: OfficeTime) -> TimedOffice:
    """An office with one person in it who signs in."""
    made = TimedOffice(
        folder,
        sites,
        RULES.format(zone=noon_zone()),
        people=people(),
        platforms=FEED_PLATFORMS,
        hosts=FEED_HOSTS,
        settings={"sign-in": "required", "flush": "250ms"},
    )
    made.clock = clock
    answer = made.cli("people", "add", user, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert answer.returncode == 0, answer.stderr
    return made


def recorder(folder: Path, like: TimedOffice, dump: Path) -> Mitmdump:
    """A mitmdump with our script and the CA, rules and ledger of an office, which writes what
    passes to `dump`."""
    variables = {f"ALLOWANCE_{name.upper()}": value for name, value in like.shared.items()}
    variables |= {
        "ALLOWANCE_RESOLVE": ",".join(like.resolve),
        "ALLOWANCE_UPSTREAM_CA": str(like.origins.ca_file),
    }
    variables |= {"ALLOWANCE_SIGN_IN": "required", **timed(like.clock)}
    options = {"confdir": str(like.confdir), "save_stream_file": str(dump)}
    return Mitmdump(folder, like.origins, SCRIPT, options=options, variables=variables)


@pytest.fixture(scope="module")
def day(sites: Origins, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The session, once for all tests."""
    return lived(sites, tmp_path_factory.mktemp("live"))


def bound(true: float) -> float:
    """How far a charge may be from the truth; seconds."""
    return max(WITHIN * true, OR_SECONDS)


def lived(sites: Origins, folder: Path) -> Day:
    """One session of both people, and what came of it."""
    clock = OfficeTime(SPEED, time.time())  # noqa: TID251
    running, written = (office(folder / user, sites, user, clock) for user in ("dora", "emil"))
    dump = folder / "session.flows"
    with running, browser.chromium(running) as window:
        written.confdir = running.confdir
        with recorder(folder / "recorder", written, dump) as recording:
            readers = hold(window, BrowserSession(window.browser, recording), clock)
    charged = {"dora": spent(running, "dora"), "emil": spent(written, "emil")}
    answer = written.cli("simulate", "--json", str(dump), timeout=120)
    assert answer.returncode == 0, answer.stderr
    allowances = json.loads(answer.stdout)["users"]["emil"]["allowances"]
    simulated = {name: found["spent"] for name, found in allowances.items()}
    report(readers, charged, simulated)
    print(running.cli("usage", "dora", "--explain").stdout)  # stands beside a failure
    return Day({reader.name: reader for reader in readers}, charged, simulated)


def hold(window: BrowserSession, other: BrowserSession, clock: OfficeTime) -> list[Reader]:
    """Read, watch, leave the tab open, look at the forum, leave that open too; in the long form,
    come back once."""
    with window.person("dora", PASSWORD) as hers, other.person("emil", PASSWORD) as his:
        readers = [Reader("dora", hers), Reader("emil", his)]
        session = Session(readers, clock, seed=5)
        session.open_feed(film=90 if LONG else 32)
        session.read(180 if LONG else 80)
        screenshot(hers, "8-live-feed", full_page=False)
        session.watch()
        session.read(120 if LONG else 60)
        session.finish()
        session.rest(240 if LONG else 40)
        session.read_forum(60 if LONG else 30)
        if LONG:
            session.rest(60)
            session.come_back()
            session.read(90)
            session.finish()
        session.rest(300 if LONG else 130)
        mine = hers.context.new_page()
        mine.goto("http://allowance.internal/")
        screenshot(mine, "9-live-minutes")
        return readers


def spent(office: TimedOffice, user: str) -> dict[str, float]:
    """Seconds charged, by allowance."""
    return {name: float(found["spent"]) for name, found in office.usage(user)["allowances"].items()}


def report(
    readers: list[Reader], charged: dict[str, dict[str, float]], simulated: dict[str, float]
) -> None:
    """The figures, for `pytest -s` and the documentation."""
    for reader in readers:
        for site, allowance in ((CHIRP, "feed"), (FORUM, "board")):
            print(f"{reader.name} {allowance}: attention {reader.attended(site):.1f} s, ", end="")
            print(f"charged {charged[reader.name][allowance]:.1f} s")
    print(f"simulated from emil's dump: {simulated}")


@pytest.mark.parametrize("user", ["dora", "emil"])
@pytest.mark.parametrize(("site", "allowance"), [(CHIRP, "feed"), (FORUM, "board")])
def test_charged_is_attention(day: Day, user: str, site: str, allowance: str) -> None:
    """Within a tenth or fifteen seconds of the truth, with tabs left open that poll, rotate, beat
    and embed."""
    true = day.readers[user].attended(site)
    assert day.charged[user][allowance] == pytest.approx(true, abs=bound(true))


@pytest.mark.parametrize("allowance", ["feed", "board"])
def test_the_dump_says_the_same(day: Day, allowance: str) -> None:
    """Simulating what mitmdump wrote charges what the proxy charged."""
    assert day.simulated[allowance] == pytest.approx(day.charged["emil"][allowance], abs=SAME)


def test_everything_was_there(day: Day, sites: Origins) -> None:
    """Each kind of traffic that a feed has really happened, after the person had left as well."""
    for path in (
        "/api/timeline",
        "/api/report",
        "/api/news",
        "/api/offer",
        "/api/sync",
        "/live",
        "/worker.js",
    ):
        assert sites.record.to(CHIRP, path), path
    assert sites.record.to(CHIRP, "/widget")
    assert sites.record.to(CHIRP, "/api/mentions")
    assert day.readers
