"""`allowance rules …`: the rule files, before they go into force."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from proxy_addon import rules_file
from proxy_addon.cli import rules_diff, rules_explain, rules_reload, rules_test
from proxy_addon.core.errors import RuleProblem, Severity
from proxy_addon.yaml_places import lines

app = typer.Typer(help="Check the rule files.", no_args_is_help=True)

_SHOWN = 100  # problems; whoever has more begins with the first ones
_WIDTH = 120  # characters of the offending line


@app.callback()
def rules() -> None:
    """Check the rule files."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The rules folder.")] = Path("rules"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Say everything that is wrong with a rules folder. Exit code: 0 right, 1 errors, 3 warnings only."""
    problems = rules_file.check(folder)
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if as_json:
        answer = {"ok": not errors, "problems": [asdict(problem) for problem in problems]}
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_report(problems, errors, folder)))
    raise typer.Exit(1 if errors else 3 if problems else 0)


def _report(problems: list[RuleProblem], errors: int, folder: Path) -> Iterable[str]:
    """The lines of the answer for people: each problem with the line it is about, then a count."""
    texts: dict[str, list[str]] = {}
    for problem in problems[:_SHOWN]:
        mark = "warning: " if problem.severity is Severity.WARNING else ""
        yield f"{mark}{problem}"
        if problem.file not in texts:
            texts[problem.file] = _lines(Path(problem.file))
        yield from _pointer(texts[problem.file], problem)
    if len(problems) > _SHOWN:
        yield f"and {len(problems) - _SHOWN} more"
    if not problems:
        yield f"{folder}: the rules are right"
    else:
        yield f"{_count(errors, 'error')}, {_count(len(problems) - errors, 'warning')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _lines(file: Path) -> list[str]:
    """The lines of a file; none when it cannot be shown."""
    try:
        if not file.is_file() or file.stat().st_size > rules_file.MAX_BYTES:
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


app.command("test")(rules_test.test)
app.command("reload")(rules_reload.reload)
app.command("explain")(rules_explain.explain)
app.command("diff")(rules_diff.diff)
