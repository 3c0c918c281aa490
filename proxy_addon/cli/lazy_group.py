"""Groups of commands that are imported when they are asked for, so that each starts quickly."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from proxy_addon.system.garbage import no_collections

SETTINGS = {"help_option_names": ["-h", "--help"]}


class CommandTarget(NamedTuple):
    """Where a command is: a module, and in it a function or a `typer.Typer`."""

    module: str
    name: str


class _Commands(Mapping[str, Any]):
    """The commands of a table, in its order. Whoever takes one imports its module; their names cost
    nothing."""

    def __init__(self, targets: Mapping[str, CommandTarget]) -> None:
        self._targets = targets

    def __getitem__(self, name: str) -> Any:
        target = self._targets[name]
        found: Any = getattr(_imported(target.module), target.name)
        if isinstance(found, typer.Typer):
            found.info.context_settings = SETTINGS
            command: Any = typer.main.get_group(found)
        else:
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(name, context_settings=SETTINGS)(found)
            command = typer.main.get_command(alone)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)


def _imported(module: str) -> ModuleType:
    with no_collections():
        return importlib.import_module(module)


def group_of(targets: Mapping[str, CommandTarget]) -> type[TyperGroup]:
    """The `cls` of a `typer.Typer` that has the commands of a table."""

    class _LazyGroup(TyperGroup):
        commands: Any

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = _Commands(targets)

    return _LazyGroup
