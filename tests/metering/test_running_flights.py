"""Everything that runs: grouped by person and target, and decided again when that can matter."""

from __future__ import annotations

from proxy_addon.metering.running_flights import RunningFlights
from tests.metering.two_platforms import START, film, small_allowance, tunnel
from tests.shell import Shell


def test_a_failure_while_deciding_loses_nothing() -> None:
    """What was due when deciding failed is due again a second later."""
    shell = Shell(small_allowance(5.0))
    flight = tunnel(shell, START)
    book, engine = shell.book, shell.enforcer.engine
    running = RunningFlights(book)
    decision = engine.decide(flight.person, flight.target, book.of("dora"), START)
    running.add(flight, engine, decision)
    for look in running.due(START + 5):
        assert look[1] == [flight]
    assert list(running.due(START + 5.5)) == []
    assert [flights for _, flights in running.due(START + 6)] == [[flight]]


def test_flights_of_one_person_and_target_are_decided_together() -> None:
    """Two films of the same platform: one decision, two endings."""
    shell = Shell(small_allowance(5.0))
    films = {film(shell, START), film(shell, START + 0.1)}
    assert len(shell.enforcer._running) == 1
    shell.open("dora", "x.com", START + 1)
    shell.open("dora", "x.com", START + 9)
    assert {due.flight for due in shell.enforcer.due(START + 9)} == films


def test_what_is_over_is_not_kept() -> None:
    """Closed twice, and nothing is left."""
    shell = Shell(small_allowance())
    flight = tunnel(shell, START)
    shell.enforcer.closed(flight)
    shell.enforcer.closed(flight)
    assert len(shell.enforcer._running) == 0
    assert list(shell.enforcer.due(START + 1e5)) == []
