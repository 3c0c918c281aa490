"""`allowance rules …`: the rule files, before they go into force."""

from __future__ import annotations

import typer

from proxy_addon.cli import (
    rules_check,
    rules_diff,
    rules_explain,
    rules_reload,
    rules_schema,
    rules_test,
)

app = typer.Typer(help="Check, test and explain the rule files.", no_args_is_help=True)


@app.callback()
def rules() -> None:
    """Check, test and explain the rule files."""


app.command("check")(rules_check.check)
app.command("schema")(rules_schema.schema)
app.command("test")(rules_test.test)
app.command("reload")(rules_reload.reload)
app.command("explain")(rules_explain.explain)
app.command("diff")(rules_diff.diff)
