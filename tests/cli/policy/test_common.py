"""`proxy_addon/cli/policy/common.py`: which notice and which text are meant."""

from __future__ import annotations

from dataclasses import replace

import pytest
import typer

from proxy_addon.cli.policy.common import mask_of, named, notice_name, reason_for, spoken
from proxy_addon.core.notices.notice import Notice, NoticeText, Office, Version
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from proxy_addon.report.notice_texts import PolicyText
from tests.core.policies import SAMPLE
from tests.ledger.memory_ledger import MemoryLedger

NOTICE = Notice("social", Version(3), {"en": NoticeText("en", "", "")}, "d3")
TEXT = PolicyText("social", "3", "d3", {"en": ""}, None, True)
OLD = PolicyText("guests", "1", "d1", {"en": ""}, 1.0, False)


def test_the_only_one() -> None:
    """Without a name the only one is meant; of several, or of none, nothing."""
    assert named([NOTICE], None) is NOTICE
    assert notice_name([TEXT, OLD], None) == "social"
    assert notice_name([OLD], None) == "guests"
    for call in (
        lambda: named([], None),
        lambda: named([NOTICE, replace(NOTICE, name="guests")], None),
        lambda: notice_name([], None),
    ):
        with pytest.raises(typer.Exit):
            call()


def test_masks_and_languages() -> None:
    """Names are masked where the ledger is; the office's first language that we speak is spoken."""
    names = Pseudonyms(b"k" * 32)
    assert mask_of(PseudonymLedger(MemoryLedger(), names))("ana") == names.of("ana")
    assert mask_of(MemoryLedger())("ana") == "ana"
    dutch = replace(SAMPLE, office=Office(languages=("nl", "fr")))
    assert spoken(None, dutch) == "fr"
    assert spoken(None, replace(SAMPLE, office=Office(languages=("nl",)))) == "en"


def test_reasons() -> None:
    """On one line; none where no names are asked for."""
    assert reason_for(True, " a\nb ") == "a b"
    assert reason_for(False, None) is None
