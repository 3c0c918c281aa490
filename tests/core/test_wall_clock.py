"""What a wall-clock time stands for: the first instant at which it is shown or has been passed."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from hypothesis import given

from proxy_addon.core.wall_clock import DAY, change_between, first_instant, offset_at, stretches
from tests.core.clocks import at, quarters, quick, rules, zones


@quick
@given(zones, quarters)
def test_a_time_stands_for_its_first_instant(zone, instant):
    """What the clock shows at an instant stands for that instant, or for an earlier one that it
    showed first."""
    zoned = rules(zone).zone
    first = first_instant(zoned, int(instant) + offset_at(zoned, int(instant)))
    assert first <= instant
    shown = [datetime.fromtimestamp(t, zoned).replace(tzinfo=None) for t in (first, instant)]
    assert shown[0] == shown[1]


@quick
@given(zones, quarters)
def test_stretches_tile_time(zone, instant):
    """They touch, have one offset each, and are at most a day long."""
    zoned, start = rules(zone).zone, int(instant)
    found = list(stretches(zoned, start, start + 40 * DAY))
    assert (found[0][0], found[-1][1]) == (start, start + 40 * DAY)
    assert all(a[1] == b[0] for a, b in pairwise(found))
    for first, last, offset in found:
        assert 0 < last - first <= DAY
        assert offset_at(zoned, first) == offset_at(zoned, last - 1) == offset


def test_a_change_is_found_to_the_second():
    """London's summer time of 2026 began at 01:00 UTC on 29 March."""
    zoned = rules().zone
    change = int(at("2026-03-29 02:00"))
    assert change_between(zoned, change - 5000, change + 5000) == change
    assert first_instant(zoned, change + 1800) == change  # 01:30 is in the gap
