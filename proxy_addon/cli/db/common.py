"""Shared by the commands about the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from proxy_addon.cli.common import exit_with
from proxy_addon.config.settings import SettingsError
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.ledger.interface import LedgerError

Database = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="URL", help="Database URL. Default: sqlite:///var/allowance.db"
    ),
]


@contextmanager
def database_errors() -> Iterator[None]:
    """Whatever is wrong with settings, rules or database: its lines on stderr, exit code 1."""
    try:
        yield
    except RuleErrors as problem:
        exit_with(problem)
    except (SettingsError, LedgerError) as problem:
        exit_with("\n".join(f"error: {line}" for line in str(problem).splitlines()))
