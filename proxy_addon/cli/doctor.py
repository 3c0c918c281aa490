"""`allowance doctor`: what works in this installation, what does not, and what to do."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from proxy_addon.cli.common import AsJson, print_json, say
from proxy_addon.cli.run_options import take_run_options
from proxy_addon.cli.tables import PlainConsole
from proxy_addon.config import parsers
from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import SettingsError, load_settings, unknown_variables
from proxy_addon.doctor.check import Check, State, error, healthy, run_checks, warning
from proxy_addon.doctor.checks import all_checks

Probe = Annotated[
    str | None,
    typer.Option(
        "--probe",
        metavar="HOST:PORT",
        help="The site to try to reach. Default: one of the catalogue",
        show_default=False,
    ),
]
_COLOURS = {
    State.OK: "green",
    State.WARNING: "yellow",
    State.ERROR: "bold red",
    State.NOT_CHECKED: "dim",
}


def doctor(**given: Any) -> None:
    """Check everything that the proxy needs, and say what to do. Changes nothing. Exit code 1 on an
    error.

    Uses the settings of `allowance run`, from the same sources.
    """
    as_json, probe, config = given.pop("as_json"), given.pop("probe"), given.pop("config")
    console = PlainConsole(highlight=False)
    if as_json:
        checks = list(_checks(given, config, probe))
        found = [asdict(check) for check in checks]
        print_json({"ok": healthy(checks), "checks": found})
    elif console.is_terminal:
        with console.status("Checking …"):
            checks = list(_checks(given, config, probe))
        console.print(_table(checks))
    else:
        checks = []
        for check in _checks(given, config, probe):
            checks.append(check)
            say("\n".join(_plain(check)))
    if not as_json:
        say(_summary(checks))
    raise typer.Exit(0 if healthy(checks) else 1)


_KIND = inspect.Parameter.POSITIONAL_OR_KEYWORD
take_run_options(
    doctor,
    inspect.Parameter("probe", _KIND, default=None, annotation=Probe),
    inspect.Parameter("as_json", _KIND, default=False, annotation=AsJson),
)


def _checks(given: dict[str, Any], config: Path | None, probe: str | None) -> Iterator[Check]:
    try:
        settings = load_settings(given, config)
        wanted = _probe(probe)
    except SettingsError as problem:
        for line in problem.problems:
            yield error("settings", line, "correct that setting; the other checks need it")
        return
    for line in unknown_variables(os.environ):
        yield warning(
            "settings", line, "remove the variable, or correct its name to that of a setting"
        )
    yield from run_checks([("doctor", lambda: all_checks(settings, wanted, Path.home()))])


def _probe(text: str | None) -> HostPort | None:
    """A host, with port 443 where none is given."""
    if text is None:
        return None
    try:
        found = parsers.host_port(text if ":" in text else f"{text}:443")
    except ValueError as problem:
        raise SettingsError(f"--probe: {text!r}: {problem}") from None
    if not found.host:
        raise SettingsError(f"--probe: {text!r}: write HOST:PORT, for example www.example.com:443")
    return found


def _plain(check: Check) -> Iterator[str]:
    yield f"{check.state:<11}  {check.name}: {check.fact}"
    if check.remedy:
        yield f"{'':<11}  -> {check.remedy}"


def _table(checks: list[Check]) -> Table:
    table = Table(show_header=True, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    table.add_column("What", no_wrap=True)
    table.add_column("Found, and what to do", overflow="fold")
    for check in checks:
        remedy = f"\n[cyan]→ {escape(check.remedy)}[/cyan]" if check.remedy else ""
        state = f"[{_COLOURS[check.state]}]{check.state}[/]"
        table.add_row(state, escape(check.name), escape(check.fact) + remedy)
    return table


def _summary(checks: list[Check]) -> str:
    counts = {state: sum(check.state is state for check in checks) for state in State}
    summary = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{summary}. " + ("The proxy can run." if healthy(checks) else "Start with the errors.")
