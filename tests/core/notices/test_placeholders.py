"""Values of the rules inside a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.notices.placeholders import VALUES, filled, placeholders


def test_all_are_found() -> None:
    """With their lines, and what follows the dot."""
    text = "You have {{ allowance }}.\n{{allowance.daily social}} {{ what ever }} { no } {{\n}}\n{{ x.y.z }}"
    assert [tuple(each) for each in placeholders(text)] == [
        ("allowance", "", 1, "{{ allowance }}"),
        ("allowance", "daily social", 2, "{{allowance.daily social}}"),
        ("what ever", "", 2, "{{ what ever }}"),
        ("x", "y.z", 4, "{{ x.y.z }}"),
    ]


def test_they_are_filled() -> None:
    """Each by its value; what is not one stays as it is."""
    text = "{{ allowance }} and {{ allowance.short }}, {{ not one }}, {{}}"
    assert filled(text, lambda name, detail: f"<{name}|{detail}>") == (
        "<allowance|> and <allowance|short>, {{ not one }}, {{}}"
    )


def test_a_value_is_not_filled_again() -> None:
    """What comes from the rules is text, also where it looks like a placeholder."""
    assert filled("{{ owner }}", lambda name, detail: "{{ contact }}") == "{{ contact }}"


@given(st.text("{} .aA\n", max_size=60))
def test_nothing_else_changes(text: str) -> None:
    """A text whose placeholders are put back as they were is the same text."""
    written = iter([each.written for each in placeholders(text)])
    names = {each.name for each in placeholders(text)}
    if all(name.isidentifier() and name.islower() for name in names):
        assert filled(text, lambda name, detail: next(written)) == text


def test_every_value_is_explained() -> None:
    """Documents and messages list them."""
    assert all(VALUES.values())
