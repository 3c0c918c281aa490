"""Fixtures of the tests of the policy commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.policy.policy_office import people_read, policy_office


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office in which some have read the policy."""
    made = policy_office(tmp_path, monkeypatch)
    people_read(made)
    return made
