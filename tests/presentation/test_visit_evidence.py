"""`proxy_addon/presentation/visit_evidence.py`: why a visit was charged, in plain words and as
data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core.metering import evidence as evidence_summary
from proxy_addon.core.metering.activity import Evidence
from proxy_addon.core.types import EvidenceSummary, Extension, Visit
from proxy_addon.presentation.visit_evidence import _WORDS, NOT_RECORDED, data, sentences

ZONE = ZoneInfo("Europe/London")
NINE = datetime(2026, 11, 2, 9, tzinfo=ZONE).timestamp()
NOW = NINE + 3600.0


def at(minute: int, second: int) -> float:
    """An instant after nine."""
    return NINE + 60.0 * minute + second


def visit(end: float, found: EvidenceSummary | None) -> Visit:
    """A visit that began at 09:12:05."""
    return Visit("v", "dora", "x", None, "daily", "Fifteen", at(12, 5), end, "n", 1, found)


SCROLLED = EvidenceSummary(
    ("page-opened", at(12, 5)),
    (
        Extension("page-opened", at(12, 5), at(12, 5), 0),
        Extension("page-action", at(12, 20), at(16, 40), 14),
        Extension("media-played", at(14, 0), at(16, 2), 1),
    ),
)


def test_a_visit_in_sentences() -> None:
    """What opened it, what extended it and how often, and the silence that closed it."""
    assert sentences(visit(at(16, 50), SCROLLED), NOW, ZONE) == (
        "Opened 09:12:05 by opening a page.",
        "Extended by 14 scrolls or clicks from 09:12:20 to 09:16:40 "
        "and playing a video or sound from 09:14:00 to 09:16:02.",
        "Closed 09:16:50: nothing more came in the 10 seconds before.",
    )
    assert data(visit(at(16, 50), SCROLLED), NOW, ZONE) == {
        "opened": {"by": "page-opened", "at": "2026-11-02T09:12:05+00:00"},
        "extended": [
            {
                "by": "page-action",
                "first": "2026-11-02T09:12:20+00:00",
                "last": "2026-11-02T09:16:40+00:00",
                "times": 14,
            },
            {
                "by": "media-played",
                "first": "2026-11-02T09:14:00+00:00",
                "last": "2026-11-02T09:16:02+00:00",
                "times": 1,
            },
        ],
        "closed": {"why": "silence", "at": "2026-11-02T09:16:50+00:00"},
        "given_back": 0.0,
    }


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (evidence_summary.TIME_UP, "time was up"),
        (evidence_summary.RULE_CHANGED, "the rule changed"),
        (evidence_summary.POLICY_UNREAD, "the written policy had to be read first"),
        (evidence_summary.SECTION_CHANGED, "another part of the platform was opened"),
        (evidence_summary.MOVED_ON, "a page of another platform was opened"),
        (evidence_summary.GIVEN_BACK, "what came later was a page refreshing itself"),
        (evidence_summary.CLOCK_SET, "the clock of the proxy was set"),
        ("from-the-future", "from the future"),
    ],
)
def test_every_end_has_its_words(why: str, words: str) -> None:
    """Also one that only a newer version knows."""
    ended = visit(at(16, 50), SCROLLED._replace(closed=(why, at(16, 50))))
    assert sentences(ended, NOW, ZONE)[-1] == f"Closed 09:16:50: {words}."
    found = data(ended, NOW, ZONE)
    assert found is not None
    assert found["closed"] == {"why": why, "at": "2026-11-02T09:16:50+00:00"}


def test_what_goes_on() -> None:
    """A visit whose tail lies ahead is not closed, and a film that opened it may still run."""
    film = EvidenceSummary(
        ("media-stream", at(12, 5)), (Extension("media-stream", at(12, 5), at(20, 0), 0),)
    )
    open_now = visit(at(20, 10), film)
    assert sentences(open_now, at(20, 1), ZONE) == (
        "Opened 09:12:05 by a running stream.",
        "Extended by more of the same until 09:20:00.",
        "Still open.",
    )
    found = data(open_now, at(20, 1), ZONE)
    assert found is not None
    assert found["closed"] is None
    json.dumps(found)


def test_what_was_given_back() -> None:
    """Seconds that a machine had extended it are told, and at whose expense they were."""
    found = EvidenceSummary(
        ("page-opened", at(12, 5)), (), (evidence_summary.GIVEN_BACK, at(12, 15)), 1800.0
    )
    assert sentences(visit(at(12, 15), found), NOW, ZONE)[1:] == (
        "Closed 09:12:15: what came later was a page refreshing itself.",
        "30 minutes given back: a page refreshed itself.",
    )


def test_once_and_at_once() -> None:
    """One thing at one moment is told with one time; a part of a visit begins with its rule."""
    found = EvidenceSummary(
        (evidence_summary.RULE_CHANGED, at(12, 5)),
        (Extension("message-sent", at(13, 0), at(13, 0), 1),),
    )
    assert sentences(visit(at(13, 10), found), NOW, ZONE)[:2] == (
        "Opened 09:12:05 when the rule changed.",
        "Extended by a message sent at 09:13:00.",
    )


def test_nothing_recorded() -> None:
    """A visit of before there was evidence says so."""
    old = visit(at(13, 0), None)
    assert sentences(old, NOW, ZONE) == (NOT_RECORDED,)
    assert data(old, NOW, ZONE) is None


def test_unknown_kinds_are_shown_as_they_are() -> None:
    """What a newer version wrote is a word, never an error, whatever stands in it."""
    strange = EvidenceSummary(
        ("{0}-x", at(12, 5)), (Extension("{9}-{y}", at(12, 20), at(12, 30), 3),)
    )
    told = sentences(replace(visit(at(13, 0), strange)), NOW, ZONE)
    assert told[0] == "Opened 09:12:05 by 0 x."
    assert told[1] == "Extended by 9 y, 3 times from 09:12:20 to 09:12:30."


def test_every_kind_that_counts_has_words() -> None:
    """Evidence that runs the clock is told in plain words, not by its code."""
    counting = {
        Evidence.PAGE_OPENED,
        Evidence.PAGE_ACTION,
        Evidence.APP_ACTION,
        Evidence.MESSAGE_SENT,
        Evidence.MEDIA_PLAYED,
        Evidence.EMBEDDED_MEDIA,
        Evidence.MEDIA_STREAM,
        Evidence.BUSY_TUNNEL,
    }
    assert {evidence_summary.CODES[kind] for kind in counting} <= set(_WORDS)
