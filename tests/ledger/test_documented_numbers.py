"""Numbers that the documentation promises about the ledger: the pages and the program say the
same."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from proxy_addon.ledger.erasure import ERASURES_KEPT
from proxy_addon.ledger.interface import AUDIT_LONGER, Ledger
from proxy_addon.ledger.journal import MOST_BYTES, Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.retention import AGAIN
from proxy_addon.ledger.time_requests import MOST_MINUTES, MOST_OPEN, request_of
from proxy_addon.ledger.writer import JOURNAL_AFTER, JOURNAL_TICK, MAX_PENDING, Writer

DOCS = Path(__file__).resolve().parents[2] / "docs"
DAY = 86_400.0
WORDS = {"one": 1, "two": 2, "three": 3, "five": 5, "ten": 10, "a year": 365}


def promised(page: str, pattern: str) -> list[float]:
    """The numbers, as digits or words, in a sentence that stands on a page once."""
    text = " ".join((DOCS / page).read_text("utf-8").split())
    found = list(re.finditer(pattern, text))
    assert len(found) == 1, f"{page}: {len(found)} times {pattern}"
    return [float(WORDS.get(number, 0) or number.replace(",", "")) for number in found[0].groups()]


def test_size_of_the_journal(tmp_path: Path) -> None:
    """So much is reserved on the disk for each of the two files, and so much is the most that each
    may take."""
    reserved, most = promised(
        "reliability.md", r"(\d+) MiB reserved at the start for each of two files.*?; (\d+) MiB"
    )
    journal = Journal(tmp_path, "a", JournalOwner("place"))
    for suffix in (".a", ".b"):
        assert journal.path.with_suffix(suffix).stat().st_size == reserved * 2**20
    journal.close()
    assert most * 2**20 == MOST_BYTES


def test_usage_that_a_crash_takes() -> None:
    """A flush, the wait for it and the beat of the journal are as the page says, and less than the
    loss it names."""
    (flush,) = promised("reliability.md", r"once in `flush` \((\d+) s\)")
    assert inspect.signature(Writer).parameters["flush_seconds"].default == flush
    (after,) = promised("reliability.md", r"not reached it ([\d.]+) s later goes to the journal")
    (times,) = promised("reliability.md", r"(\w+) times a second at most and only in an outage")
    (loss,) = promised("reliability.md", r"a crash takes at most the last (\w+) seconds of usage")
    assert (after, 1 / times) == (JOURNAL_AFTER, JOURNAL_TICK)
    assert loss > JOURNAL_AFTER + JOURNAL_TICK


def test_visits_that_wait() -> None:
    """The runbook names the number of visits for which there is room in memory."""
    (most,) = promised("runbook.md", r"`no-room`: ([\d,]+) visits waited in memory")
    assert most == MAX_PENDING
    assert inspect.signature(Writer).parameters["max_pending"].default == most


def test_how_long_what_is_kept() -> None:
    """Audit and erasure markers outlive the visits by what the page about privacy says, deleted in
    its batches."""
    (audit,) = promised("privacy.md", r"\| audit \|[^|]*\| `retention` plus (a year) \|")
    assert audit * DAY == AUDIT_LONGER
    (signs,) = promised("privacy.md", r"\| erasure markers \|[^|]*\| `retention` plus (\d+) days")
    assert signs * DAY == ERASURES_KEPT
    (rows,) = promised("privacy.md", r"in batches of ([\d,]+),")
    assert inspect.signature(Ledger.prune).parameters["batch"].default == rows


def test_deleting_is_tried_again() -> None:
    """The page about logs says when old visits are deleted after a failure."""
    (minutes,) = promised("logs.md", r"`old visits are not deleted yet`.*?again in (\w+) minutes")
    assert minutes * 60 == AGAIN


def test_what_may_be_asked() -> None:
    """Minutes, requests at a time, and the form of a request's id are those of the page for
    administrators."""
    assert promised("admin.md", r"the minutes \((\d+) to (\d+)\)") == [1, MOST_MINUTES]
    (waiting,) = promised("admin.md", r"A person can have at most (\w+) open requests")
    assert waiting == MOST_OPEN
    text = (DOCS / "admin.md").read_text("utf-8")
    (shown,) = re.findall(r"allowance requests approve (\S+)", text)
    made = request_of("dora", "daily", "1", "a launch", among=["daily"], now=0.0)
    assert len(made.id) == len(shown)
    assert int(made.id, 16) >= 0 and int(shown, 16) >= 0


@pytest.mark.parametrize("page", ["reliability.md", "privacy.md"])
def test_a_sentence_that_is_gone_is_noticed(page: str) -> None:
    """A number that nobody promises any more is no silent agreement."""
    with pytest.raises(AssertionError, match="0 times"):
        promised(page, r"this sentence has (\d+) words and was never written")
