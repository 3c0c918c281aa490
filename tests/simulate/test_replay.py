"""Twin of proxy_addon/simulate/replay.py: recorded days through the same engine, and laws that hold
for any day."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import measure
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.rules import folder as rules_folder
from proxy_addon.simulate import Replay, Result, simulate_events
from proxy_addon.trace.access_log import event_of as line_of
from proxy_addon.trace.event import ResponseTiming, TraceEvent
from proxy_addon.trace.jsonl import event_of
from tests.simulate import trace
from tests.simulate.trace import START, Line

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: Any) -> RuleSet:
    """Fifteen minutes a day for everything, lunch free."""
    return rules_folder.load(trace.write_rules(tmp_path_factory.mktemp("rules") / "r"))


def run(rules: RuleSet, lines: Iterable[Line]) -> Result:
    """The result of a day, its lines put in order."""
    return simulate_events(rules, map(event_of, sorted(lines, key=lambda line: line["at"])))


def seconds(result: Result, platform: str = "x", user: str = "ana") -> float:
    """What one person was charged or given for free on one platform."""
    person = result.users.get(user)
    return measure(person.by_platform().get(platform, ())) if person else 0.0


def test_a_page_that_is_read(rules: RuleSet) -> None:
    """Two pages two minutes apart are those two minutes and the tail."""
    assert seconds(run(rules, [trace.page(0), trace.page(120)])) == pytest.approx(130)


def test_a_stream_is_charged_while_it_flows(rules: RuleSet) -> None:
    """One body of eight minutes is eight minutes."""
    result = run(rules, [trace.page(0), trace.film(2, 480)])
    assert seconds(result) == pytest.approx(482, abs=12)


def test_a_stream_is_cut_in_its_middle(rules: RuleSet) -> None:
    """A body of forty minutes ends when fifteen are used, and the instant is named."""
    result = run(rules, [trace.page(0), trace.film(2, 2400), trace.page(2000)])
    person = result.users["ana"]
    assert seconds(result) == pytest.approx(900, abs=2)
    assert person.exhausted["daily"] == pytest.approx(START + 900, abs=2)
    assert person.blocked == 2


def test_a_stream_flows_as_it_was_seen(rules: RuleSet) -> None:
    """Where the file says when bytes passed, a body that stalls for minutes is charged while it
    flowed."""
    film = event_of(trace.film(2, 400))
    flowing = [*range(1, 31), *range(371, 401)]
    seen = film._replace(
        course=ResponseTiming(0.1, 0, tuple((float(at), 300_000) for at in flowing))
    )
    result = simulate_events(rules, [event_of(trace.page(0)), seen])
    assert seconds(result) == pytest.approx(42 + 29 + 10, abs=2)


def untold(line: Line, size: int, kind: str, took: float) -> TraceEvent:
    """An answer as the proxy saw it: no length at its head, which came at once, and its body at
    the end."""
    known = event_of(line | {"bytes": size, "content_type": kind, "duration": took})
    return known._replace(course=ResponseTiming(0.05, 0, ((took, size),)))


@pytest.mark.parametrize(
    ("kind", "size", "took", "charged"),
    [
        ("image/gif", 43, 0.2, 0),
        ("image/png", 4_300, 0.2, 10),
        ("audio/mpeg", 20_000, 0.2, 0),
        ("audio/mpeg", 60_000, 0.2, 10),
        ("application/json", 400, 25.0, 0),
    ],
)
def test_what_told_no_length_is_judged_as_the_proxy_did(
    rules: RuleSet, kind: str, size: int, took: float, charged: float
) -> None:
    """At the end of its body: a pixel, a chime and a request that was held open are nothing."""
    seen = untold(trace.call(0, "/i/api"), size, kind, took)
    assert seconds(simulate_events(rules, [seen])) == charged


def test_a_noted_stream_is_cut_in_its_middle(rules: RuleSet) -> None:
    """What was seen second by second ends at the second at which the time is up."""
    film = event_of(trace.film(2, 2400))
    seen = film._replace(
        course=ResponseTiming(0.1, 0, tuple((float(at), 300_000) for at in range(1, 2400)))
    )
    result = simulate_events(rules, [event_of(trace.page(0)), seen])
    assert seconds(result) == pytest.approx(900, abs=2)
    assert result.users["ana"].blocked == 1


def test_opening_a_websocket_is_no_visit(rules: RuleSet) -> None:
    """A page connects again whenever the network changes; what counts are the messages of a
    person."""
    lines = [trace.call(10.0 * i) | {"status": 101, "bytes": 0} for i in range(6)]
    assert seconds(run(rules, lines)) == 0.0


def test_an_embed_is_known_by_its_whole_address(rules: RuleSet) -> None:
    """A Referer names the query of a frame as well, so the frame is remembered with it, as the
    proxy does."""
    frame = trace.embed(0) | {"url": "https://x.com/box?of=forum"}
    inside = {"referer": "https://x.com/box?of=forum"}
    lines = [trace.call(at, "/i/latest") for at in (400.0, 410.0, 900.0, 910.0)]
    asked = [line | {"headers": trace.CALL | inside} for line in lines]
    assert seconds(run(rules, [frame, *asked])) == 0.0


def test_a_poll_does_not_put_a_page_in_use(rules: RuleSet) -> None:
    """The picture of a widget stays the widget's when a tab that was left open polls just before it
    comes."""
    polls = [trace.call(20.0 * i, "/i/poll", 400) for i in range(1, 60)]
    frame = trace.embed(590) | {"url": "https://x.com/box"}
    asking = trace.CALL | {"referer": "https://x.com/box"}
    shown = {"sec-fetch-dest": "image", "sec-fetch-site": "cross-site", "referer": "https://x.com/"}
    widget = []
    for beat in (31, 33, 38, 40, 47, 53):
        widget.append(trace.call(20.0 * beat - 0.2, "/i/latest") | {"headers": asking})
        picture = trace.call(20.0 * beat + 0.2) | {"url": f"https://pbs.twimg.com/{beat}.jpg"}
        widget.append(picture | {"headers": shown, "content_type": "image/jpeg"})
    assert seconds(run(rules, [trace.page(0), *polls, frame, *widget])) == pytest.approx(10, abs=1)


def test_what_costs_nothing_is_counted(rules: RuleSet) -> None:
    """Embeds and prefetches are told apart and charge nothing."""
    person = run(rules, [trace.embed(0), trace.prefetch(10), trace.prefetch(20)]).users["ana"]
    assert {activity.value: count for activity, count in person.ignored.items()} == {
        "embed": 1,
        "prefetch": 2,
    }
    assert not person.visits


def test_chat(rules: RuleSet) -> None:
    """Heartbeats and what answers a push are machines; what is typed is a person."""
    beats = [trace.message(30.0 * i, 12) for i in range(60)]
    pushed = [trace.message(17.0 + 100.0 * i, 700, "server") for i in range(18)]
    receipts = [trace.message(17.2 + 100.0 * i, 90) for i in range(18)]
    typed = [
        trace.message(at, size) for at, size in ((500, 210), (512, 340), (541, 120), (549, 400))
    ]
    assert seconds(run(rules, beats + pushed + receipts), "whatsapp") == 0.0
    assert seconds(run(rules, [*beats, *typed]), "whatsapp") == pytest.approx(59, abs=2)


def test_tunnels_are_metered_by_bytes(rules: RuleSet) -> None:
    """A busy tunnel is watched, a trickle is not."""
    busy, quiet = trace.tunnel(0, 120, 40_000_000), trace.tunnel(0, 3600, 90_000)
    assert seconds(run(rules, [busy]), "tiktok") == pytest.approx(130, abs=6)
    assert seconds(run(rules, [quiet]), "tiktok") == 0.0


def test_an_open_tab_is_given_back(rules: RuleSet) -> None:
    """An hour of polling after a page was read costs no more than the reading."""
    polls = [trace.call(60.0 * i, "/i/poll") for i in range(1, 60)]
    read = [trace.page(0), trace.page(40)]
    assert seconds(run(rules, read + polls)) == pytest.approx(50, abs=1)


def test_two_devices_are_the_union(rules: RuleSet) -> None:
    """The same person on two devices at once is charged once."""
    first, second = [trace.page(0), trace.page(100)], [trace.page(50), trace.page(150)]
    assert seconds(run(rules, first + second)) == pytest.approx(160)


def test_what_nobody_limits_is_no_business_of_ours(rules: RuleSet) -> None:
    """Requests to other hosts leave no trace in the result."""
    line = trace.page(0) | {"url": "https://www.example.org/"}
    assert run(rules, [line]).users == {}


moments = st.floats(0, 20_000)
pieces = st.one_of(
    st.builds(trace.page, moments),
    st.builds(
        trace.call, moments, st.sampled_from(["/i/a", "/i/b", "/i/poll"]), st.integers(0, 90_000)
    ),
    st.builds(trace.film, moments, st.floats(0, 300)),
    st.builds(trace.message, moments, st.integers(0, 900), st.sampled_from(["client", "server"])),
    st.builds(trace.tunnel, moments, st.floats(0, 300), st.integers(0, 9_000_000)),
)
days = st.lists(pieces, max_size=25)
backgrounds = st.lists(
    st.one_of(
        st.builds(trace.prefetch, moments),
        st.builds(trace.question, moments),
        st.builds(trace.beacon, moments),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(days)
def test_never_more_than_wall_time_nor_less_than_nothing(rules: RuleSet, lines: list[Line]) -> None:
    """What is charged lies within the day and has no negative length."""
    result = run(rules, lines)
    for person in result.users.values():
        for visit in person.visits.values():
            assert START <= visit.start <= visit.end <= START + 20_000 + 320
        assert sum(measure(u) for u in person.by_allowance().values()) <= 20_320


@settings(max_examples=60, deadline=None)
@given(days, backgrounds)
def test_adding_background_never_changes_a_charge(
    rules: RuleSet, lines: list[Line], more: list[Line]
) -> None:
    """Prefetches, questions without content and beacons at any time leave every charge as it
    was."""
    before, after = run(rules, lines), run(rules, lines + more)
    for platform in ("x", "whatsapp", "tiktok"):
        assert seconds(after, platform) == seconds(before, platform)


@settings(max_examples=40, deadline=None)
@given(days, st.integers(0, 25))
def test_splitting_anywhere_and_resuming_gives_the_same(
    rules: RuleSet, lines: list[Line], place: int
) -> None:
    """A day that is fed in two parts is the day fed at once."""
    lines = sorted(lines, key=lambda line: line["at"])
    replay = Replay(rules)
    for part in (lines[:place], lines[place:]):
        for line in part:
            replay.feed(event_of(line))
    assert replay.finish() == run(rules, lines)


def logged(after: float, url: str, kind: str, size: int = 24_000, user: str = "ana") -> str:
    """A line of Squid's log."""
    return (
        f"{START + after:.3f} 80 10.0.7.33 TCP_MISS/200 {size} GET {url} {user} "
        f"HIER_DIRECT/192.0.2.9 {kind}"
    )


def run_log(rules: RuleSet, lines: Iterable[str]) -> Result:
    """The result of a log, its lines put in order."""
    events = [event for line in lines if (event := line_of(line)) is not None]
    return simulate_events(rules, sorted(events, key=lambda event: event.at))


def test_pages_of_a_log_are_pages(rules: RuleSet) -> None:
    """HTML that a GET was answered with is a page that was read, also where the browser had the
    pictures already."""
    lines = [logged(at, "https://x.com/home", "text/html") for at in (0, 100, 190)]
    assert seconds(run_log(rules, lines)) == pytest.approx(200, abs=1)
    common = [
        f'10.0.7.33 - ana [02/Nov/2026:09:0{minute}:00 +0000] "GET https://x.com/home HTTP/1.1" '
        "200 24000 TCP_MISS:HIER_DIRECT"
        for minute in (0, 2, 3)
    ]
    assert seconds(run_log(rules, common)) == pytest.approx(190, abs=1)


SHIPPED = rules_folder.load(ROOT / "rules")
WIDGETS = {
    "facebook": "https://www.facebook.com/plugins/page.php?href=x https://scontent-1.xx.fbcdn.net/a.jpg",
    "x": "https://platform.twitter.com/embed/Tweet.html?id=1 https://pbs.twimg.com/media/a.jpg",
    "pinterest": "https://assets.pinterest.com/ext/embed.html?id=1 https://i.pinimg.com/a.jpg",
    "linkedin": "https://www.linkedin.com/embed/feed/update/1 https://media.licdn.com/a.jpg",
    "youtube": "https://www.youtube.com/embed/abc https://i.ytimg.com/vi/abc/hq.jpg",
    "vk": "https://vk.com/widget_community.php?gid=1 https://sun6-6.userapi.com/a.jpg",
    "instagram": "https://www.instagram.com/p/abc/embed/ https://scontent.cdninstagram.com/a.jpg",
}


@pytest.mark.parametrize("platform", WIDGETS)
@pytest.mark.parametrize("headers", [None, {"accept": "*/*"}])
def test_a_news_site_with_widgets_costs_nothing(
    platform: str, headers: dict[str, str] | None
) -> None:
    """Twenty minutes of pages with a widget, in a log and in a trace without Referer and fetch
    metadata: its document, script, style, picture and call are its own."""
    document, picture = WIDGETS[platform].split(" ")
    site = document.partition("/embed")[0].partition("/p/")[0].rpartition("/")[0] or document
    parts = [
        (0.9, document, "text/html"),
        (1.1, f"{site}/a.js", "application/x-javascript"),
        (1.2, f"{site}/b.css", "text/css"),
        (1.3, picture, "image/jpeg"),
        (1.5, f"{site}/ajax/more", "application/json"),
    ]
    lines, log = [], []
    for number in range(16):
        for after, url, kind in [(0.0, "https://news.example/a", "text/html"), *parts]:
            at = 75.0 * number + after
            log.append(logged(at, url, kind))
            line = trace.page(at, url) | {"content_type": kind, "headers": headers}
            lines.append(line)
    assert seconds(run_log(SHIPPED, log), platform) == 0.0
    assert seconds(run(SHIPPED, lines), platform) == 0.0


def test_an_app_that_opens_an_embed_is_still_an_app(rules: RuleSet) -> None:
    """It loses no more than the seconds that an embed loads for, between its own requests."""
    call = {"content_type": "application/json", "headers": {}}
    calls = [trace.call(5.0 * i) | call for i in range(24)]
    frame = trace.page(31, "https://platform.twitter.com/embed/Tweet.html") | {"headers": {}}
    assert seconds(run(rules, [*calls, frame])) == pytest.approx(seconds(run(rules, calls)), abs=15)


@pytest.mark.parametrize(
    ("size", "low", "high"), [(9_000_000, 100, 400), (400_000_000, 3_000, 12_000)]
)
def test_a_tunnel_of_hours_is_estimated(rules: RuleSet, size: int, low: int, high: int) -> None:
    """Neither eight hours nor nothing, and the result says so."""
    result = run(rules, [trace.tunnel(0, 28_800, size)])
    person = result.users["ana"]
    assert (person.estimated.number, person.estimated.open) == (1, 28_800)
    assert low < person.estimated.used < high
    assert 0.0 < seconds(result, "tiktok") <= person.estimated.used + 20


def test_who_sits_at_an_address(tmp_path: Any) -> None:
    """Devices and unidentified people have the roles that the proxy gives them."""
    folder = trace.write_rules(tmp_path / "r")
    (folder / "people.yaml").write_text(
        "default_role: staff\nroles: {staff: {}, guest: {}, desk: {members: [reception]}}\n"
        "devices:\n  10.0.7.21: Reception\n  10.0.8.0/24: {role: guest}\n"
    )
    rules = "rules:\n  - {name: Guests, roles: [guest], then: block}\n"
    policy = (folder / "policy.yaml").read_text().replace("rules:\n", rules)
    (folder / "policy.yaml").write_text(policy + "unidentified: {role: guest}\n")
    lines = [
        logged(0, "https://x.com/home", "text/html", user="-").replace("10.0.7.33", address)
        for address in ("10.0.7.21", "10.0.8.9", "10.0.9.1", "::ffff:10.0.7.21")
    ]
    users = run_log(rules_folder.load(folder), lines).users
    assert {name: person.blocked for name, person in users.items()} == {
        "reception": 0,
        "ip:10.0.8.9": 1,
        "ip:10.0.9.1": 1,
    }
