"""The page of a report is translatable, and made in the language that is asked for."""

from __future__ import annotations

import re

import pytest

from proxy_addon.ledger.interface import PlainVisit
from proxy_addon.presentation.languages import spoken
from proxy_addon.report.page import page
from tests.core.policies import at
from tests.languages import pseudo_locale
from tests.languages.data import without_data
from tests.report.scene import DAILY, NOW, RULE, made, observing, office

_LETTERS = re.compile(r"[^\W\d_]{2,}")
_NAMES = re.compile(r"\b(carl|maria|Youtube|marketing|service|default|mode|observe|No|x)\b")


def untranslated(text: str) -> list[str]:
    """Texts of the page that are neither messages nor names."""
    found = [_NAMES.sub("", without_data(each)) for each in pseudo_locale.texts(text)]
    return [each for each in found if _LETTERS.search(each)]


@pytest.mark.parametrize("by_person", [True, False])
def test_every_text_is_a_message(by_person: bool) -> None:
    """Charts, tables, titles of their parts and notes, with people and without."""
    with pseudo_locale.spoken():
        texts = [page(office(by_person=by_person), NOW, by_person=by_person)]
        texts.append(page(made(), NOW, by_person=False))
        tried = PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:40"))
        texts.append(page(made(tried, rules=observing()), NOW, by_person=False))
    assert [untranslated(text) for text in texts] == [[], [], []]


def test_the_language_that_is_asked_for() -> None:
    """In German with its dates, and English again after it."""
    text = page(office(), NOW, by_person=False, language="de")
    assert '<html lang="de">' in text
    assert "Wohin unsere Zeit ging" in text
    assert "Montag von 09:00 bis 10:00" in text
    assert "November" in text
    assert "15 Minuten pro Tag" in text
    assert spoken() == "en"
