"""`proxy_addon/system/dependencies.py`: reports of what a proxy depends on, alone and combined."""

from __future__ import annotations

import json
import pickle

from proxy_addon.system.dependencies import Dependencies, DependencyReport, combined, iso

WELL = DependencyReport(counts={"pending": 1}, facts={"digest": "ab"})
ILL = DependencyReport(False, "away", 0.0, counts={"pending": 4, "lost": 2})


def test_whoever_knows_a_dependency_adds_it() -> None:
    """Reports come in the order of adding, are asked for each time, and the last word counts."""
    found, seen = Dependencies(), iter((1, 2))
    found.add("ledger", lambda: ILL)
    found.add("mail", lambda: DependencyReport(counts={"sent": next(seen)}))
    found.add("ledger", lambda: WELL)
    assert [found.reports()["mail"].counts["sent"] for _ in range(2)] == [1, 2]
    found.add("mail", lambda: WELL)
    assert list(found.reports().items()) == [("ledger", WELL), ("mail", WELL)]


def test_a_report_that_fails_is_one_that_is_not_well() -> None:
    """The page is shown all the same, without the text of the exception, which may hold a name."""

    def broken() -> DependencyReport:
        raise RuntimeError("dora")

    found = Dependencies()
    found.add("ledger", broken)
    found.add("rules", lambda: WELL)
    reports = found.reports()
    assert (reports["ledger"].ok, reports["rules"].ok) == (False, True)
    assert reports["ledger"].message == "its state is not known (RuntimeError)"
    assert (found.report("ledger"), found.report("rules")) == (reports["ledger"], WELL)
    assert found.report("nobody added it").ok


def test_the_document() -> None:
    """What is not known is left out; instants are readable; all of it is JSON, and can be sent to
    another process."""
    assert ILL.document() == {
        "ok": False,
        "since": "1970-01-01T00:00:00+00:00",
        "message": "away",
        "pending": 4,
        "lost": 2,
    }
    assert DependencyReport().document() == {"ok": True}
    assert json.loads(json.dumps(WELL.document())) == {"ok": True, "digest": "ab", "pending": 1}
    assert pickle.loads(pickle.dumps(ILL)) == ILL
    assert iso(0.9) == "1970-01-01T00:00:00+00:00"


def test_several_processes_make_one_report() -> None:
    """The first process that is not well is shown with its number; counts are summed up, and
    dependencies that only workers have are there too."""
    found = combined({"ledger": WELL}, [(0, {"ledger": WELL}), (1, {"ledger": ILL, "mail": ILL})])
    assert (found["ledger"].ok, found["ledger"].worker, found["ledger"].message) == (
        False,
        1,
        "away",
    )
    assert found["ledger"].counts == {"pending": 6, "lost": 2}
    assert found["mail"].counts == {"pending": 4, "lost": 2}
    both = combined({"ledger": ILL}, [(0, {"ledger": WELL})])
    assert (both["ledger"].ok, both["ledger"].worker) == (False, None)
