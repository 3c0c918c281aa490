"""Plans of people who come, leave and come back."""

from __future__ import annotations

from random import Random

import pytest

from tests.real_sessions.recording.cast import AWAKE, LAPTOP
from tests.real_sessions.recording.plan import WHOLE_MINUTES, Away, plan


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_lasts_as_long_as_asked_for(seed: int) -> None:
    """A session has a known end, whatever is drawn; people come back at least once."""
    stretches = plan(Random(seed), WHOLE_MINUTES, LAPTOP)
    total = sum(each.use + each.away for each in stretches)
    assert WHOLE_MINUTES * 60 <= total <= WHOLE_MINUTES * 60 + 240
    assert len(stretches) >= 2


def test_the_same_seed_plans_the_same() -> None:
    """A session can be recorded again."""
    assert plan(Random("1:hls"), 16, AWAKE) == plan(Random("1:hls"), 16, AWAKE)
    assert plan(Random("1:hls"), 16, AWAKE) != plan(Random("2:hls"), 16, AWAKE)


def test_only_who_has_a_laptop_lets_it_sleep() -> None:
    """A browser that several people share cannot be stopped for one of them."""
    ways = {each.how for seed in range(20) for each in plan(Random(seed), 16, AWAKE)}
    assert ways == {Away.HIDDEN, Away.VISIBLE}
