"""Twin of proxy_addon/metering/flight.py: films, tunnels and WebSockets that go on are charged, and
ended in time."""

from __future__ import annotations

from proxy_addon.core.metering.activity import Evidence
from proxy_addon.core.types import Activity, Reason
from tests.core.policies import H, M
from tests.metering.two_platforms import (
    FETCH,
    LOOKS,
    START,
    TAIL,
    ask,
    film,
    small_allowance,
    tunnel,
    until_cut,
)
from tests.shell import Shell


def test_a_film_is_charged_second_by_second_and_cut_at_the_end() -> None:
    """It ends when the time is up, and what is over is not due again."""
    shell = Shell(small_allowance(limit=M))
    flight = film(shell, START)
    found = until_cut(shell, flight, START, 120)
    assert found is not None
    when, due = found
    assert 60 <= when <= 62
    assert (due.flight, due.decision.reason) == (flight, Reason.EXHAUSTED)
    assert due.delay < 2
    assert M <= shell.spent("dora", "a") < M + 2 * LOOKS
    shell.enforcer.closed(flight)
    shell.enforcer.closed(flight)
    assert list(shell.enforcer.due(START + 300)) == []


def test_a_film_that_trickles_or_stalls_is_not_watched() -> None:
    """Too few bytes are not a film, and bytes after a long silence do not fill it."""
    shell = Shell(small_allowance(limit=H))
    flight = film(shell, START)
    begun = shell.spent("dora", "a")
    assert until_cut(shell, flight, START, 60, rate=500) is None
    assert shell.spent("dora", "a") == begun
    shell.enforcer.body(flight, 10**9, START + 600)
    assert shell.spent("dora", "a") == begun + TAIL


def test_a_tunnel_is_metered_by_its_bytes() -> None:
    """Busy is media, a trickle is background."""
    shell = Shell(small_allowance(limit=H))
    ignored: list[Activity] = []
    shell.metrics.ignored = lambda person, platform, activity: ignored.append(activity)  # type: ignore[method-assign]
    flight = tunnel(shell, START)
    until_cut(shell, flight, START, 60, rate=100)
    assert (shell.rows(), ignored) == ([], [Activity.BACKGROUND] * 12)
    until_cut(shell, flight, START + 60, 60)
    assert shell.rows() == [(START + 60, START + 120 + TAIL, "a", "Little")]
    shell.enforcer.tunnel_quiet(flight)
    assert len(ignored) == 13


def test_a_tunnel_is_cut_within_five_seconds_and_no_new_one_opens() -> None:
    """And no more is charged than what passed."""
    shell = Shell(small_allowance(limit=M))
    found = until_cut(shell, tunnel(shell, START), START, 120)
    assert found is not None
    assert 60 <= found[0] <= 65
    assert M <= shell.spent("dora", "a") < M + 2 * LOOKS
    refused = shell.enforcer.tunnel(
        shell.enforcer.person("dora", None, START), "facebook", START + 70
    )
    assert (refused.decision.reason, refused.flight) == (Reason.EXHAUSTED, None)


def test_messages() -> None:
    """What a person writes is a visit; pushes, and receipts for them, are not."""
    shell = Shell(small_allowance())
    flight = ask(
        shell, FETCH._replace(path="/ws", dest="websocket", mode="websocket"), START
    ).flight
    assert flight is not None
    shell.enforcer.upgraded(flight)
    message = shell.enforcer.message
    assert flight.kind == "websocket"
    assert message(flight, 5000, START + 1, from_client=False) is Activity.BACKGROUND
    assert message(flight, 500, START + 1.5, from_client=True) is Activity.BACKGROUND
    assert shell.rows() == []
    assert message(flight, 500, START + 9, from_client=True) is Activity.VISIT
    assert shell.rows() == [(START + 9, START + 9 + TAIL, "a", "Little")]
    assert (
        shell.attention.state_of("dora", "x").timeline.stretches[0].opened is Evidence.MESSAGE_SENT
    )


def test_heartbeats_cost_nothing() -> None:
    """One short message now and then opens nothing."""
    shell = Shell(small_allowance())
    flight = ask(shell, FETCH._replace(path="/ws"), START).flight
    assert flight is not None
    for beat in range(40):
        shell.enforcer.message(flight, 12, START + 30 * beat, from_client=True)
    assert shell.rows() == []
