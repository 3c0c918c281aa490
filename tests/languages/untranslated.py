"""What is not translatable yet. The tests demand to find each of these, so the lists can only
shrink.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

TEMPLATES: tuple[str, ...] = ()
MODULES: tuple[str, ...] = ()
PLURALS: tuple[str, ...] = ()
PAGES: tuple[str, ...] = ()


def compare(name: str, found: Sequence[str], listed: Container[str]) -> None:
    """Fails for texts of what is not listed, and for what is listed but has none any more."""
    if name in listed:
        assert found, f"every text of {name} is translatable now: take it off untranslated.py"
    else:
        assert not found, f"not translatable: {found}"
