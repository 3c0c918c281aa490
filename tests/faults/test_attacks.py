"""The short form of the attack harness: somebody's pages while one client attacks, on real proxies.

All attacks, each for longer, are `python -m tests.faults.attacks --long`.
"""

from __future__ import annotations

import statistics

import pytest

from tests.faults.attacks import ATTACKS, NONE, measured

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(600)]
PROMISED = 0.5  # seconds for a page of somebody else
SECONDS = 4.0
SLACK = 3  # times what the slowest page needs without an attack, where that is more
MORE_MEMORY = 150 << 20  # bytes, than without an attack


def test_pages_of_others_go_on() -> None:
    """While one client attacks, every page of somebody else comes: half of them within the time
    that is promised, or some times what the slowest needed on this machine without an attack."""
    found = dict(measured(iter([NONE, *ATTACKS]), SECONDS))
    quiet = found.pop(NONE)
    slow = []
    for name, each in found.items():
        for site, took in each.pages.items():
            most = max(PROMISED, SLACK * max(quiet.pages[site]))
            if statistics.median(took) > most:
                slow.append(f"{name}, {site}: {statistics.median(took):.2f} s, most {most:.2f} s")
        if each.memory - quiet.memory > MORE_MEMORY:
            slow.append(f"{name}: {(each.memory - quiet.memory) >> 20} MiB more")
    assert not slow
