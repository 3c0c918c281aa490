"""Twin of proxy_addon/metering/time_left.py: what is left at the least."""

from __future__ import annotations

import math
import random

import pytest

from proxy_addon.core.types import Grant, Person, Visit
from proxy_addon.metering.time_left import WORTH, TimeLeft
from proxy_addon.metering.usage_book import PersonUsage
from tests.metering.two_platforms import START, small_allowance
from tests.shell import Shell

ANA = Person("ana", ("staff",))
LIMIT = 900.0


def shell() -> Shell:
    """A quarter of an hour for everybody."""
    return Shell(small_allowance(limit=LIMIT))


def seen(shell: Shell, usage: PersonUsage, left: float, now: float = START) -> TimeLeft | None:
    """After a balance was computed."""
    allowance = next(iter(shell.enforcer.rules.allowances))
    return TimeLeft.seen(shell.enforcer.engine, ANA, usage, allowance, left, now)


@pytest.mark.parametrize("seed", range(30))
def test_never_more_than_the_balance(seed: int) -> None:
    """Whatever visits are entered, grow, shrink, move or overlap, the bound is at most what the
    balance says; and it is of use for some time."""
    chance, office = random.Random(seed), shell()
    engine, usage, told = office.enforcer.engine, PersonUsage(), 0
    allowance = next(iter(engine.rule_set.allowances))
    first = seen(office, usage, engine.balance(ANA, allowance, usage, START).left)
    assert first is not None
    revisions: dict[str, int] = {}
    now = START
    for _ in range(60):
        now += chance.random() * 10
        name = chance.choice("abc")
        revisions[name] = revisions.get(name, 0) + 1
        start = now - chance.random() * 60
        end = start + chance.choice((0.0, 5.0, 70.0)) * chance.random()
        charged = chance.choice((allowance, allowance, None))
        usage.apply(Visit(name, "ana", "x", None, charged, "r", start, end, "n", revisions[name]))
        least = first.at_least(engine, ANA, usage, allowance, now)
        real = engine.balance(ANA, allowance, usage, now).left
        assert least <= real + 1e-6
        told += least > 0
    assert told > 5


def test_tells_nothing_after_other_changes() -> None:
    """Other rules, another person, allowance or usage, a grant, and an instant before or beyond
    what is known."""
    office, usage = shell(), PersonUsage()
    engine, allowance = office.enforcer.engine, next(iter(office.enforcer.rules.allowances))
    known = seen(office, usage, LIMIT)
    assert known is not None
    assert known.at_least(engine, ANA, usage, allowance, START + 10) == LIMIT - 10
    for least in (
        known.at_least(shell().enforcer.engine, ANA, usage, allowance, START + 10),
        known.at_least(engine, Person("bo", ("staff",)), usage, allowance, START + 10),
        known.at_least(engine, ANA, PersonUsage(), allowance, START + 10),
        known.at_least(engine, ANA, usage, "another", START + 10),
        known.at_least(engine, ANA, usage, allowance, START - 1),
        known.at_least(engine, ANA, usage, allowance, known.until),
    ):
        assert least == -math.inf
    usage.grant(Grant("1", "ana", allowance, 60.0, "", "boss", START, START + 600))
    assert known.at_least(engine, ANA, usage, allowance, START + 10) == -math.inf


def test_ends_with_a_grant() -> None:
    """Time that was granted is gone when the grant ends, so nothing is told beyond that."""
    office, usage = shell(), PersonUsage()
    allowance = next(iter(office.enforcer.rules.allowances))
    usage.grant(Grant("1", "ana", allowance, 60.0, "", "boss", START - 1, START + 600))
    known = seen(office, usage, LIMIT + 60)
    assert known is not None
    assert known.until <= START + 600


def test_near_the_end_and_on_a_rota_it_is_not_kept() -> None:
    """With little left each balance is computed, and for people whose roles come and go."""
    office, usage = shell(), PersonUsage()
    assert seen(office, usage, WORTH - 1) is None
    allowance = next(iter(office.enforcer.rules.allowances))
    rota = ANA._replace(duty=True)
    assert TimeLeft.seen(office.enforcer.engine, rota, usage, allowance, LIMIT, START) is None
