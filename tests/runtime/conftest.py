"""Fixtures of the tests of runtime/."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def patient_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start waits for a ledger that answers, however slow the machine is."""
    monkeypatch.setattr("proxy_addon.runtime.first_contact.START_SECONDS", 60.0)
