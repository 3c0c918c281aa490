"""Twin of proxy_addon/metering/traffic_meter.py: what keeps a clock running, and when a free tunnel
is charged."""

from __future__ import annotations

import pytest

from proxy_addon.core.types import Activity
from proxy_addon.metering.traffic_meter import CHUNK_SECONDS, STALLED, TUNNEL_SECONDS
from tests.core.policies import H
from tests.metering.two_platforms import START, TAIL, film, small_allowance, tunnel
from tests.shell import Shell

BUSY = 10**6  # bytes a second


def test_a_body_is_charged_in_steps_of_a_second() -> None:
    """Between two steps nothing is added."""
    shell = Shell(small_allowance(limit=H))
    flight = film(shell, START)
    shell.enforcer.body(flight, BUSY * 10, START + 10)
    charged = shell.spent("dora", "a")
    shell.enforcer.body(flight, BUSY, START + 10 + CHUNK_SECONDS / 2)
    assert shell.spent("dora", "a") == charged
    shell.enforcer.body(flight, BUSY, START + 10 + CHUNK_SECONDS)
    assert shell.spent("dora", "a") == charged + CHUNK_SECONDS


@pytest.mark.parametrize(("rate", "charged"), [(BUSY, True), (10, False)])
def test_a_tunnel_is_busy_or_a_trickle(rate: int, charged: bool) -> None:
    """Only a busy one is charged."""
    shell = Shell(small_allowance(limit=H))
    flight = tunnel(shell, START)
    for step in range(1, 13):
        shell.enforcer.tunnel_bytes(flight, int(rate * TUNNEL_SECONDS), START + step * 5)
    assert (shell.spent("dora", "a") > 0) is charged


def test_bytes_after_a_long_silence_do_not_fill_it() -> None:
    """A film that stood still was not watched."""
    shell = Shell(small_allowance(limit=H))
    flight = film(shell, START)
    shell.enforcer.body(flight, BUSY * 10**3, START + STALLED + 60)
    assert shell.spent("dora", "a") == pytest.approx(2 * TAIL, abs=0.1)


def test_what_passed_before_a_free_tunnel_is_charged_was_free() -> None:
    """`charged_from` closes the estimate there, and what follows is charged like any tunnel."""
    shell = Shell(small_allowance(limit=H))
    flight = tunnel(shell, START)
    flight.estimated = True
    shell.enforcer.tunnel_bytes(flight, BUSY * 3, START + 3)
    shell.enforcer.charged_from(flight, START + 4)
    assert (flight.estimated, flight.since, flight.bytes) == (False, START + 4, 0)


def test_a_push_and_its_receipt_are_no_persons_doing() -> None:
    """A short message right after one of the server is a receipt; one on its own is written."""
    shell = Shell(small_allowance(limit=H))
    flight = film(shell, START)
    shell.enforcer.upgraded(flight)
    shell.enforcer.message(flight, 900, START + 10, from_client=False)
    became = shell.enforcer.message(flight, 20, START + 10.2, from_client=True)
    assert became is Activity.BACKGROUND
    became = shell.enforcer.message(flight, 400, START + 30, from_client=True)
    assert became is Activity.VISIT
    extended = [v.evidence.extended for v in shell.visits.values() if v.evidence]
    assert "message-sent" in {line.by for lines in extended for line in lines}
