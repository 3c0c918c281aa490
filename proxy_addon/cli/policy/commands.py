"""`allowance policy …`: the written policy, and who has read it."""

from __future__ import annotations

import typer

from proxy_addon.cli.policy import diff, remind, show, status, texts

app = typer.Typer(help="The written policy: texts, and who has read them.", no_args_is_help=True)


@app.callback()
def policy() -> None:
    """The written policy: texts, and who has read them."""


app.command("show")(show.show)
app.command("status")(status.status)
app.command("list")(texts.show_list)
app.command("diff")(diff.diff)
app.command("remind")(remind.remind)
