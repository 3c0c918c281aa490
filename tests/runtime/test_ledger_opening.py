"""`proxy_addon/runtime/ledger_opening.py`: nothing may query a ledger before the first contact,
which hands over what earlier processes left and checks the key of the pseudonyms."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from db.address import parse
from db.engine import HEAD
from db.upgrade import upgrade
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Visit
from proxy_addon.identity.pseudonyms import PseudonymKeyError, Pseudonyms, is_pseudonym, read_key
from proxy_addon.ledger.interface import LedgerError, LedgerUnavailable, LedgerUnusable
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner, read_owner
from proxy_addon.rules import folder as rules_folder
from proxy_addon.runtime.ledger_opening import LedgerOpening
from tests.proxy.harness import NOON, ProxyHarness
from tests.virtual_clock import VirtualClock

LEFT = Visit("left", "dora", "x", None, "short", "rule", NOON - 60.0, NOON, "dead")
CLOCK = VirtualClock(NOON)


@pytest.fixture
def rules(tmp_path: Path) -> RuleSet:
    """Those of the proxy harness."""
    ProxyHarness(tmp_path).close()
    return rules_folder.load(tmp_path / "rules")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A SQLite file that is not there yet."""
    yield load_settings(
        {"database": f"sqlite:///{tmp_path}/ledger.db", "pseudonym_key": tmp_path / "key"}
    )


def nothing() -> None:
    """Nothing to read."""


def leave(settings: Settings, folder: Path, visit: Visit = LEFT) -> Journal:
    """The journal of a process that is gone."""
    left = Journal(folder / "journal", "dead", JournalOwner(parse(settings.database).identity))
    left.add([visit])
    left.close()
    return left


def test_the_first_contact(settings: Settings, rules: RuleSet, tmp_path: Path) -> None:
    """Before it every query is refused, and what the journals hold can be read; it makes the
    tables, hands over what was left, and gives the cursor of the news."""
    left = leave(settings, tmp_path)
    opening = LedgerOpening(settings, rules, CLOCK)
    with pytest.raises(LedgerUnavailable, match="has not answered yet") as refused:
        list(opening.ledger.visits(0.0))
    assert refused.value.kind == "not-joined" and not opening.is_joined
    assert [visit.id for visit in opening.left()] == ["left"]
    read, cursor = opening.join(lambda: list(opening.ledger.visits(0.0)))
    assert [visit.id for visit in read] == ["left"]
    assert opening.is_joined and cursor >= 0.0
    assert not left.path.exists() and opening.journal.path.exists()
    assert list(opening.ledger.visits(0.0)) == read
    opening.close()
    assert not opening.journal.path.exists()


def test_what_keeps_it_away_is_said(settings: Settings, rules: RuleSet, tmp_path: Path) -> None:
    """Whoever asks is told why the contact failed; the next one may go well."""
    upgrade(settings.database)
    opening = LedgerOpening(settings, rules, CLOCK)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("UPDATE alembic_version SET version_num = 'ledger_9999'")
        other.execute("UPDATE schema_compatibility SET oldest = 'ledger_9998'")
        other.commit()
        with pytest.raises(LedgerUnusable) as found:
            opening.join(nothing)
        assert opening.is_for_settings(found.value)
        with pytest.raises(LedgerUnavailable, match="which this version does not know"):
            opening.ledger.check()
        other.execute("UPDATE alembic_version SET version_num = ?", (HEAD,))
        other.commit()
    opening.join(nothing)
    opening.ledger.check()
    opening.close()


def test_names_become_pseudonyms(settings: Settings, rules: RuleSet, tmp_path: Path) -> None:
    """With pseudonyms the key is there before the ledger is, so that no name reaches the journal;
    names that are in the ledger or in journals of before are replaced."""
    leave(settings, tmp_path)
    plain = LedgerOpening(settings, rules, CLOCK)
    assert plain.names is None
    plain.join(nothing)
    plain.ledger.write_visits([replace(LEFT, id="written")])
    plain.close()
    leave(settings, tmp_path)
    opening = LedgerOpening(settings, replace(rules, pseudonyms=True), CLOCK)
    assert opening.names is not None and (tmp_path / "key").exists()
    opening.join(nothing)
    found = {row.person for row in opening.ledger.visits(0.0)}
    assert found == {opening.names.of("dora")} and all(map(is_pseudonym, found))
    opening.close()
    again = LedgerOpening(settings, replace(rules, pseudonyms=True), CLOCK)
    again.join(nothing)
    again.close()


def test_the_key_of_another_proxy(settings: Settings, rules: RuleSet, tmp_path: Path) -> None:
    """It is found at the contact, which then fails; a key that was made only because the ledger
    could not be asked is taken away again."""
    masked = replace(rules, pseudonyms=True)
    first = LedgerOpening(settings, masked, CLOCK)
    first.join(nothing)
    first.close()
    (tmp_path / "key").unlink()
    other = LedgerOpening(settings, masked, CLOCK)
    for _ in range(2):
        with pytest.raises(LedgerUnusable, match="made with another key; copy that one") as found:
            other.join(nothing)
        assert other.is_for_settings(found.value)
    assert not (tmp_path / "key").exists()
    other.close()
    third = settings.model_copy(update={"pseudonym_key": tmp_path / "third"})
    assert Pseudonyms(read_key(tmp_path / "third", make=True)).of("dora") != "dora"
    kept = LedgerOpening(third, masked, CLOCK)
    with pytest.raises(LedgerUnusable):
        kept.join(nothing)
    assert (tmp_path / "third").exists()
    kept.close()
    (tmp_path / "third").write_text("no key")
    with pytest.raises(PseudonymKeyError):
        LedgerOpening(third, masked, CLOCK)


@pytest.mark.parametrize("what", ["missing", "rubbish", "rights", "a folder"])
def test_a_key_that_cannot_be_read(
    settings: Settings, rules: RuleSet, tmp_path: Path, what: str
) -> None:
    """A worker that starts again serves without its ledger, makes no key of its own, and says what
    is wrong at each contact. With the key it joins, and its journal says by which key."""
    masked = replace(rules, pseudonyms=True)
    first = LedgerOpening(settings, masked, CLOCK)
    first.join(nothing)
    first.close()
    key, hidden = (tmp_path / "key").read_bytes(), first.names
    assert hidden is not None
    if what == "rights":
        (tmp_path / "key").chmod(0o644)
    else:
        (tmp_path / "key").unlink()
    if what == "rubbish":
        (tmp_path / "key").write_text("no key")
        (tmp_path / "key").chmod(0o600)
    elif what == "a folder":
        (tmp_path / "key").mkdir(0o700)
    worker = LedgerOpening(settings, masked, CLOCK, is_strict=False)
    assert worker.names is not None and not worker.names.has_key
    for _ in range(2):
        with pytest.raises(LedgerUnusable, match="key") as found:
            worker.join(nothing)
        assert found.value.kind == "pseudonym-key"
    if what == "missing":
        assert not (tmp_path / "key").exists()
        with pytest.raises(PseudonymKeyError):
            LedgerOpening(settings.model_copy(update={"pseudonym_key": tmp_path}), masked, CLOCK)
    if what == "a folder":
        (tmp_path / "key").rmdir()
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "key").chmod(0o600)
    worker.join(nothing)
    assert worker.names.of("dora") == hidden.of("dora")
    owner = read_owner(worker.journal.path)
    assert owner is not None and owner.key == hidden.key_id
    worker.close()


def test_a_path_that_can_never_be_written(rules: RuleSet, tmp_path: Path) -> None:
    """Is a mistake of the settings at a start; one of several workers that starts again serves all
    the same."""
    (tmp_path / "file").write_text("")
    for wrong in ({"database": f"sqlite:///{tmp_path}/file/x.db"}, {"journal": tmp_path / "file"}):
        settings = load_settings({"database": f"sqlite:///{tmp_path}/y.db", **wrong})
        with pytest.raises(LedgerUnusable):
            LedgerOpening(settings, rules, CLOCK)
        worker = LedgerOpening(settings, rules, CLOCK, is_strict=False)
        assert not worker.is_joined
        worker.close()
    with pytest.raises(LedgerUnusable, match="not supported"):
        LedgerOpening(
            settings.model_copy(update={"database": "mysql://a/b"}), rules, CLOCK, is_strict=False
        )


def test_which_problems_end_a_start(settings: Settings, rules: RuleSet) -> None:
    """Those that only other settings mend: what the side of the database can mend does not."""
    opening = LedgerOpening(settings, rules, CLOCK)
    on_postgres = LedgerOpening(
        settings.model_copy(
            update={"database": "postgresql://x/y", "journal": settings.state / "j"}
        ),
        rules,
        CLOCK,
    )

    def ends(one: LedgerOpening, kind: str) -> bool:
        return one.is_for_settings(LedgerError("", kind=kind))

    for kind in ("foreign", "newer", "pseudonym-key"):
        assert ends(opening, kind) and ends(on_postgres, kind)
    for kind in ("unreachable", "locked", "full", "sign-in", "slow", "damaged", "io", "stopped"):
        assert not ends(opening, kind) and not ends(on_postgres, kind)
    for kind in ("missing", "forbidden", "read-only"):
        assert ends(opening, kind) and not ends(on_postgres, kind)
    opening.close()
    on_postgres.close()


def test_a_disk_that_is_full(
    settings: Settings, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start neither the missing file nor the missing journal ends it; both are made when
    there is room."""
    really_open = os.open

    def full(path: os.PathLike[str] | str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", full)
    opening = LedgerOpening(settings, rules, CLOCK)
    with pytest.raises(LedgerUnavailable) as found:
        opening.join(nothing)
    assert found.value.kind == "full" and not opening.is_for_settings(found.value)
    with pytest.raises(OSError, match="No space"):
        opening.journal.add([LEFT])
    monkeypatch.undo()
    assert opening.journal.add([LEFT]) == 0
    opening.join(nothing)
    opening.journal.settle([LEFT])
    opening.close()
