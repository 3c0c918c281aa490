"""`proxy_addon/web/admin_view.py`: states in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.types import Grant
from proxy_addon.presentation.languages import speaking
from proxy_addon.system.health import down
from proxy_addon.web.admin_view import MAX_SHOWN, in_force, observing, parts, urgent_taken
from proxy_addon.web.interface import Health
from proxy_addon.web.urgent_service import NO_REASON
from tests.web.admin_setup import RULES, UP
from tests.web.office import NOW


@pytest.mark.parametrize(
    ("changes", "word", "ok"),
    [
        ({}, "empty", True),
        ({"journal_visits": 3}, "3 visits wait", False),
        ({"journal_dropped": 2, "journal_visits": 3}, "2 visits did not fit", False),
        ({"journal_message": "disk full"}, "cannot be written: disk full", False),
    ],
)
def test_the_journal(changes: dict[str, object], word: str, ok: bool) -> None:
    """The worst that can be said of the journal is said."""
    *_, journal = parts(Health(True, {}), replace(UP, **changes))
    assert (journal.name, journal.ok) == ("Journal", ok)
    assert word in journal.state


def test_parts() -> None:
    """Every check by its name, and whether it is fine."""
    first, _ = parts(Health(False, {"ledger": down("down: full")}), UP)
    assert first == ("Ledger", "down: full", False)


def test_long_lists_are_cut() -> None:
    """However many problems there are, the page stays a page; how many more is told."""
    shown = in_force(RULES, NOW, [f"p{n}" for n in range(MAX_SHOWN + 5)], NOW)
    assert (len(shown.problems), shown.more) == (MAX_SHOWN, 5)
    many = [({"rule": f"r{n}", "platform": "x", "role": "staff"}, 1) for n in range(MAX_SHOWN + 5)]
    assert (len(observing(RULES, many).would), observing(RULES, many).total) == (
        MAX_SHOWN,
        MAX_SHOWN + 5,
    )


def test_urgent_minutes_without_a_reason() -> None:
    """What stands in the ledger where nothing was typed is said in the reader's language; what was
    typed stays as it is."""
    grant = Grant("urgent-1", "dora", "daily-social", 600.0, NO_REASON, "dora", NOW, NOW + 60)
    with speaking("de"):
        assert urgent_taken(grant, NOW, RULES).reason == "Kundschaft wartet"
        typed = replace(grant, reason="A launch")
        assert urgent_taken(typed, NOW, RULES).reason == "A launch"
