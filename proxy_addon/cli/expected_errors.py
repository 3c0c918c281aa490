"""Shared by the commands on rules or ledger: what can be wrong with them, as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from proxy_addon.cli.common import exit_with
from proxy_addon.config.settings import SettingsError
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.ledger.interface import LedgerError


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Whatever is wrong with settings, rules or the ledger: its message, and exit code 1."""
    try:
        yield
    except (SettingsError, RuleErrors, LedgerError) as error:
        exit_with(error)
