"""Twin of proxy_addon/core/text.py."""

from __future__ import annotations

from proxy_addon.core.text import printable


def test_control_characters_are_replaced() -> None:
    """Each becomes U+FFFD, in every alphabet the rest stays, and a line feed stays where it is
    asked for."""
    assert printable("a\x1b[2Jb\n") == "a�[2Jb�"
    assert printable("a\nb\r", keep="\n") == "a\nb�"
    assert printable("Zoë 中文 [bold]") == "Zoë 中文 [bold]"


def test_every_kind_of_space_stays() -> None:
    """Those at which no line ends as well; what ends a line is no space."""
    assert printable("Libre\u00a0: ici\u202f!") == "Libre\u00a0: ici\u202f!"
    assert printable("a\u2028b\u200eb") == "a\ufffdb\ufffdb"
