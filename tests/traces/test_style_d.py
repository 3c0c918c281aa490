"""Days of the fourth generator: the same each time, well formed, as their scenario says."""

from __future__ import annotations

import json
import random
import statistics
from functools import cache
from itertools import pairwise

import pytest

from proxy_addon.rules.folder import load
from proxy_addon.trace.jsonl import event_of
from tests.traces.day import MORE_SCENARIOS, OPEN_TABS, Day, Spans, length, union
from tests.traces.engine import RULES
from tests.traces.generate import generate, scenarios_of
from tests.traces.style_d.people import person, plan, sitting
from tests.traces.style_d.scenarios import PARTS

SEEDS = (1, 2, 3)
ALL = scenarios_of("d")


@cache
def days(scenario: str) -> tuple[Day, ...]:
    """Some days, made once."""
    return tuple(generate(seed, scenario, "d") for seed in SEEDS)


@cache
def hosts() -> dict[str, tuple[str, ...]]:
    """Platform -> its hosts in the shipped catalogue, as they are written there."""
    return {name: tuple(map(str, each.hosts)) for name, each in load(RULES).platforms.items()}


def attention(day: Day) -> list[tuple[str, float, float]]:
    """All stretches of truth with their platforms, oldest first."""
    found = [
        (platform, *span)
        for platforms in day.truth.values()
        for platform, spans in platforms.items()
        for span in spans
    ]
    return sorted(found, key=lambda each: each[1])


def test_every_scenario_has_a_part() -> None:
    """What can be asked for is what can be made."""
    assert set(ALL) == {*PARTS, "mixed"}
    assert set(MORE_SCENARIOS) < set(ALL)


@pytest.mark.parametrize("scenario", ALL)
def test_a_seed_is_a_day(scenario: str) -> None:
    """The same seed gives the same day, another seed another."""
    assert tuple(generate(seed, scenario, "d") for seed in SEEDS) == days(scenario)
    assert len({json.dumps(day.events) for day in days(scenario)}) == len(SEEDS)


@pytest.mark.parametrize("scenario", ALL)
def test_events_are_valid_sorted_and_inside_the_day(scenario: str) -> None:
    """Our own reader takes every event; a day has eight hours and plenty of events."""
    for day in days(scenario):
        assert day.end - day.start == pytest.approx(8 * 3600)
        assert len(day.events) > 30
        times = [event_of(json.loads(json.dumps(event))).at for event in day.events]
        assert times == sorted(times)
        assert day.start <= times[0]
        assert times[-1] <= day.end


@pytest.mark.parametrize("scenario", ALL)
def test_truth_is_inside_the_day_and_of_one_pair_of_eyes(scenario: str) -> None:
    """Stretches are disjoint in each platform, and no two platforms are looked at together."""
    for day in days(scenario):
        found = attention(day)
        assert all(day.start <= start < end <= day.end for _, start, end in found)
        assert all(one[2] <= other[1] + 1e-6 for one, other in pairwise(found))


@pytest.mark.parametrize("scenario", [each for each in ALL if each not in ("embeds", "prefetch")])
def test_attention_leaves_traces(scenario: str) -> None:
    """Nearly all stretches have traffic of their platform; a glance may have none."""
    near = total = 0
    for day in days(scenario):
        for platform, start, end in attention(day):
            total += 1
            near += any(
                start - 1 <= event["at"] <= end + 1 and _of(event, platform) for event in day.events
            )
    assert total
    assert near >= 0.8 * total


def _of(event: dict[str, object], platform: str) -> bool:
    host = str(event.get("host") or str(event["url"]).split("/")[2])
    names = hosts()[platform]
    return any(f"={host}" == name or f".{host}".endswith(f".{name}") for name in names)


@pytest.mark.parametrize("scenario", ALL)
def test_hosts_are_known(scenario: str) -> None:
    """Each host is one of the shipped catalogue or of nobody."""
    for day in days(scenario):
        one_each = {e.get("host") or e["url"].split("/")[2]: e for e in day.events}
        for host, event in one_each.items():
            assert host.endswith(".example") or any(_of(event, name) for name in hosts()), host


@pytest.mark.parametrize("scenario", ["embeds", "prefetch"])
def test_nobody_is_there_where_only_machines_act(scenario: str) -> None:
    """No truth, but plenty of events."""
    for day in days(scenario):
        assert day.truth == {}


@pytest.mark.parametrize("scenario", OPEN_TABS)
def test_open_tabs_go_on_for_hours(scenario: str) -> None:
    """Most of an open tab's events happen while nobody looks."""
    for day in days(scenario):
        seen: Spans = union((start, end) for _, start, end in attention(day))
        assert 0 < length(seen) < 0.25 * (day.end - day.start)
        assert day.events[-1]["at"] > day.end - 1800


def test_apps_send_no_fetch_headers_and_pinned_apps_only_tunnels() -> None:
    """What a phone app does not say cannot be used."""
    for day in days("phone-app"):
        names = {name for event in day.events for name in event["headers"]}
        assert not any(name.startswith("sec-fetch") or name == "referer" for name in names)
    assert {e["kind"] for day in days("pinned-app") for e in day.events} == {"tunnel"}


def test_embedded_films_are_watched_on_other_pages() -> None:
    """Truth is the platform of the player; no document of it is opened at the top."""
    for day in days("embedded-film"):
        assert attention(day)
        assert not any(
            event["headers"].get("sec-fetch-dest") == "document" and ".example/" not in event["url"]
            for event in day.events
        )


def test_platforms_in_turn_are_one_long_stretch_of_attention() -> None:
    """A page is seen for 65 to 95 s, then comes the next platform without a break."""
    found = [each for day in days("in-turn") for each in attention(day)]
    lengths = [end - start for _, start, end in found]
    assert max(lengths) <= 95.0 + 1e-6
    assert statistics.median(lengths) >= 65.0
    joined = union((start, end) for _, start, end in found)
    assert len(joined) < len(found) / 3


def test_half_of_the_wire_is_as_untidy_as_it_should_be() -> None:
    """Sizes that nobody tells, errors, redirects, empty answers, requests without Referer."""
    events = [e for seed in range(12) for e in generate(seed, "feed", "d").events]
    share = sum(not e.get("bytes") for e in events) / len(events)
    assert 0.1 < share < 0.7
    statuses = {e["status"] for e in events}
    assert {200, 204, 304, 429, 500} <= statuses
    assert statuses & {301, 302}
    assert any("referer" not in e["headers"] for e in events)
    assert any("sec-fetch-dest" not in e["headers"] for e in events)


def test_people_differ_and_pause_with_heavy_tails() -> None:
    """Medians from skimmers to slow readers, none over three minutes; sittings 30 s to 30 min."""
    rng = random.Random(5)
    paces = sorted(person(rng).pace for _ in range(400))
    assert 4.0 <= paces[0] < 6.0
    assert 25.0 < paces[-1] <= 40.0
    somebody = person(rng)
    pauses = [somebody.pause(rng) for _ in range(4_000)]
    assert max(pauses) > 8 * statistics.median(pauses)
    assert max(pauses) <= 180.0
    sittings = [sitting(rng) for _ in range(1_000)]
    assert 30.0 <= min(sittings) < 60.0
    assert 1_200.0 < max(sittings) <= 1_800.0


def test_a_plan_fits_into_its_stretch() -> None:
    """Sittings in order, apart, inside; what does not fit is left out."""
    rng = random.Random(6)
    spans = plan(rng, (100.0, 1_100.0), [200.0] * 9)
    assert 2 <= len(spans) < 9
    assert spans[0][0] >= 145.0
    assert spans[-1][1] <= 1_055.0 + 1e-6
    assert all(other[0] - one[1] >= 45.0 - 1e-6 for one, other in pairwise(spans))
