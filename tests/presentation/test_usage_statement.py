"""`proxy_addon/presentation/usage_statement.py`: the JSON of the contract."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

from proxy_addon.core.types import Balance, Visit
from proxy_addon.presentation.usage_statement import statement

T = 1793631000.0  # 2 November 2026, 14:50 in London


def test_statement_has_the_fields_of_the_contract_and_no_others() -> None:
    """Names, order and units are fixed; ids and nodes of the ledger stay inside."""
    held = [
        Balance("daily", 900.0, 60.12345, 300.0, 60.0, 1199.87655, T + 60),
        Balance("b", 1, 0, 0, 0, 1, None),
    ]
    seen = [
        Visit("i", "dora", "x", None, None, "Lunch", T, T + 5.5, "n"),
        Visit("j", "dora", "x", None, "daily", None, T, T, "n"),
    ]
    made = statement("dora", ("staff",), held, seen, ZoneInfo("Europe/London"))
    assert json.loads(json.dumps(made)) == {
        "user": "dora",
        "roles": ["staff"],
        "allowances": {
            "daily": {
                "limit": 900.0,
                "spent": 60.123,
                "granted": 300.0,
                "left": 1199.877,
                "resets_at": "2026-11-02T14:51:00+00:00",
            },
            "b": {"limit": 1, "spent": 0, "granted": 0, "left": 1, "resets_at": None},
        },
        "visits": [
            {
                "platform": "x",
                "section": None,
                "allowance": None,
                "rule": "Lunch",
                "start": "2026-11-02T14:50:00+00:00",
                "end": "2026-11-02T14:50:05+00:00",
                "estimated": False,
            }
        ],
    }


def test_nobody_is_an_empty_statement() -> None:
    """Somebody without allowances and visits has empty ones, not missing ones."""
    made = statement("new", (), (), (), ZoneInfo("UTC"))
    assert made == {"user": "new", "roles": [], "allowances": {}, "visits": []}
