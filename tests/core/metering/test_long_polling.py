"""Twin of proxy_addon/core/metering/long_polling.py: the server's cadence is not a person's."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.activity import Evidence, Exchange, Judgement, Kind
from proxy_addon.core.metering.long_polling import (
    ENDPOINTS_KEPT,
    HEARTBEAT,
    HELD_SIZE,
    NONE,
    LongPolling,
    judged,
)
from proxy_addon.core.types import Activity

KEY = "x.com/poll"
ASKED = Judgement(Activity.VISIT, Evidence.PAGE_ACTION, Kind.INTERACTION)
HELD = Judgement(Activity.BACKGROUND, Evidence.HELD_OPEN)


def answer(duration: float, size: int = 300, method: str = "GET") -> Exchange:
    """A script's request with its answer."""
    return Exchange(method, "x.com", "/poll", "empty", bytes=size, duration=duration)


def after(known: LongPolling, at: float, x: Exchange) -> tuple[LongPolling, bool]:
    """The state after one more request, and whether it counts."""
    known, found = judged(known, KEY, x, ASKED, at)
    return known, found.activity.counts


def test_what_waited_for_the_server_does_not_count() -> None:
    """A small answer that came after seconds was held back."""
    assert not after(NONE, 100.0, answer(7.0))[1]
    assert after(NONE, 100.0, answer(7.0, HELD_SIZE))[1]
    assert after(NONE, 100.0, answer(2.0))[1]


def test_what_is_asked_again_at_once_does_not_count() -> None:
    """Whatever the server brought, the next question is the script's; later ones may be a
    person's."""
    known, _ = after(NONE, 100.0, answer(7.0))
    assert not after(known, 107.01, answer(0.1, 30_000))[1]
    assert not after(known, 107.3, answer(0.1, 2, "POST"))[1]
    assert after(known, 108.0, answer(0.1, 2, "POST"))[1]


def test_a_heartbeat_of_an_endpoint_that_is_known() -> None:
    """After three answers that were held back, a small quick one to a GET is one of them."""
    known = NONE
    for number in range(3):
        known, _ = after(known, 100.0 + 30.0 * number, answer(20.0))
    assert not after(known, 185.0, answer(0.1, HEARTBEAT - 1))[1]
    assert after(known, 185.0, answer(0.1, HEARTBEAT))[1]
    assert after(known, 185.0, answer(0.1, 2, "POST"))[1]


def test_what_interrupts_a_question_that_is_held_is_the_clients_doing() -> None:
    """Over BOSH what a person writes ends the held question, and is held itself."""
    known, _ = after(NONE, 100.0, answer(10.05, method="POST"))
    _, found = judged(known, KEY, answer(20.0, method="POST"), ASKED, 110.0)
    assert found == Judgement(Activity.VISIT, Evidence.MESSAGE_SENT, Kind.INTERACTION)


@pytest.mark.parametrize("dest", ["image", "document", "iframe"])
def test_only_scripts_poll(dest: str) -> None:
    """A slow page or picture is a slow page or picture."""
    slow = answer(9.0)._replace(dest=dest)
    assert judged(NONE, KEY, slow, ASKED, 100.0) == (NONE, ASKED)


def test_what_is_held_without_an_end_teaches_as_well() -> None:
    """An answer known as held open is the first of its endpoint."""
    known, found = judged(NONE, KEY, answer(25.0), HELD, 100.0)
    assert found == HELD
    assert known[KEY].ended == 125.0


def test_few_endpoints_are_remembered() -> None:
    """Memory is bounded, and the newest stay."""
    known = NONE
    for number in range(100):
        known, _ = judged(known, f"x.com/{number}", answer(5.0), ASKED, 100.0 + number)
    assert len(known) == ENDPOINTS_KEPT
    assert "x.com/99" in known
