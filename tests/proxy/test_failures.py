"""`proxy_addon/proxy/failures.py`: what applies when our own code fails, and that it can hardly
fail itself."""

from __future__ import annotations

import pytest

from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.proxy.failures import unavailable
from tests.proxy.harness import PAGE, Broken, ProxyHarness, breaks, request

CLOSED = Decision(Verdict.BLOCK, Reason.UNAVAILABLE, "x")


def fail(harness: ProxyHarness, where: str) -> None:
    """An exception, noted."""
    try:
        raise Broken("secret detail")
    except Broken:
        harness.addon.failures.note(where)


def test_counted_each_time_and_logged_once(
    harness: ProxyHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure that comes a thousand times fills a counter, not the disk; another one is logged,
    too."""
    for _ in range(1000):
        fail(harness, "here")
    fail(harness, "there")
    assert harness.counted("errors_total", where="here") == 1000
    assert capsys.readouterr().out.count("our own code failed") == 2


@pytest.mark.parametrize("on_failure", ["allow", "block", "last-known"])
def test_verdict(tmp_path, on_failure: str) -> None:
    """The policy's verdict; who cannot read it is strict."""
    harness = ProxyHarness(tmp_path, on_failure=on_failure)
    verdict = harness.addon.failures.verdict(Person("dora", ("staff",)), Target("x"))
    assert verdict.blocks is (on_failure != "allow")
    assert verdict.reason is Reason.UNAVAILABLE
    harness.break_engine("failure")
    assert harness.addon.failures.verdict(None, Target("x")).blocks
    harness.close()


def test_answer(harness: ProxyHarness) -> None:
    """A page with the reason, although nothing can be asked of the engine."""
    harness.break_engine("balance", "person")
    answer = harness.addon.failures.answer(
        request("http://x.com/", headers=PAGE), "x.com", None, CLOSED
    )
    assert answer.status == 403
    assert ("X-Allowance-Reason", "unavailable") in answer.headers
    assert b"X " in answer.body or b"X" in answer.body


def test_bare_answer(harness: ProxyHarness) -> None:
    """When even that fails there is an answer left."""
    harness.services.clock.now = breaks  # type: ignore[method-assign]
    answer = harness.addon.failures.answer(request("http://x.com/"), "x.com", None, CLOSED)
    assert answer == unavailable()
    assert (answer.status, answer.headers[-1]) == (503, ("X-Allowance-Reason", "unavailable"))
