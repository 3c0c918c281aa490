"""Twin of proxy_addon/metering/embedded_parts.py: films in embeds are charged and end with the
time, buttons on the same page pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.metering.activity import Evidence, Exchange
from proxy_addon.core.ruleset import Embeds, Mode, Platform, Rule, RuleSet, Then
from proxy_addon.core.types import Activity, Reason, Verdict
from proxy_addon.metering.flight import Asked
from tests.core.policies import M, targets
from tests.metering.two_platforms import START, TAIL, ask, small_allowance
from tests.shell import Shell

TUBE = Platform(
    "facebook",
    "Tube",
    ("tube.com", "tubecdn.com"),
    embeds=("/like/*",),
    players=("/player/*",),
)
BUTTON = Exchange(
    "GET", "tube.com", "/like/1", "iframe", "navigate", "cross-site", page_host="news.example"
)
PICTURE = BUTTON._replace(host="tubecdn.com", path="/a.png", dest="image", mode="no-cors")
PLAYER = BUTTON._replace(path="/player/1")
SEGMENT = Exchange(
    "GET",
    "tubecdn.com",
    "/seg",
    "empty",
    "cors",
    "cross-site",
    page_host="tube.com",
    page_path="/player/1",
)


def rules(limit: float = 5 * M, **more: object) -> RuleSet:
    """A small allowance for a platform with a player and buttons, and another one that is
    blocked."""
    made = small_allowance(limit=limit, **more)
    blocked = replace(TUBE, name="tiktok", hosts=("short.com",))
    return replace(made, platforms={**made.platforms, "facebook": TUBE, "tiktok": blocked})


def segment(shell: Shell, after: float, size: int = 400_000) -> Asked:
    """A segment of a film in an embed, answered at once."""
    now = START + after
    asked = ask(shell, SEGMENT, now)
    if asked.flight is not None:
        shell.enforcer.finished(asked.flight, 200, "video/mp2t", size, 0.2)
        shell.enforcer.closed(asked.flight)
    return asked


def answered(shell: Shell, x: Exchange, after: float, kind: str, size: int | None = 9_000) -> Asked:
    """A request and the head of its answer; it goes on."""
    asked = ask(shell, x, START + after)
    assert asked.flight is not None, asked.decision
    shell.enforcer.answered(asked.flight, 200, kind, size, START + after + 0.1)
    return asked


def used_up() -> Shell:
    """An office in which dora has used all her time."""
    shell = Shell(rules(limit=60))
    shell.open("dora", "x.com", START)
    shell.open("dora", "x.com", START + 60)
    assert shell.spent("dora", "a") == 60
    return shell


def test_a_film_in_an_embed_is_charged_from_its_first_segment() -> None:
    """Player and segments of ten seconds: the whole film, with evidence of its own."""
    shell = Shell(rules(limit=30 * M))
    answered(shell, PLAYER, 0, "text/html")
    for number in range(60):
        segment(shell, 1 + 10 * number)
    assert shell.spent("dora", "a") == 590 + TAIL
    (visit,) = (v for v in shell.visits.values() if v.end > v.start)
    assert visit.platform == "facebook"
    assert visit.evidence is not None
    assert visit.evidence.opened == ("embedded-media", START + 1)
    assert [line.by for line in visit.evidence.extended] == ["embedded-media"]


def test_a_clip_that_is_loaded_ahead_is_free() -> None:
    """One segment, or several at once, are no film; nor are clips of pages that are minutes
    apart."""
    shell = Shell(rules())
    for after in (0, 0.4, 1.1, 60, 200):
        segment(shell, after)
    assert shell.spent("dora", "a") == 0


def test_a_body_that_goes_on_is_a_film() -> None:
    """One long answer is charged second by second, as on the platform itself."""
    shell = Shell(rules())
    flight = answered(shell, SEGMENT, 0, "video/mp4", None).flight
    assert flight is not None
    for second in range(1, 31):
        shell.enforcer.body(flight, 10**5, START + second)
    assert shell.spent("dora", "a") == pytest.approx(30 + TAIL, abs=2.5)
    evidence = [v.evidence for v in shell.visits.values() if v.end > v.start]
    assert evidence[0] is not None
    assert evidence[0].opened[0] == "embedded-media"


def test_a_slow_clip_that_is_loaded_ahead_is_free() -> None:
    """One body of five seconds may be a preview on a slow line."""
    shell = Shell(rules())
    answered(shell, PLAYER, -1, "text/html")
    flight = answered(shell, SEGMENT, 0, "video/mp4", 400_000).flight
    assert flight is not None
    for second in range(1, 6):
        shell.enforcer.body(flight, 80_000, START + second)
    shell.enforcer.closed(flight)
    assert shell.rows() == []


def test_buttons_cost_nothing_whatever_their_number() -> None:
    """Sixteen like buttons and their pictures, again and again, open no visit."""
    shell = Shell(rules())
    for round_ in range(20):
        for number in range(16):
            at = 10.0 * round_ + number * 0.05
            answered(shell, BUTTON._replace(path=f"/like/{number}"), at, "text/html")
            answered(shell, PICTURE, at, "image/png")
    assert shell.rows() == []


def test_free_embeds_are_as_they_were() -> None:
    """With `embeds: free` films cost nothing, and with no time left everything is refused."""
    shell = Shell(rules(limit=60, embeds=Embeds.FREE))
    for number in range(60):
        segment(shell, 5 * number)
    assert shell.rows() == []
    shell.open("dora", "x.com", START + 400)
    shell.open("dora", "x.com", START + 460)
    for x in (BUTTON, PICTURE, PLAYER, SEGMENT):
        assert ask(shell, x, START + 470).decision.reason is Reason.EXHAUSTED


def test_with_no_time_left_buttons_pass_and_players_do_not() -> None:
    """The decision says so in a word of its own; nothing of a button is watched or charged."""
    shell = used_up()
    for x in (BUTTON, PICTURE):
        decision = ask(shell, x, START + 70).decision
        assert (decision.verdict, decision.reason) == (Verdict.ALLOW, Reason.EMBED)
        assert (decision.allowance, decision.rule) == ("a", "Little")
    for x in (PLAYER, SEGMENT, SEGMENT._replace(dest="video")):
        asked = ask(shell, x, START + 70)
        assert (asked.decision.reason, asked.flight) == (Reason.EXHAUSTED, None)
    assert list(shell.enforcer.due(START + 71)) == []
    assert shell.spent("dora", "a") == 60


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (BUTTON._replace(dest="empty", mode="cors"), "video/mp4"),
        (BUTTON, "audio/mpeg"),
        (PICTURE, "application/json"),
        (PICTURE, "text/html"),
        (PICTURE, "video/mp4"),
    ],
)
def test_what_turns_out_to_be_more_than_a_button_ends_at_once(x: Exchange, kind: str) -> None:
    """The head of the answer shows a film, a page or data: it is refused, and charged to nobody."""
    shell = used_up()
    flight = answered(shell, x, 70, kind, 400_000).flight
    assert flight is not None
    assert flight.refused
    (due,) = shell.enforcer.due(START + 70.1)
    assert (due.flight, due.decision.reason) == (flight, Reason.EXHAUSTED)
    assert shell.spent("dora", "a") == 60


def test_a_button_that_becomes_a_socket_ends_at_once() -> None:
    """A WebSocket is no part of a page, whatever it called itself before."""
    shell = used_up()
    flight = ask(shell, BUTTON._replace(dest=None, mode=None, site=None), START + 70).flight
    assert flight is not None
    shell.enforcer.upgraded(flight)
    (due,) = shell.enforcer.due(START + 70.1)
    assert due.flight is flight


def test_a_film_ends_with_the_time_and_the_button_beside_it_goes_on() -> None:
    """A film that plays in an embed is ended as on the platform itself; a button and a picture
    that are under way are not, unless they turn out to be more."""
    shell = Shell(rules(limit=30))
    button = answered(shell, BUTTON, 0, "text/html").flight
    waiting = ask(shell, PICTURE, START + 1).flight
    film = answered(shell, SEGMENT, 1, "video/mp4", None).flight
    assert film is not None
    assert waiting is not None
    ended: list[tuple[float, object]] = []
    for second in range(2, 50):
        if not ended:
            shell.enforcer.body(film, 10**6, START + second)
        for due in shell.enforcer.due(START + second + 0.1):
            ended.append((second, due.flight))
            shell.enforcer.closed(due.flight)
    assert [flight for _, flight in ended] == [film]
    assert 29 <= ended[0][0] <= 32
    assert button is not None
    assert button.as_embed
    shell.enforcer.answered(waiting, 200, "application/json", 9_000, START + 50)
    assert [due.flight for due in shell.enforcer.due(START + 50.1)] == [waiting]
    assert shell.spent("dora", "a") == 30


def test_embeds_of_what_is_blocked_are_refused() -> None:
    """A platform that a rule blocks is not to be seen anywhere: its buttons are refused, too."""
    shell = Shell(rules())
    asked = ask(shell, BUTTON._replace(host="short.com"), START)
    assert (asked.decision.reason, asked.flight) == (Reason.BLOCKED, None)


def test_rules_that_are_tried_out_say_what_they_would_do() -> None:
    """The button would pass, the player would be refused; meanwhile both do."""
    spend = Rule("Little", Then.SPEND, "a", targets=targets("x", "facebook"), mode=Mode.OBSERVE)
    shell = Shell(replace(rules(limit=60), rules=(spend,)))
    shell.open("dora", "x.com", START)
    shell.open("dora", "x.com", START + 70)
    button, player = (ask(shell, x, START + 75) for x in (BUTTON, PLAYER))
    assert (button.decision.would, button.decision.reason) == (Verdict.ALLOW, Reason.EMBED)
    assert player.decision.would is Verdict.BLOCK
    assert button.flight is not None
    assert not button.flight.as_embed


def test_films_of_an_embed_beside_polls_of_the_platform_count() -> None:
    """An open page that polls at the same moments does not make the segments its own."""
    shell = Shell(rules(limit=30 * M))
    shell.open("dora", "tube.com", START)
    poll = Exchange(
        "GET",
        "tube.com",
        "/poll",
        "empty",
        "cors",
        "same-origin",
        page_host="tube.com",
        page_path="/",
    )
    for number in range(120):
        asked = ask(shell, poll, START + 10 * number)
        if asked.flight is not None:
            shell.enforcer.finished(asked.flight, 200, "application/json", 400, 0.1)
            shell.enforcer.closed(asked.flight)
        if number >= 60:
            segment(shell, 10 * number + 0.3)
    charged = sum(end - start for start, end, _, _ in shell.rows() if start > START + 300)
    assert charged == pytest.approx(600, abs=40)


def test_the_activity_of_a_film_is_media() -> None:
    """As metrics and the decision log name it."""
    shell = Shell(rules())
    flight = answered(shell, SEGMENT, 0, "video/mp2t", 400_000).flight
    assert flight is not None
    assert flight.judgement is not None
    assert flight.judgement.activity is Activity.MEDIA
    assert flight.judgement.evidence is Evidence.EMBEDDED_MEDIA
