"""Twin of proxy_addon/metering/traffic_meter.py: what keeps a clock running, and when a free tunnel
is charged."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.types import Activity
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.traffic_meter import CHUNK_SECONDS, STALLED, TUNNEL_SECONDS, UPLOAD_BYTES
from tests.core.policies import H
from tests.metering.two_platforms import FETCH, START, TAIL, ask, film, small_allowance, tunnel
from tests.shell import Shell

BUSY = 10**6  # bytes a second
POST = FETCH._replace(method="POST")


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


def socket(shell: Shell) -> Flight:
    """A WebSocket on a page that has just been opened, and is read."""
    shell.open("dora", "x.com", START)
    flight = ask(shell, FETCH._replace(path="/ws"), START + 1).flight
    assert flight is not None
    shell.enforcer.upgraded(flight)
    return flight


def test_a_pong_that_is_late_bridges_no_page() -> None:
    """One byte, two seconds after the ping on a busy machine, is not the first sign of life after
    two minutes."""
    shell = Shell(small_allowance(limit=H))
    flight = socket(shell)
    for ping in range(1, 6):
        shell.enforcer.message(flight, 1, START + 25 * ping, from_client=False)
        became = shell.enforcer.message(flight, 1, START + 25 * ping + 2, from_client=True)
        assert became is Activity.BACKGROUND
    assert shell.spent("dora", "a") == TAIL


def test_a_message_of_a_new_size_is_no_certain_sign_of_a_person() -> None:
    """A few bytes of a size that was never sent before bridge no more than others."""
    shell = Shell(small_allowance(limit=H))
    flight = socket(shell)
    shell.enforcer.message(flight, 31, START + 120, from_client=True)
    assert shell.spent("dora", "a") == TAIL


@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_pings_of_the_client_cost_nothing(jitter: float) -> None:
    """XMPP's are longer than a short message: the first one alone counts until they are found to
    be periodic, and then not even that."""
    shell = Shell(small_allowance(limit=H))
    flight = ask(shell, FETCH._replace(path="/ws"), START).flight
    assert flight is not None
    shell.enforcer.upgraded(flight)
    shell.enforcer.message(flight, 700, START + 0.2, from_client=False)
    for ping in range(1, 40):
        at = START + 60 * ping + jitter * (ping % 3 - 1)
        shell.enforcer.message(flight, 180, at, from_client=True)
        shell.enforcer.message(flight, 150, at + 0.1, from_client=False)
        assert shell.spent("dora", "a") <= TAIL
    assert shell.spent("dora", "a") == 0.0


def messages(shell: Shell, flight: Flight, seconds: int, size: int, start: float = START) -> None:
    """Four a second, as a timer sends them."""
    for step in range(1, 4 * seconds + 1):
        shell.enforcer.message(flight, size, start + step / 4, from_client=True)


def test_an_upload_over_a_websocket_is_charged_from_its_beginning() -> None:
    """Also one whose pieces are alike; what follows a pause is another one."""
    shell = Shell(small_allowance(limit=H))
    flight = upload(shell, START)
    shell.enforcer.upgraded(flight)
    messages(shell, flight, 45, 32_768)
    assert shell.spent("dora", "a") == pytest.approx(45 + TAIL, abs=TUNNEL_SECONDS)
    messages(shell, flight, 45, 32_768, START + 300)
    assert shell.spent("dora", "a") == pytest.approx(2 * (45 + TAIL), abs=2 * TUNNEL_SECONDS)


@pytest.mark.parametrize("size", [60, 1_000, 4_000])
def test_messages_of_a_timer_are_no_upload(size: int) -> None:
    """However long they go on: they cost no more than the messages themselves."""
    shell = Shell(small_allowance(limit=H))
    flight = upload(shell, START)
    shell.enforcer.upgraded(flight)
    messages(shell, flight, 120, size)
    assert "media-stream" not in {
        line.by
        for visit in shell.visits.values()
        if visit.evidence
        for line in visit.evidence.extended
    }


def upload(shell: Shell, at: float, x: Exchange = POST) -> Flight:
    """A request that goes on, of which nothing has passed yet."""
    flight = ask(shell, x, at).flight
    assert flight is not None
    return flight


def sent(shell: Shell, flight: Flight, seconds: int, rate: int = BUSY) -> None:
    """So many bytes a second."""
    for step in range(1, 4 * seconds + 1):
        shell.enforcer.upload(flight, rate // 4, START + step / 4)


def test_an_upload_is_charged_from_its_beginning() -> None:
    """Second by second, and its short answer after all that adds and takes nothing."""
    shell = Shell(small_allowance(limit=H))
    flight = upload(shell, START)
    sent(shell, flight, 45)
    assert shell.spent("dora", "a") == pytest.approx(45 + TAIL, abs=1)
    shell.enforcer.answered(flight, 200, "application/json", 20, START + 45)
    shell.enforcer.closed(flight)
    assert shell.spent("dora", "a") == pytest.approx(45 + TAIL, abs=1)


@pytest.mark.parametrize("size", [10, 5_000, UPLOAD_BYTES - 1])
@pytest.mark.parametrize("seconds", [0.1, 3.0, 60.0])
def test_what_is_short_is_no_upload(size: int, seconds: float) -> None:
    """A like, a form, a report: however slow its connection is."""
    shell = Shell(small_allowance(limit=H))
    flight = upload(shell, START)
    for step in range(1, 11):
        shell.enforcer.upload(flight, size // 10, START + seconds * step / 10)
    assert shell.spent("dora", "a") == 0


def test_what_is_over_soon_is_no_stream() -> None:
    """A picture in a second is the action that its answer makes it."""
    shell = Shell(small_allowance(limit=H))
    sent(shell, upload(shell, START), 1)
    assert shell.spent("dora", "a") == 0


@pytest.mark.parametrize(
    "x",
    [
        POST._replace(mode="no-cors"),
        POST._replace(site="cross-site", page_host="news.example"),
        POST._replace(dest="serviceworker"),
        POST._replace(path="/beat"),
    ],
    ids=["beacon", "part of another site", "worker", "telemetry"],
)
def test_what_no_person_sends(x: Exchange) -> None:
    """However long it is."""
    shell = Shell(small_allowance(limit=H))
    sent(shell, upload(shell, START, x), 45)
    assert shell.spent("dora", "a") == 0


def test_a_trickle_is_not_charged() -> None:
    """Half a busy rate, for minutes."""
    shell = Shell(small_allowance(limit=H))
    sent(shell, upload(shell, START), 300, 2_000)
    assert shell.spent("dora", "a") == 0


def test_both_directions_count_once() -> None:
    """An answer that streams while the upload goes on."""
    shell = Shell(small_allowance(limit=H))
    flight = upload(shell, START)
    shell.enforcer.answered(flight, 200, "video/mp4", None, START)
    for step in range(1, 4 * 30 + 1):
        shell.enforcer.upload(flight, BUSY, START + step / 4)
        shell.enforcer.body(flight, BUSY, START + step / 4)
    assert shell.spent("dora", "a") == pytest.approx(30 + TAIL, abs=1)
