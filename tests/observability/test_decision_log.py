"""`proxy_addon/observability/decision_log.py`: what a line says, how long it is kept, and failed
writes."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from proxy_addon.core.types import Activity, Decision, Person, Reason, Verdict
from proxy_addon.observability import decision_log
from proxy_addon.observability.decision_log import DecisionEntry, DecisionLog, about, erase
from tests.virtual_clock import VirtualClock

NOON = 1793620800.0  # Monday 2 November 2026, 12:00 UTC
DAY = 86_400.0
SPENT = Decision(
    Verdict.SPEND,
    Reason.WITHIN,
    "linkedin",
    "jobs",
    rule="Fifteen minutes a day",
    allowance="daily",
    left=60.0,
)


def entry(
    name: str = "dora", at: float = NOON, decision: Decision = SPENT, request: str = "0a1b2c3d-0000"
) -> DecisionEntry:
    """One decision."""
    return DecisionEntry(at, request, Person(name, ("staff", "care")), decision, Activity.VISIT)


def lines(folder: Path) -> list[dict[str, Any]]:
    """Everything that is there."""
    return list(about(folder, lambda name: True))


class Losses:
    """What was given up."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []

    def __call__(self, why: str, count: int) -> None:
        self.found.append((why, count))


def test_a_line(tmp_path: Path) -> None:
    """These keys and no others: nothing of a URL, a page or an address."""
    log = DecisionLog(tmp_path / "d", VirtualClock(NOON))
    log.put(entry())
    log.run_batch()
    assert [path.name for path in (tmp_path / "d").glob("*.jsonl")] == [
        "decisions-2026-11-02.jsonl"
    ]
    assert lines(tmp_path / "d") == [
        {
            "at": "2026-11-02T12:00:00.000+00:00",
            "request": "0a1b2c3d-0000",
            "person": "dora",
            "role": "staff",
            "platform": "linkedin",
            "section": "jobs",
            "verdict": "spend",
            "reason": "within",
            "rule": "Fifteen minutes a day",
            "allowance": "daily",
            "activity": "visit",
        }
    ]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """Folder and files."""
    log = DecisionLog(tmp_path / "d", VirtualClock(NOON))
    log.put(entry())
    log.run_batch()
    (file,) = (tmp_path / "d").glob("*.jsonl")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "d", file)] == [0o700, 0o600]


def test_people_have_the_name_that_the_ledger_knows(tmp_path: Path) -> None:
    """With pseudonyms no name is written."""
    log = DecisionLog(tmp_path, VirtualClock(NOON), mask=lambda name: "p:" + name[::-1])
    log.put(entry("dora"))
    log.run_batch()
    assert [line["person"] for line in lines(tmp_path)] == ["p:arod"]


def test_what_is_only_observed(tmp_path: Path) -> None:
    """The verdict says so, in the word that the metrics have."""
    block = Decision(Verdict.BLOCK, Reason.BLOCKED, "x", rule="Not here").tried_out(Verdict.ALLOW)
    log = DecisionLog(tmp_path, VirtualClock(NOON))
    log.put(entry(decision=block))
    log.run_batch()
    assert [(line["verdict"], line["reason"]) for line in lines(tmp_path)] == [
        ("would_block", "blocked")
    ]


def test_a_file_a_day_and_none_that_is_too_old(tmp_path: Path) -> None:
    """With three days, nothing in the folder is ever older than three days; other files are left
    alone."""
    clock = VirtualClock(NOON)
    log = DecisionLog(tmp_path, clock, days=3)
    (tmp_path / "notes.txt").write_text("mine")
    for _ in range(6):
        log.put(entry(at=clock.now()))
        log.run_batch()
        clock.advance(DAY)
    log.run_batch()
    names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert names == ["decisions-2026-11-06.jsonl", "decisions-2026-11-07.jsonl"]
    assert (tmp_path / "notes.txt").exists()


@pytest.mark.parametrize(
    ("sample", "low", "high"), [(0.0, 0, 0), (0.25, 400, 600), (1.0, 2000, 2000)]
)
def test_a_sample(tmp_path: Path, sample: float, low: int, high: int) -> None:
    """A part of the requests, the same for each decision about one of them."""
    log, other = (DecisionLog(tmp_path, VirtualClock(NOON), sample=sample) for _ in range(2))
    ids = [str(uuid.UUID(int=(n * 2654435761 % 2**32) << 96)) for n in range(2000)]
    taken = [log.samples(each) for each in ids]
    assert low <= sum(taken) <= high
    assert taken == [other.samples(each) for each in ids]


def test_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is raised, no half of a line stays, what is lost is counted, and it is said once;
    then it goes on."""
    losses = Losses()
    log = DecisionLog(tmp_path, VirtualClock(NOON), dropped=losses)
    log.put(entry())
    log.run_batch()
    real = os.write

    def full(file: int, content: memoryview) -> int:
        if len(content) <= 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, content[:100])

    monkeypatch.setattr(os, "write", full)
    for _ in range(3):
        log.put(entry("emil"))
        log.put(entry("emil"))
        log.run_batch()
    monkeypatch.setattr(os, "write", real)
    log.put(entry("finn"))
    log.run_batch()
    assert [line["person"] for line in lines(tmp_path)] == ["dora", "finn"]
    assert losses.found == [("disk", 2)] * 3
    said = capsys.readouterr().out
    assert said.count("the decision log cannot be written") == 1
    assert "No space left on device" in said
    assert said.count("the decision log is written again") == 1


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The same: counted, not raised."""
    (tmp_path / "file").write_text("")
    losses = Losses()
    log = DecisionLog(tmp_path / "file" / "d", VirtualClock(NOON), dropped=losses)
    log.put(entry())
    log.run_batch()
    assert losses.found == [("disk", 1)]


def test_too_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; what finds no room is counted."""
    monkeypatch.setattr(decision_log, "MAX_WAITING", 10)
    losses = Losses()
    log = DecisionLog(tmp_path, VirtualClock(NOON), dropped=losses)
    for _ in range(15):
        log.put(entry())
    log.run_batch()
    assert len(lines(tmp_path)) == 10
    assert losses.found == [("no-room", 1)] * 5


def test_somebody_is_erased(tmp_path: Path) -> None:
    """All their lines go, others stay, what comes later stays too; lines that are not ours do no
    harm."""
    log = DecisionLog(tmp_path, VirtualClock(NOON))
    for name, at in (("dora", NOON), ("emil", NOON), ("dora", NOON + DAY)):
        log.put(entry(name, at))
    log.run_batch()
    with (tmp_path / "decisions-2026-11-02.jsonl").open("a") as file:
        file.write("torn{\n")
    log.erase("dora".__eq__)
    log.run_batch()
    assert [line["person"] for line in about(tmp_path, bool)] == ["emil"]
    assert "torn{" in (tmp_path / "decisions-2026-11-02.jsonl").read_text()
    log.put(entry("dora", NOON + DAY))
    log.run_batch()
    assert len(list(about(tmp_path, "dora".__eq__))) == 1
    assert erase(tmp_path, "dora".__eq__) == 1
    assert erase(tmp_path / "nowhere", "dora".__eq__) == 0


def test_an_erasure_that_fails_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is done."""
    log = DecisionLog(tmp_path, VirtualClock(NOON))
    log.put(entry())
    log.run_batch()
    log.erase("dora".__eq__)
    with monkeypatch.context() as broken:
        broken.setattr(
            decision_log,
            "_append",
            lambda file, content: (_ for _ in ()).throw(OSError(28, "full")),
        )
        log.run_batch()
    assert len(lines(tmp_path)) == 1
    log.run_batch()
    assert lines(tmp_path) == []


def test_several_writers_and_an_erasure(tmp_path: Path) -> None:
    """Two logs on one folder, and somebody erased meanwhile: every line of the others is there,
    whole."""
    logs = [DecisionLog(tmp_path, VirtualClock(NOON)) for _ in range(2)]

    def write(log: DecisionLog) -> None:
        for n in range(100):
            log.put(entry("emil" if n % 2 else "dora"))
            log.run_batch()

    threads = [threading.Thread(target=write, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        erase(tmp_path, "dora".__eq__)
    erase(tmp_path, "dora".__eq__)
    assert [line["person"] for line in lines(tmp_path)] == ["emil"] * 100


def test_the_thread_writes_what_is_left_at_the_end(tmp_path: Path) -> None:
    """A stop loses nothing."""
    log = DecisionLog(tmp_path, VirtualClock(NOON))
    log.start()
    for _ in range(50):
        log.put(entry())
    log.stop()
    text = (tmp_path / "decisions-2026-11-02.jsonl").read_text()
    assert [json.loads(line)["person"] for line in text.splitlines()] == ["dora"] * 50
