"""`proxy_addon/presentation/notice_markdown.py`: the policy in a terminal."""

from __future__ import annotations

from proxy_addon.presentation.notice_markdown import markdown

TEXT = """# Social media {#social}

## Your time {#time}
- You have **{{ allowance }}**.
- {{ free }}
- {{ free }} {{ warning }}

> {{ nothing }}

{{ my_time.x }} {{ not closed }
- {#stays} here
"""


def value(name: str, detail: str) -> str:
    """Two values say something."""
    return {"allowance": "15 minutes a day", "warning": "You are warned."}.get(name, detail)


def test_markdown() -> None:
    """Values are put in; lines that say nothing are left out; only headings lose identifiers."""
    assert markdown(TEXT, value).splitlines() == [
        "# Social media",
        "",
        "## Your time",
        "- You have **15 minutes a day**.",
        "-  You are warned.",
        "",
        "",
        "x {{ not closed }",
        "- {#stays} here",
    ]
