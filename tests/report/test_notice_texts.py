"""`proxy_addon/report/notice_texts.py`: which texts there are, and how two differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.notices.notice import Notice, NoticeText, Version
from proxy_addon.ledger.interface import NoticeVersion
from proxy_addon.report.notice_texts import TextNotFound, differences, find, known_texts

NEW = Notice(
    "social",
    Version(3),
    {"en": NoticeText("en", "Social", "# Social\n\nOne\n\nTwo")},
    "d3" * 32,
)
OLD = NoticeVersion("d2" * 32, "social", "2", 20.0, {"en": "# Social\n\nOne", "de": "Eins"})
OLDER = replace(OLD, digest="d1" * 32, version="1", at=10.0)
SAME_VERSION = replace(OLD, digest="d9" * 32, at=15.0)
GUESTS = NoticeVersion("aa" * 32, "guests", "1", 30.0, {"en": "Guests"})
KEPT = [OLDER, SAME_VERSION, OLD, GUESTS, replace(OLD, digest=NEW.digest, version="3", at=25.0)]
TEXTS = known_texts([NEW], KEPT)


def test_order() -> None:
    """What is in force comes first, with its older texts, the newest first; then what has gone."""
    assert [(each.notice, each.version, each.since, each.in_force) for each in TEXTS] == [
        ("social", "3", 25.0, True),
        ("social", "2", 20.0, False),
        ("social", "2", 15.0, False),
        ("social", "1", 10.0, False),
        ("guests", "1", 30.0, False),
    ]
    assert known_texts([NEW], [])[0].since is None
    assert TEXTS[0].order == Version(3)
    assert replace(TEXTS[0], version="draft").order == Version(0)


def test_find() -> None:
    """By version, of several with one version the newest; by digest, as far as it is given."""
    assert find(TEXTS, "social", "3").digest == NEW.digest
    assert find(TEXTS, "social", "2").digest == OLD.digest
    assert find(TEXTS, "social", "d9d9d9").digest == SAME_VERSION.digest
    assert find(TEXTS, "guests", "aa" * 32).version == "1"


@pytest.mark.parametrize("wanted", ["4", "d9", "", "d3d3d4", "3.0"])
def test_what_is_not_there(wanted: str) -> None:
    """The message names what there is."""
    with pytest.raises(TextNotFound, match=r"there are 3 \(d3d3d3d3d3d3\), 2 \(d2"):
        find(TEXTS, "social", wanted)


def test_not_enough_digits() -> None:
    """Where several texts begin so, none is taken; a notice without texts is told."""
    twins = [*TEXTS, replace(TEXTS[1], digest="d2d2d2ff", version="1.5")]
    with pytest.raises(TextNotFound, match="several texts begin with 'd2d2d2'"):
        find(twins, "social", "d2d2d2")
    with pytest.raises(TextNotFound, match="no text of 'nope' is known"):
        find(TEXTS, "nope", "1")


def test_differences() -> None:
    """Language by language; one that came or went is all put in or all taken out."""
    found = differences(TEXTS[1], TEXTS[0])
    assert [line for line in found["en"] if line[0] in "+-"] == [
        "--- social 2 (d2d2d2d2d2d2) en",
        "+++ social 3 (d3d3d3d3d3d3) en",
        "+",
        "+Two",
    ]
    assert found["de"][-1] == "-Eins"
    assert differences(TEXTS[1], TEXTS[2]) == {"en": [], "de": []}
