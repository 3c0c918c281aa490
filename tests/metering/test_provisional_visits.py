"""Twin of proxy_addon/metering/provisional_visits.py: what the ledger has before it is certain, and
what is left of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy_addon.core.intervals import measure, normalise
from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.types import Interval
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.provisional_visits import KEPT, WEAK_SECONDS
from tests.core.policies import H
from tests.metering.two_platforms import START, film, small_allowance, tunnel
from tests.shell import Shell

LOOK = 0.25
BUSY = 50_000  # bytes a second


@pytest.fixture
def shell() -> Shell:
    """dora has an hour."""
    return Shell(small_allowance(limit=H))


def looks(shell: Shell, start: float, end: float) -> Iterator[float]:
    """The instants from `start` to `end` at which the proxy looks, each after what the caller did
    then."""
    for number in range(1, round((end - start) / LOOK) + 1):
        yield start + number * LOOK
        shell.enforcer.look(start + number * LOOK)


def written(shell: Shell) -> float:
    """Seconds that the ledger has of everybody, without overlaps."""
    rows = shell.visits.values()
    return measure(normalise(Interval(row.start, row.end) for row in rows))


def awaited(shell: Shell, dest: str, at: float = START) -> Flight:
    """dora has asked for something on X, and there is no answer."""
    hit = shell.enforcer.catalogue.lookup("x.com", "/slow")
    assert hit is not None
    mode = "navigate" if dest == "document" else "cors"
    x = Exchange("GET", "x.com", "/slow", dest, mode, "same-origin", gesture=dest == "document")
    flight = shell.enforcer.ask(shell.enforcer.person("dora", None, at), x, hit, at).flight
    assert flight is not None
    return flight


def test_a_page_that_is_awaited_is_in_the_ledger(shell: Shell) -> None:
    """From the first look on, from when it was asked for; balances do not know of it. Its visit
    takes over the row."""
    flight = awaited(shell, "document")
    for now in looks(shell, START, START + 8.0):
        assert written(shell) >= now - START - LOOK
    assert shell.spent("dora", "a") == 0.0
    (row,) = shell.visits.values()
    assert (row.start, row.end, row.allowance) == (START, START + 8.0, "a")
    shell.enforcer.answered(flight, 200, "text/html", 50_000, START + 8.0)
    (visit,) = shell.visits.values()
    assert (visit.id, visit.start) == (row.id, START)
    assert visit.rev > row.rev
    assert shell.spent("dora", "a") == visit.end - visit.start


def test_a_page_that_never_comes_leaves_an_empty_row(shell: Shell) -> None:
    """It is withdrawn some seconds after the site has failed, and the next one takes the row
    over."""
    flight = awaited(shell, "document")
    list(looks(shell, START, START + 3.0))
    shell.enforcer.closed(flight)
    list(looks(shell, START + 3.0, START + 20.0))
    (row,) = shell.visits.values()
    assert row.end == row.start
    awaited(shell, "document", START + 20.0)
    list(looks(shell, START + 20.0, START + 21.0))
    (again,) = shell.visits.values()
    assert (again.id, again.start, again.end) == (row.id, START + 20.0, START + 21.0)


def test_what_a_script_awaits_is_no_use_yet(shell: Shell) -> None:
    """Many scripts let a request wait until there is news."""
    awaited(shell, "empty")
    list(looks(shell, START, START + 5.0))
    assert not shell.visits


def test_an_upload_is_in_the_ledger_within_two_looks(shell: Shell) -> None:
    """Its answer comes when all is over."""
    flight = awaited(shell, "empty")
    for now in looks(shell, START, START + 8.0):
        shell.enforcer.upload(flight, int(BUSY * LOOK), now)
        assert written(shell) >= now - START - 2 * LOOK


@pytest.mark.parametrize("begins", [0.0, 7.3, 300.0])
def test_a_busy_tunnel_is_in_the_ledger_within_two_looks(shell: Shell, begins: float) -> None:
    """Also one that was idle before; its visit follows when five seconds have passed."""
    flight = tunnel(shell, START)
    list(looks(shell, START, START + begins))
    start = START + begins
    for now in looks(shell, start, start + 30.0):
        shell.enforcer.tunnel_bytes(flight, int(BUSY * LOOK), now)
        assert written(shell) >= now - start - 2 * LOOK
    assert shell.spent("dora", "a") >= 24.0


def test_a_relayed_tunnel_is_asked_what_has_passed(shell: Shell) -> None:
    """Nothing tells of its bytes otherwise."""
    flight = tunnel(shell, START)
    moment = START

    def report() -> None:
        shell.enforcer.tunnel_bytes(flight, int(BUSY * 2 * LOOK), moment)

    flight.report = report
    for moment in looks(shell, START, START + 4.0):
        assert written(shell) >= moment - START - 3 * LOOK


def test_a_greeting_in_a_tunnel_is_given_back(shell: Shell) -> None:
    """A few kilobytes and then silence are no use: nothing is charged, and nothing is left in the
    ledger."""
    flight = tunnel(shell, START)
    shell.enforcer.tunnel_bytes(flight, 6_000, START + 0.1)
    for now in looks(shell, START, START + 20.0):
        if now == START + 15.0:
            shell.enforcer.tunnel_bytes(flight, 100, now)
    assert written(shell) == 0.0
    assert shell.spent("dora", "a") == 0.0


def test_a_film_with_a_short_tail_is_in_the_ledger(shell: Shell) -> None:
    """Where little is charged ahead, the seconds between two steps of a stream are written, and
    after its last bytes no more."""
    flight = film(shell, START)
    list(looks(shell, START, START + 30.0))  # the tail has passed
    for now in looks(shell, START + 30.0, START + 60.0):
        shell.enforcer.body(flight, int(BUSY * LOOK), now)
        assert written(shell) >= now - START - 20.0 - 2 * LOOK
    spent = shell.spent("dora", "a")
    list(looks(shell, START + 60.0, START + 90.0))
    assert written(shell) == spent


def test_a_small_load_is_in_the_ledger_for_a_moment(shell: Shell) -> None:
    """A second one would make it count; without, it is given back."""
    flight = awaited(shell, "empty")
    shell.enforcer.answered(flight, 200, "application/json", 300, START + 0.2)
    shell.enforcer.closed(flight)
    list(looks(shell, START, START + 2.0))
    assert written(shell) == pytest.approx(2.0)
    assert shell.spent("dora", "a") == 0.0
    list(looks(shell, START + 2.0, START + WEAK_SECONDS + KEPT + 1.0))
    assert written(shell) == 0.0


def test_an_orderly_end_withdraws_all(shell: Shell) -> None:
    """What was not certain is not charged when the proxy is stopped."""
    awaited(shell, "document")
    list(looks(shell, START, START + 3.0))
    assert written(shell) == 3.0
    shell.enforcer.provisional.withdraw_all()
    assert written(shell) == 0.0


def test_a_clock_that_was_set_is_no_use(shell: Shell) -> None:
    """What passes between two looks that are far apart is not written."""
    flight = tunnel(shell, START)
    shell.enforcer.tunnel_bytes(flight, 10**9, START + 0.1)
    shell.enforcer.look(START + 0.25)
    shell.enforcer.look(START + 3600.0)
    assert written(shell) <= 0.25


def test_a_person_who_is_erased_has_no_row(shell: Shell) -> None:
    """Nothing is written any more under an id that the ledger has erased."""
    awaited(shell, "document")
    list(looks(shell, START, START + 1.0))
    known = set(shell.visits)
    shell.attention.drop("dora")
    list(looks(shell, START + 1.0, START + 2.0))
    assert {row.rev for key, row in shell.visits.items() if key in known} == {4}
