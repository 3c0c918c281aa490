"""`proxy_addon/report/notice_names.py`: no name without an entry in the audit."""

from __future__ import annotations

import pytest

from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.interface import AuditEntry, LedgerUnavailable
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from proxy_addon.report.notice_names import waiting_by_name
from tests.ledger import test_ledger_contract as contract
from tests.ledger.memory_ledger import MemoryLedger
from tests.report.test_notice_status import confirmed, status

open_ledger, ledger = contract.open_ledger, contract.ledger
STATUS = status("dora", confirmations={"dora": confirmed(3), "carl": confirmed(3)})


def test_the_look_is_audited(ledger: contract.Ledger) -> None:
    """Who asked, about which version, how many, and why; then the names, on every ledger."""
    found = waiting_by_name(ledger, [STATUS], reason="reminding", actor="cli:hanna", at=5.0)
    assert [each.name for each in found["social"]] == ["ada", "cora", "maria"]
    assert list(ledger.audit_log()) == [
        AuditEntry(
            5.0, "cli:hanna", "policy", "everybody", "who has not read social 3 (3): reminding"
        )
    ]


def test_with_pseudonyms() -> None:
    """Who asked is a pseudonym, and the look is still one at everybody: all can be told of it."""
    names, inner = Pseudonyms(b"k" * 32), MemoryLedger()
    waiting_by_name(PseudonymLedger(inner, names), [STATUS], reason="r", actor="web:hanna", at=5.0)
    (entry,) = inner.audit_log()
    assert (entry.actor, entry.subject) == (f"web:{names.of('hanna')}", "everybody")


class NoAudit(MemoryLedger):
    """The audit cannot be written."""

    def audit(self, entry: AuditEntry) -> None:
        raise LedgerUnavailable("away")


def test_no_audit_no_names() -> None:
    """Nothing is given when the look cannot be recorded."""
    with pytest.raises(LedgerUnavailable):
        waiting_by_name(NoAudit(), [STATUS], reason="r", actor="cli:hanna", at=5.0)
