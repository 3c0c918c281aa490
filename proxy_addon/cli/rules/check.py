"""`allowance rules check`: everything that is wrong with a rules folder, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from proxy_addon.cli.common import exit_with, print_json, say
from proxy_addon.config.settings import SettingsError, load_settings
from proxy_addon.core.rules.problems import Code, RuleProblem, Severity
from proxy_addon.presentation.durations import count
from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules.yaml_reader import lines

_SHOWN = 100  # problems; whoever has more begins with the first ones
# What is not ours to show: behind such a link may lie anything, which the rules folder's editor may
# not read.
_NOT_SHOWN = frozenset({Code.OUTSIDE_FOLDER})
_WIDTH = 120  # characters of the offending line


class Format(StrEnum):
    """How problems are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="The rules folder; without it, that of the settings."),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="For people, for programs, or as notes on a pull request."),
    ] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Report everything that is wrong with a rules folder. Exit code: 0 no problems, 1 errors, 3
    warnings only."""
    folder = folder or _settings_folder()
    problems = rules_folder.check(folder)
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if as_json or form is Format.JSON:
        answer = {"ok": not errors, "problems": [asdict(problem) for problem in problems]}
        print_json(answer)
    elif form is Format.GITHUB:
        for problem in problems:
            say(_annotation(problem))
    else:
        say("\n".join(_report(problems, errors, folder)))
    raise typer.Exit(1 if errors else 3 if problems else 0)


def _settings_folder() -> Path:
    """The folder that the proxy would read here. Ends the command with 1 where the settings are
    wrong."""
    try:
        return load_settings().rules
    except SettingsError as error:
        exit_with(error)


def _annotation(problem: RuleProblem) -> str:
    """A workflow command: the mistake as a note at its line."""
    text = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    place = f"file={_escaped(problem.file)},line={problem.line},col={problem.column}"
    return f"::{problem.severity} {place},title={_escaped(problem.code)}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped(text: str) -> str:
    """A property of a workflow command: what separates properties is written as a number."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _report(problems: list[RuleProblem], errors: int, folder: Path) -> Iterable[str]:
    """The lines of the answer for people: each problem with the line it is about, then a count."""
    texts: dict[str, list[str]] = {}
    for problem in problems[:_SHOWN]:
        mark = " (warning)" if problem.severity is Severity.WARNING else ""
        yield f"{problem}{mark}"
        if problem.code in _NOT_SHOWN:
            continue
        if problem.file not in texts:
            texts[problem.file] = _lines(Path(problem.file))
        yield from _pointer(texts[problem.file], problem)
    if len(problems) > _SHOWN:
        yield f"and {len(problems) - _SHOWN} more"
    if not problems:
        yield f"{folder}: the rules are valid"
    else:
        yield f"{count(errors, 'error')}, {count(len(problems) - errors, 'warning')}"


def _lines(file: Path) -> list[str]:
    """The lines of a file; none when it cannot be shown."""
    try:
        if not file.is_file() or file.stat().st_size > rules_folder.MAX_BYTES:
            return []
        return lines(file.read_text("utf-8-sig", errors="replace"))
    except (OSError, ValueError):
        return []


def _pointer(content: list[str], problem: RuleProblem) -> Iterable[str]:
    """The offending line and a caret below the place; nothing for a place that has no text."""
    line = content[problem.line - 1] if problem.line <= len(content) else ""
    if not line.strip():
        return
    start = max(0, problem.column - _WIDTH)
    line, column = line[start : start + _WIDTH], problem.column - 1 - start
    yield "    " + "".join(c if c.isprintable() else " " for c in line)
    yield "    " + " " * column + "^"
