"""Twin of proxy_addon/core/text.py."""

from __future__ import annotations

from proxy_addon.core.text import printable


def test_control_characters_are_replaced() -> None:
    """Each becomes U+FFFD, in every alphabet the rest stays, and a line feed stays where it is
    asked for."""
    assert printable("a\x1b[2Jb\n") == "a�[2Jb�"
    assert printable("a\nb\r", keep="\n") == "a\nb�"
    assert printable("Zoë 中文 [bold]") == "Zoë 中文 [bold]"
