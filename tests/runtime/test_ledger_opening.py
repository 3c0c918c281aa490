"""`proxy_addon/runtime/ledger_opening.py`: a ledger is opened, and has what earlier processes
left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from db.address import parse
from proxy_addon.config.settings import load_settings
from proxy_addon.core.types import Visit
from proxy_addon.identity.pseudonyms import is_pseudonym
from proxy_addon.ledger.journal import Journal
from proxy_addon.rules import folder as rules_folder
from proxy_addon.runtime.ledger_opening import open_ledger, pseudonyms_of
from tests.proxy.harness import NOON, ProxyHarness

LEFT = Visit("left", "dora", "x", None, "short", "rule", NOON - 60.0, NOON, "dead")


def test_a_new_ledger_has_what_a_dead_process_left(tmp_path: Path) -> None:
    """Tables are made, the journal of a process that is gone is in the ledger, and this process has
    an empty one of its own."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    left = Journal(tmp_path / "journal", "dead", parse(url).identity)
    left.add([LEFT])
    left.close()
    opened = open_ledger(load_settings({"database": url}))
    assert [visit.id for visit in opened.ledger.visits(0.0)] == ["left"]
    assert not left.path.exists() and opened.journal.path.exists() and opened.journal.held == 0
    opened.journal.close()
    opened.ledger.close()


def test_names_from_before_become_pseudonyms(tmp_path: Path) -> None:
    """Where the policy wants pseudonyms, none of the names that were there is left."""
    harness = ProxyHarness(tmp_path)
    harness.close()
    rules = rules_folder.load(tmp_path / "rules")
    url = f"sqlite:///{tmp_path}/ledger.db"
    settings = load_settings({"database": url, "pseudonym_key": tmp_path / "key"})
    opened = open_ledger(settings)
    opened.ledger.write_visits([LEFT])
    assert pseudonyms_of(opened.ledger, rules, settings, NOON) is None
    names = pseudonyms_of(opened.ledger, replace(rules, pseudonyms=True), settings, NOON)
    assert names is not None
    [row] = opened.ledger.visits(0.0)
    assert row.person == names.of("dora") and is_pseudonym(row.person)
    opened.journal.close()
    opened.ledger.close()
