"""Other sites' pages with parts of platforms, by the shipped catalogue: films are charged, buttons
are free, and with no time left only buttons pass."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from proxy_addon.core.intervals import measure
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.rules import folder as rules_folder
from proxy_addon.simulate import Result, simulate_events
from proxy_addon.trace.jsonl import event_of
from tests.simulate.trace import Line, page, part

ROOT = Path(__file__).parents[2]
POLICY = """
version: 1
timezone: Europe/London
embeds: {embeds}
allowances: {{daily: {{limit: {limit} per day}}}}
rules:
  - {{name: A little a day, platforms: [youtube, twitch, vimeo, facebook, x], then: {{spend: daily}}}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Any:
    """Makes rules over the shipped platforms, with a limit and what films in embeds cost."""

    def made(limit: str = "60m", embeds: str = "media") -> RuleSet:
        folder = tmp_path / f"{limit}-{embeds}"
        (folder / "platforms").mkdir(parents=True, exist_ok=True)
        (folder / "policy.yaml").write_text(POLICY.format(limit=limit, embeds=embeds))
        for file in (ROOT / "rules" / "platforms").glob("*.yaml"):
            (folder / "platforms" / file.name).write_bytes(file.read_bytes())
        return rules_folder.load(folder)

    return made


def run(rules: RuleSet, lines: list[Line]) -> Result:
    """The result of a day, its lines put in order."""
    return simulate_events(rules, map(event_of, sorted(lines, key=lambda line: line["at"])))


def seconds(result: Result, platform: str) -> float:
    """What ana was charged on a platform."""
    person = result.users.get("ana")
    return measure(person.by_platform().get(platform, ())) if person else 0.0


def youtube(since: float, length: float, seed: int = 1) -> list[Line]:
    """A player of youtube-nocookie.com in which a film plays: a burst ahead, then a segment now and
    then, up to its end."""
    chance = random.Random(seed)
    nocookie = "www.youtube-nocookie.com/"
    lines = [
        part(since - 5, f"https://{nocookie}embed/a", "iframe", "text/html", 40_000),
        part(since - 4, "https://i.ytimg.com/vi/a/hq.jpg", "image", "image/jpeg", page=nocookie),
    ]
    at = since
    while at < since + length:
        url = f"https://rr3---sn-4g5.googlevideo.com/videoplayback?rn={at}"
        size = chance.randint(300_000, 2_000_000)
        lines.append(part(at, url, "empty", "video/mp4", size, nocookie))
        at += 0.5 if at < since + 3 else chance.uniform(4, 12)
    return lines


def twitch(since: float, length: float) -> list[Line]:
    """A player of Twitch with a live stream: a playlist and a segment every two seconds."""
    player = "player.twitch.tv/"
    lines = [part(since - 3, f"https://{player}?channel=a", "iframe", "text/html")]
    for number in range(int(length / 2)):
        at = since + 2.0 * number
        segment = f"https://video-edge.fra02.hls.ttvnw.net/v1/segment/{number}.ts"
        lines += [
            part(at, "https://fra02.playlist.ttvnw.net/v1/playlist/a.m3u8", "empty",
                 "application/vnd.apple.mpegurl", 4_000, player),
            part(at + 0.2, segment, "empty", "application/octet-stream", 1_400_000, player),
        ]  # fmt: skip
    return lines


def buttons(since: float, number: int = 16) -> list[Line]:
    """A news page with like buttons, a post of X and thumbnails."""
    plugins = "www.facebook.com/plugins/like.php"
    lines = [
        part(since, "https://connect.facebook.net/en_US/sdk.js", "script", "text/javascript"),
        part(since, "https://platform.x.com/embed/Tweet.html", "iframe", "text/html"),
        part(since + 1, "https://pbs.twimg.com/media/a.jpg", "image", "image/jpeg", 90_000,
             "platform.x.com/"),
    ]  # fmt: skip
    for each in range(number):
        after = since + 0.1 * each
        lines += [
            part(after, f"https://{plugins}?href={each}", "iframe", "text/html", 30_000),
            part(after + 1, "https://static.xx.fbcdn.net/rsrc.php/a.js", "script",
                 "application/x-javascript", 80_000, "www.facebook.com/"),
        ]  # fmt: skip
    return lines


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_film_of_ten_minutes_is_ten_minutes(rules: Any, seed: int) -> None:
    """Of YouTube, on a news page, within five in a hundred; with `embeds: free` it is nothing."""
    film = youtube(10, 600, seed)
    assert seconds(run(rules(), film), "youtube") == pytest.approx(600, rel=0.05)
    assert seconds(run(rules(embeds="free"), film), "youtube") == 0.0


def test_a_stream_in_an_embed_is_as_long_as_it_is(rules: Any) -> None:
    """Twitch on another page."""
    assert seconds(run(rules(), twitch(10, 900)), "twitch") == pytest.approx(900, rel=0.05)


def test_buttons_are_free(rules: Any) -> None:
    """Sixteen like buttons, a post and pictures on page after page: nothing."""
    lines = [line for number in range(40) for line in buttons(45.0 * number)]
    result = run(rules(), lines)
    assert not result.users["ana"].visits
    assert result.users["ana"].blocked == 0


def test_a_preview_of_one_segment_is_free(rules: Any) -> None:
    """A muted preview that plays its first segment, on page after page."""
    lines = [line for number in range(10) for line in youtube(120.0 * number + 10, 1.0)]
    assert seconds(run(rules(), lines), "youtube") == 0.0


def test_a_film_on_another_page_without_a_player_is_charged(rules: Any) -> None:
    """The source of a page's own `<video>` is a server of the platform."""
    url = "https://video.twimg.com/ext_tw_video/1/vid/{0}.m4s"
    lines = [part(4.0 * n, url.format(n), "video", "video/mp4", 400_000) for n in range(30)]
    assert seconds(run(rules(), lines), "x") == pytest.approx(126, rel=0.05)


def test_with_no_time_left_films_end_and_buttons_pass(rules: Any) -> None:
    """Five minutes of a film of ten are played; nothing of the buttons beside it is refused."""
    lines = youtube(10, 600)
    alone = run(rules("5m"), lines).users["ana"].blocked
    result = run(rules("5m"), [*lines, *buttons(500), *buttons(650)])
    assert seconds(result, "youtube") == pytest.approx(305, abs=6)
    assert result.users["ana"].blocked == alone > 10


def test_the_page_of_the_platform_is_no_embed(rules: Any) -> None:
    """With no time left, a page and its calls under another page's name stay refused."""
    lines = youtube(10, 400)
    before = run(rules("5m"), lines).users["ana"].blocked
    forged = [
        part(500 + n, "https://www.youtube.com/youtubei/v1/browse", "empty", "application/json")
        for n in range(5)
    ]
    result = run(rules("5m"), [*lines, page(499, "https://www.youtube.com/"), *forged])
    assert result.users["ana"].blocked == before + 6
