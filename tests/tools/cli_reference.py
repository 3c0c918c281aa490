"""Writes docs/cli.md from the command line itself: make docs, or python -m
tests.tools.cli_reference"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import typer

from proxy_addon.cli.main import app
from tests.tools import settings_reference

FILE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
HEAD = """# The command line

`allowance` is in `.venv/bin/` after `make run`, and on the path of the container. Every command explains itself with
`--help` (`-h`). An error is one line on standard error that says what to do, and the exit code is 1; it is 2 where the
command line itself is not understood. `--json` prints what programs can rely on.

Commands that look into the ledger or the rules find both as `allowance run` does: by flags, by the environment, by
`allowance.toml` (see [settings.md](settings.md)), else in the working folder. They may run while the proxy runs,
and a running proxy follows what they write within two seconds.

This page is made from the program: `make docs`.

"""


class Command(NamedTuple):
    """One command: its words after `allowance`, and what Typer knows of it."""

    words: tuple[str, ...]
    typed: Any

    @property
    def name(self) -> str:
        """As it is typed."""
        return " ".join(("allowance", *self.words))

    @property
    def options(self) -> list[str]:
        """Every option that it takes, in every spelling."""
        return [
            word for each in self.typed.params for word in each.opts if word.startswith("-")
        ] + ["--help", "-h"]


def commands() -> list[Command]:
    """All commands, as `--help` lists them; groups are not among them."""
    return list(_below(typer.main.get_command(app), ()))


def _below(typed: Any, words: tuple[str, ...]) -> Iterator[Command]:
    if not hasattr(typed, "list_commands"):
        yield Command(words, typed)
        return
    for name in typed.list_commands(None):
        yield from _below(typed.get_command(None, name), (*words, name))


def text() -> str:
    """The page."""
    found = [each for each in commands() if not getattr(each.typed, "hidden", False)]
    lines = [f"| [`{each.name}`](#{_anchor(each)}) | {_first(each)} |\n" for each in found]
    return HEAD + "| command | does |\n|---|---|\n" + "".join(lines) + "".join(map(_section, found))


def _anchor(command: Command) -> str:
    return command.name.replace(" ", "-")


def _first(command: Command) -> str:
    return _cell(_help(command).partition("\n\n")[0])


def _help(command: Command) -> str:
    """The docstring, without the line breaks that its source happens to have."""
    paragraphs = (command.typed.help or "").strip().split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _section(command: Command) -> str:
    shown = [each for each in command.typed.params if not getattr(each, "hidden", False)]
    arguments = [each for each in shown if each.param_type_name == "argument"]
    options = [each for each in shown if each.param_type_name != "argument"]
    usage = " ".join([command.name, *(["[OPTIONS]"] if options else []), *map(_placed, arguments)])
    parts = [f"\n## {command.name}\n\n{_help(command)}\n\n```text\n{usage}\n```\n"]
    if shown:
        parts.append("\n| option | default | meaning |\n|---|---|---|\n")
        parts += [_row(_argument(each), each) for each in arguments]
        parts += [_row(_option(each), each) for each in options]
    return "".join(parts)


def _row(shown: str, parameter: Any) -> str:
    """`Default: …` at the end of a help text has a column of its own here."""
    meaning, _, default = (parameter.help or "").partition("Default: ")
    meaning = meaning.strip() or settings_reference.MEANINGS.get(parameter.name, "")
    return f"| {shown} | {_cell(_default(parameter) or default)} | {_cell(meaning)} |\n"


def _word(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper()).strip("[]")


def _placed(argument: Any) -> str:
    word = _word(argument) if argument.nargs == 1 else f"{_word(argument).rstrip('.')}..."
    return word if argument.required else f"[{word}]"


def _argument(argument: Any) -> str:
    return f"`{_word(argument)}`"


def _option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} `{_cell(_value(option))}`"


def _value(option: Any) -> str:
    """What belongs behind the option."""
    if option.metavar:
        return str(option.metavar)
    kind = option.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(each.value for each in kind)
    return str({int: "N", float: "N"}.get(kind, "TEXT"))


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if value in (None, (), [], "", False):
        return ""
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
