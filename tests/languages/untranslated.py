"""What is not translatable yet. The tests demand to find each of these, so the lists can only
shrink.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

TEMPLATES: tuple[str, ...] = (
    "proxy/responses/templates/block.html",
    "proxy/responses/templates/heads_up.html",
    "proxy/responses/templates/notice.html",
    "web/templates/ask.html",
    "web/templates/employee.html",
    "web/templates/requests.html",
    "web/templates/why.html",
)
MODULES: tuple[str, ...] = (
    "proxy/responses/messages.py",
    "proxy/responses/responses.py",
    "web/balance_events.py",
    "web/employee_view.py",
    "web/forms.py",
    "web/rule_explanation.py",
    "web/time_request_pages.py",
)
PLURALS: tuple[str, ...] = ()
PAGES: tuple[str, ...] = (
    "ask",
    "ask-while-one-waits",
    "ask-with-an-error",
    "employee-low",
    "employee-nobody-signed-in",
    "employee-nothing-limited",
    "employee-nothing-used",
    "employee-observed",
    "employee-request-waiting",
    "employee-requests-answered",
    "employee-several",
    "employee-some-used",
    "employee-used-up",
    "refusal-block",
    "refusal-block-more",
    "refusal-block-rule",
    "refusal-block-until",
    "refusal-heads-up",
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
