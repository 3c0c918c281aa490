"""`allowance ca next|switch`: a planned change of the CA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from proxy_addon.cli.common import AsJson, Config, exit_with, print_json, say
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.config.settings import load_settings
from proxy_addon.proxy import ca, ca_change

app = typer.Typer(help="Change the CA: make the next one, take it into use.", no_args_is_help=True)

ConfDir = Annotated[
    Path | None,
    typer.Option("--confdir", metavar="DIR", help="Where the CA is kept. Default: var/ca"),
]


@app.command("next")
def make_next(confdir: ConfDir = None, config: Config = None, as_json: AsJson = False) -> None:
    """Make a second CA that stands ready, or check the one that is there. Nothing is signed with
    it.

    After a restart the proxy offers its certificate beside the first one.
    """
    with _folder(confdir, config) as folder:
        certificate = ca_change.make(folder)
        signs = ca_change.fingerprint(certificate)
    if as_json:
        print_json({"certificate": str(certificate), "sha256": signs})
        return
    say(
        f"Ready: {certificate}\n  SHA-256 {signs}\n"
        "Restart the proxy: then it offers this certificate, too. Once all devices have it:\n"
        "  allowance ca switch"
    )


@app.command("switch")
def switch(confdir: ConfDir = None, config: Config = None, as_json: AsJson = False) -> None:
    """Put the next CA into the place of the first one, whose files are kept.

    It is used from the next start of the proxy on.
    """
    with _folder(confdir, config) as folder:
        kept = ca_change.switch(folder)
        signs = ca_change.fingerprint(ca.certificate(folder))
    if as_json:
        print_json({"sha256": signs, "previous": None if kept is None else str(kept)})
        return
    before = "" if kept is None else f"\nThe one before is kept: {kept}"
    say(
        f"In use from the next start on: SHA-256 {signs}{before}\n"
        "Restart the proxy now: a worker that is replaced before that signs with it already."
    )


@contextmanager
def _folder(confdir: Path | None, config: Path | None) -> Iterator[Path]:
    """Of the CA; what is wrong with it is one line."""
    given = {} if confdir is None else {"confdir": confdir}
    with one_line_errors():
        try:
            yield load_settings(given, config).confdir
        except ca.CaError as error:
            exit_with(error)
