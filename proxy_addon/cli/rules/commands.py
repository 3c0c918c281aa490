"""`allowance rules …`: the rule files, before they go into force."""

from __future__ import annotations

import typer

from proxy_addon.cli.rules import check, diff, explain, reload, run_tests, schema

app = typer.Typer(help="Check, test and explain the rule files.", no_args_is_help=True)


@app.callback()
def rules() -> None:
    """Check, test and explain the rule files."""


app.command("check")(check.check)
app.command("schema")(schema.schema)
app.command("test")(run_tests.test)
app.command("reload")(reload.reload)
app.command("explain")(explain.explain)
app.command("diff")(diff.diff)
