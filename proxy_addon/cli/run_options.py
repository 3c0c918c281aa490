"""The options of `allowance run`. Those of `allowance doctor` are the same, for which it need not
import the proxy."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer


def _option(text: str, metavar: str) -> Any:
    return typer.Option(help=text, metavar=metavar, show_default=False)


@dataclass(frozen=True)
class RunOptions:
    """Each is a setting, by the same name; `config` is the file that has the others."""

    rules: Annotated[Path | None, _option("The rules folder. Default: rules", "DIR")] = None
    strict: Annotated[
        bool | None,
        typer.Option("--strict", help="Broken rules: do not start with the last good ones."),
    ] = None
    state: Annotated[
        Path | None,
        _option(
            "What the proxy keeps for itself, such as the last good rules. Default: var", "DIR"
        ),
    ] = None
    database: Annotated[str | None, _option("Default: sqlite:///var/allowance.db", "URL")] = None
    journal: Annotated[
        Path | None,
        _option("Where visits wait while the database is away. Default: journal beside it", "DIR"),
    ] = None
    listen: Annotated[
        str | None, _option("Proxy port. Default: :8080, all addresses", "HOST:PORT")
    ] = None
    web: Annotated[str | None, _option("Web port. Default: 127.0.0.1:8081", "HOST:PORT")] = None
    workers: Annotated[int | None, _option("Processes. Default: 1", "N")] = None
    confdir: Annotated[Path | None, _option("Where the CA is kept. Default: var/ca", "DIR")] = None
    passwords: Annotated[Path | None, _option("Password file. Default: var/passwords", "FILE")] = (
        None
    )
    sign_in: Annotated[str | None, _option("auto, required, optional or off", "MODE")] = None
    upstream_proxy: Annotated[str | None, _option("Reach sites through this proxy", "URL")] = None
    upstream_ca: Annotated[str | None, _option("Trust this CA for sites, too", "FILE")] = None
    resolve: Annotated[
        list[str] | None,
        _option("Send a host elsewhere, as curl does; repeatable", "HOST:PORT=ADDR:PORT"),
    ] = None
    client_networks: Annotated[
        list[str] | None, _option("Networks whose clients are served; repeatable", "NETWORK")
    ] = None
    client_connections: Annotated[
        str | None,
        _option("Connections that one client address may have open. Default: 2000", "NUMBER"),
    ] = None
    connect_ports: Annotated[
        list[str] | None,
        _option("Ports that CONNECT may ask for; repeatable. Default: 443", "PORT"),
    ] = None
    allow_targets: Annotated[
        list[str] | None, _option("Reachable although local; repeatable", "TARGET")
    ] = None
    front_proxies: Annotated[
        list[str] | None, _option("Proxies before us that pass on the user; repeatable", "NETWORK")
    ] = None
    front_proxy_header: Annotated[str | None, _option("Default: X-Forwarded-User", "NAME")] = None
    proxy_protocol: Annotated[
        list[str] | None,
        _option("Balancers that pass on addresses by the PROXY protocol; repeatable", "NETWORK"),
    ] = None
    light_path: Annotated[
        str | None,
        _option("on: traffic that is not limited passes beside mitmproxy; or off", "MODE"),
    ] = None
    uvloop: Annotated[
        str | None, _option("auto, on or off: a faster event loop, where it works", "MODE")
    ] = None
    flush: Annotated[
        str | None, _option("How often the ledger is written. Default: 1s", "TIME")
    ] = None
    drain: Annotated[
        str | None, _option("How long running answers may finish. Default: 10s", "TIME")
    ] = None
    drain_notice: Annotated[
        str | None,
        _option("How long /readyz says 503 before the port closes. Default: 0s", "TIME"),
    ] = None
    log_format: Annotated[str | None, _option("auto, json or console", "FORMAT")] = None
    log_level: Annotated[str | None, _option("debug, info, warning or error", "LEVEL")] = None
    config: Annotated[Path | None, _option("Settings file. Default: allowance.toml", "FILE")] = None


def take_run_options(command: Callable[..., None], *more: inspect.Parameter) -> None:
    """Give a function `(**given)` these options, and some of its own behind them. Typer reads both
    attributes."""
    hints = get_type_hints(RunOptions, include_extras=True)
    options = [
        each.replace(annotation=hints[each.name])
        for each in inspect.signature(RunOptions).parameters.values()
    ]
    signature = inspect.Signature([*options, *more])
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
