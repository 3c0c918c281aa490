"""`proxy_addon/proxy/failures.py`: what applies when our own code fails, and that it can hardly fail itself."""

from __future__ import annotations

import pytest

from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.proxy.failures import unavailable
from tests.proxy.house import PAGE, Broken, House, breaks, request

CLOSED = Decision(Verdict.BLOCK, Reason.UNAVAILABLE, "x")


def fail(house: House, where: str) -> None:
    """An exception, noted."""
    try:
        raise Broken("secret detail")
    except Broken:
        house.addon.failures.note(where)


def test_counted_each_time_and_logged_once(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure that comes a thousand times fills a counter, not the disk; another one is logged, too."""
    for _ in range(1000):
        fail(house, "here")
    fail(house, "there")
    assert house.counted("errors_total", where="here") == 1000
    assert capsys.readouterr().out.count("our own code failed") == 2


@pytest.mark.parametrize("on_failure", ["allow", "block", "last-known"])
def test_verdict(tmp_path, on_failure: str) -> None:
    """The policy's verdict; who cannot read it is strict."""
    house = House(tmp_path, on_failure=on_failure)
    verdict = house.addon.failures.verdict(Person("dora", ("staff",)), Target("x"))
    assert verdict.blocks is (on_failure != "allow")
    assert verdict.reason is Reason.UNAVAILABLE
    house.break_engine("failure")
    assert house.addon.failures.verdict(None, Target("x")).blocks
    house.close()


def test_answer(house: House) -> None:
    """A page with the reason, although nothing can be asked of the engine."""
    house.break_engine("balance", "person")
    answer = house.addon.failures.answer(
        request("http://x.com/", headers=PAGE), "x.com", None, CLOSED
    )
    assert answer.status == 403
    assert ("X-Allowance-Reason", "unavailable") in answer.headers
    assert b"X " in answer.body or b"X" in answer.body


def test_bare_answer(house: House) -> None:
    """When even that fails there is an answer left."""
    house.services.clock.now = breaks  # type: ignore[method-assign]
    answer = house.addon.failures.answer(request("http://x.com/"), "x.com", None, CLOSED)
    assert answer == unavailable()
    assert (answer.status, answer.headers[-1]) == (503, ("X-Allowance-Reason", "unavailable"))
