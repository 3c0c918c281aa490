"""The command `allowance`. A sub-command is imported when it is asked for, so that each starts quickly."""

from __future__ import annotations

import typer

from proxy_addon.cli import grant, people, rules, run, usage

app = typer.Typer(
    name="allowance",
    help="A fair social media allowance for everybody in the office.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("usage")(usage.usage)
app.command("grant")(grant.grant)
app.add_typer(rules.app, name="rules")
app.add_typer(people.app, name="people")
