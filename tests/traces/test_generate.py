"""Generated days: the same each time, well formed, and as their scenario says."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from proxy_addon.trace.event import TraceEvent
from proxy_addon.trace.jsonl import event_of
from tests.traces import SCENARIOS, Day, generate
from tests.traces.baselines import platform_of
from tests.traces.day import OPEN_TABS, length

SEEDS = (1, 2, 3)
STYLES = ("a", "b")


def _days(scenario: str) -> list[Day]:
    return [generate(seed, scenario, style) for seed in SEEDS for style in STYLES]


@pytest.fixture(scope="module", params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> str:
    """Each in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def days(scenario: str) -> list[Day]:
    """Some days of it, made once for all tests of the scenario."""
    return _days(scenario)


def test_a_seed_is_a_day(scenario: str, days: list[Day]) -> None:
    """The same seed gives the same day, another seed or style another."""
    assert days == _days(scenario)
    assert len({json.dumps(day.events) for day in days}) == len(days)


def test_a_day_does_not_depend_on_the_process() -> None:
    """Another interpreter with other hashes makes the same day."""
    code = "import json, tests.traces as t; d = t.generate(7, 'mixed'); print(json.dumps([d.events, d.truth]))"
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONHASHSEED": "5"},
        capture_output=True,
        text=True,
        check=True,
    )
    day = generate(7, "mixed")
    assert json.loads(found.stdout) == json.loads(json.dumps([day.events, day.truth]))


def test_events_are_valid_and_sorted(days: list[Day]) -> None:
    """Our own reader takes every event, and each is inside its day."""
    for day in days:
        events = [event_of(json.loads(json.dumps(event))) for event in day.events]
        assert events
        times = [event.at for event in events]
        assert times == sorted(times)
        assert day.start <= times[0]
        assert times[-1] <= day.end


def test_truth_is_well_formed(scenario: str, days: list[Day]) -> None:
    """Disjoint spans in order, each begun by an event of the platform and not longer than a day."""
    for day in days:
        starts = {(e["user"], platform_of(e), round(e["at"], 1)) for e in day.events}
        for user, platforms in day.truth.items():
            for platform, spans in platforms.items():
                assert all(a[1] < b[0] for a, b in pairwise(spans))
                assert day.start <= spans[0][0]
                assert spans[-1][1] <= day.end + 120
                for start, end in spans:
                    assert end > start
                    near = {
                        (user, platform, round(start + step / 10, 1)) for step in range(-30, 70)
                    }
                    assert near & starts, (scenario, day.seed, platform)


@pytest.mark.parametrize("name", ["embeds", "prefetch"])
def test_nobody_is_there_where_only_machines_act(name: str) -> None:
    """No truth, but plenty of events."""
    for day in _days(name):
        assert day.truth == {}
        assert len(day.events) > 10


@pytest.mark.parametrize("name", OPEN_TABS)
def test_open_tabs_go_on_for_hours(name: str) -> None:
    """Most of an open tab's events happen while nobody looks."""
    for day in _days(name):
        true = sum(length(spans) for each in day.truth.values() for spans in each.values())
        assert true < 0.25 * (day.end - day.start)
        assert day.events[-1]["at"] > day.end - 1800


def test_apps_send_no_fetch_headers_and_pinned_apps_only_tunnels() -> None:
    """What a phone app does not say cannot be used."""
    for day in _days("phone-app"):
        assert not any(name.startswith("sec-fetch") for e in day.events for name in e["headers"])
    for day in _days("pinned-app"):
        assert {e["kind"] for e in day.events} == {"tunnel"}


def test_all_platforms_and_kinds_occur() -> None:
    """Over some days every large platform is there, and every kind of event."""
    days = [generate(seed, name) for seed in range(8) for name in ("feed", "chat", "mixed")]
    seen = {platform_of(e) for day in days for e in day.events}
    assert len(seen - {None}) == 11
    kinds = {event_of(e).kind for day in days for e in day.events}
    assert kinds == {"request", "websocket", "tunnel"}


def test_fetch_headers_say_where_a_request_comes_from() -> None:
    """A browser calls a request same-origin only when the page behind it has the same host."""
    for day in [generate(seed, "feed", style) for seed in range(6) for style in STYLES]:
        for event in map(event_of, day.events):
            _check_site(event)


def _check_site(event: TraceEvent) -> None:
    referer = event.headers.get("referer", "")
    if event.headers.get("sec-fetch-site") == "same-origin" and referer:
        assert referer.split("/")[2] == event.host
    if event.headers.get("sec-fetch-site") == "cross-site" and referer:
        assert referer.split("/")[2] != event.host


def test_an_unknown_scenario_is_named() -> None:
    """With the list of those that exist."""
    with pytest.raises(ValueError, match="unknown scenario 'nap'"):
        generate(1, "nap")
