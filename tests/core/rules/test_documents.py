"""Documents: where things stand."""

from __future__ import annotations

from proxy_addon.core.rules.documents import Document

DOCUMENT = Document(
    "f.yaml",
    {"a": {"b": "x"}},
    {(): (1, 1), ("a",): (2, 3), ("a", "b"): (2, 6)},
    {("a", "b"): (2, 3)},
)


def test_values_and_keys_have_their_own_places() -> None:
    """A problem with a value points at the value, one with a key at the key."""
    assert str(DOCUMENT.place(("a", "b"))) == "f.yaml:2:6"
    assert str(DOCUMENT.place(("a", "b"), key=True)) == "f.yaml:2:3"


def test_what_is_not_there_stands_where_the_nearest_thing_around_it_stands() -> None:
    """A missing key is told at the block that misses it."""
    assert str(DOCUMENT.place(("a", "b", 0, "c"))) == "f.yaml:2:6"
    assert str(DOCUMENT.place(("z",), key=True)) == "f.yaml:1:1"
    assert str(Document("g.yaml", {}, {}, {}).place(("z",))) == "g.yaml:1:1"
