"""`proxy_addon/ledger/unmasking.py`: a name for a pseudonym, never without a trace."""

from __future__ import annotations

import pwd
from dataclasses import replace
from ipaddress import ip_network
from types import MappingProxyType

import pytest

from proxy_addon.core.ruleset import People
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.interface import AuditEntry, LedgerUnavailable
from proxy_addon.ledger.unmasking import known_names, unmask
from tests.ledger.memory_ledger import MemoryLedger
from tests.web.office import NOW, rule_set

NAMES = Pseudonyms(b"k" * 32)


def test_known_names() -> None:
    """Members, seats, sign-ins and accounts, as written and folded; no patterns, no bare
    networks."""
    people = People(
        "staff",
        MappingProxyType({"care": ("Ana", "*@brand.example")}),
        devices=(
            (ip_network("10.0.0.1/32"), "reception", None),
            (ip_network("10.0.1.0/24"), None, "guest"),
        ),
    )
    found = list(known_names(replace(rule_set(), people=people), ["dora"]))
    assert found[:4] == ["dora", "Ana", "ana", "reception"]
    assert pwd.getpwuid(0).pw_name in found
    assert "*@brand.example" not in found


def test_unmask() -> None:
    """The attempt is in the audit whether somebody is found or not."""
    ledger = MemoryLedger()
    for name, found in (("ana", "ana"), ("zoe", None)):
        hidden = NAMES.of(name)
        assert (
            unmask(
                ledger,
                NAMES,
                hidden,
                reason="a complaint",
                actor="web:p",
                at=NOW,
                among=["bo", "ana"],
            )
            == found
        )
        assert ledger.audit_log(subject=hidden) == [
            AuditEntry(NOW, "web:p", "unmask", hidden, "a complaint")
        ]


def test_no_trace_no_name() -> None:
    """When the audit cannot be written nobody is even looked for."""

    class UnreachableLedger(MemoryLedger):
        def audit(self, entry: AuditEntry) -> None:
            raise LedgerUnavailable("away")

    looked: list[str] = []
    with pytest.raises(LedgerUnavailable):
        unmask(
            UnreachableLedger(),
            NAMES,
            NAMES.of("ana"),
            reason="x",
            actor="web:p",
            at=NOW,
            among=(looked.append(name) or name for name in ["ana"]),
        )
    assert not looked
