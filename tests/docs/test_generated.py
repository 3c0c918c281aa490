"""Pages that are made from the program are those that the program makes now."""

from __future__ import annotations

from types import ModuleType

import pytest

from proxy_addon.config.settings import Settings
from tests.tools import cli_reference, metrics_reference, settings_reference


@pytest.mark.parametrize(
    "made", [settings_reference, cli_reference, metrics_reference], ids=lambda m: m.__name__
)
def test_made_pages_are_current(made: ModuleType) -> None:
    """Otherwise somebody changed the program and forgot `make docs`."""
    assert made.FILE.read_text("utf-8") == made.text(), "run: make docs"


def test_every_sentence_is_for_a_setting() -> None:
    """A setting that is gone takes its sentence along."""
    assert set(settings_reference.MEANINGS) <= set(Settings.model_fields)


def test_every_flag_is_a_setting() -> None:
    """`allowance run --help` says so; `--config` alone names the file."""
    assert set(settings_reference.flags()) - set(Settings.model_fields) == {"config"}


def test_every_command_and_option_says_what_it_does() -> None:
    """Nobody has to guess from a name."""
    silent = [each.name for each in cli_reference.commands() if not (each.typed.help or "").strip()]
    for each in cli_reference.commands():
        silent += [f"{each.name} {p.name}" for p in each.typed.params if not (p.help or "").strip()]
    assert silent == []
