"""What is not translatable yet. The tests demand to find each of these, so the lists can only
shrink.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

TEMPLATES: tuple[str, ...] = (
    "web/templates/ask.html",
    "web/templates/why.html",
)
MODULES: tuple[str, ...] = (
    "web/balance_events.py",
    "web/forms.py",
    "web/rule_explanation.py",
    "web/urgent_service.py",
)
PLURALS: tuple[str, ...] = ()
PAGES: tuple[str, ...] = (
    "day",
    "day-ledger-away",
    "day-without-visits",
    "employee-administrator",
    "employee-free-always",
    "employee-ledger-away",
    "employee-low",
    "employee-nobody-signed-in",
    "employee-nothing-limited",
    "employee-nothing-used",
    "employee-observed",
    "employee-request-waiting",
    "employee-requests-answered",
    "employee-running",
    "employee-some-used",
    "employee-used-up",
    "employee-was-looked-up",
    "opens",
    "opens-free-always",
    "opens-used-up",
    "refusal-acknowledge",
    "refusal-block",
    "refusal-block-lunch",
    "refusal-block-lunch-german",
    "refusal-block-more",
    "refusal-block-no-opening",
    "refusal-block-nothing",
    "refusal-block-otherwise",
    "refusal-block-rule",
    "refusal-block-rule-opening",
    "refusal-block-until",
    "refusal-block-until-charged",
    "refusal-block-urgent-taken",
    "refusal-heads-up",
    "refusal-heads-up-form",
    "refusal-refused",
    "refusal-sign-in",
    "refusal-unavailable",
    "refusal-unidentified",
    "why",
    "why-answered",
)


def compare(name: str, found: Sequence[str], listed: Container[str]) -> None:
    """Fails for texts of what is not listed, and for what is listed but has none any more."""
    if name in listed:
        assert found, f"every text of {name} is translatable now: take it off untranslated.py"
    else:
        assert not found, f"not translatable: {found}"
