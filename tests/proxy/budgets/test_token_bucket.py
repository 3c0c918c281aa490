"""`proxy_addon/proxy/budgets/token_bucket.py`."""

from __future__ import annotations

from proxy_addon.proxy.budgets.token_bucket import Allotment, TokenBucket


def test_a_burst_and_then_the_rate() -> None:
    """What may be used at once can be used at once; after that, what comes back in a second."""
    bucket = TokenBucket(Allotment(10, 100), 0.0)
    assert bucket.use(100, 0.0)
    assert not bucket.use(1, 0.0)
    assert bucket.use(9, 1.0)
    assert not bucket.use(1, 1.0)


def test_it_never_holds_more_than_its_burst() -> None:
    """Neither time nor what is given back saves up for later."""
    bucket = TokenBucket(Allotment(10, 100), 0.0)
    bucket.use(-1000, 0.0)
    assert bucket.left(1e6) == 100


def test_debts_are_waited_for() -> None:
    """Who has used too much waits until that has come back; a clock that goes back gives
    nothing."""
    bucket = TokenBucket(Allotment(10, 100), 50.0)
    bucket.use(130, 50.0)
    assert bucket.wait(50.0) == 3.0
    assert bucket.wait(40.0) == 3.0
    assert bucket.wait(53.0) == 0.0


def test_several_together() -> None:
    """The limit of a person is that of several connections."""
    assert Allotment(10, 100).times(2) == Allotment(20, 200)
