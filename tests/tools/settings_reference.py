"""Writes docs/settings.md from proxy_addon/config/settings.py: `make docs`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from proxy_addon.cli.run import run
from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import Settings

FILE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
HEAD = """# Settings

What is decided outside the rules. Each setting has one name, in three spellings:

| where | how | for example |
|---|---|---|
| a flag of `allowance run` (and of other commands, where they need it) | `--name` | `--drain 30s` |
| the environment | `ALLOWANCE_NAME` | `ALLOWANCE_DRAIN=30s` |
| `allowance.toml` in the working folder, or the file of `--config` or `ALLOWANCE_CONFIG` | `name` | `drain = "30s"` |

A flag wins over the environment, the environment over the file, the file over the default. Lists take the flag several
times, or commas in the environment, or a list in the file. In the file a name may be written with `-` or `_`. An
unknown key or an invalid value stops the command with a line that names the place and how to fix it;
a variable `ALLOWANCE_…` that is not a setting is ignored (`allowance doctor` reports it). Relative paths are relative
to the working folder. A time is written as `500ms`, `10s` or `2m`.
Settings are read once, at start-up; only rules can change while the proxy is running.

What most offices set is shown in [deployment.md](deployment.md). This page is generated from the program: `make docs`.

| flag | environment | key | default | meaning |
|---|---|---|---|---|
"""
MEANINGS = {
    "rules": "The folder with the rule files; see [rules.md](rules.md).",
    "strict": "If the rules are broken: stop, instead of starting with the last good ones.",
    "state": "What the proxy keeps for itself: the last good rules, and which ledger was last seen at which address.",
    "database": "The database of the ledger: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.",
    "listen_database": "With a pooler in `database`: the URL of the Postgres server itself, to hear at once"
    " what other proxies write; see [deployment.md](deployment.md#behind-pgbouncer).",
    "journal": "Where visits wait on disk while the database is away. Without it: the folder `journal` beside the"
    " SQLite file, or `var/journal` for Postgres.",
    "listen": "The proxy port. Without a host, or with `*`: all addresses, IPv4 and IPv6. Port 0: any free one.",
    "web": "The web port: health, metrics, `proxy.pac`, the CA certificate.",
    "workers": "Proxy processes that share the port, 1 to 64; see [deployment.md](deployment.md#several-workers).",
    "confdir": "The folder of the CA and its key, created at the first start.",
    "passwords": "The password file of people who sign in to the proxy.",
    "pseudonym_key": "The pseudonym key, for `privacy: {pseudonyms: true}`; see"
    " [privacy.md](privacy.md#pseudonyms).",
    "sign_in": "`auto`, `required`, `optional` or `off`; see [identity.md](identity.md#sign-in).",
    "upstream_proxy": "Reach sites through this proxy: `http://[USER:PASSWORD@]HOST[:PORT]`, or `https://`.",
    "upstream_ca": "A PEM file with a CA that is trusted for sites, in addition to the public ones.",
    "resolve": "A list of `HOST:PORT=ADDRESS:PORT`: connect there instead, similar to `curl --connect-to`;"
    " `*` is every host.",
    "client_networks": "A list of networks whose clients are served; all others are disconnected.",
    "client_connections": "How many connections one client address may have open in a process, from 32; more are"
    " refused (429). Front proxies may have any number. More than 60 people behind one address (a terminal server) need"
    " more.",
    "connect_ports": "A list of the ports that are permitted for CONNECT.",
    "allow_targets": "A list of guarded targets that may be reached anyway: host, address, network, `HOST:PORT`;"
    " see [identity.md](identity.md#what-may-be-reached).",
    "front_proxies": "A list of the networks of proxies in front of this one, which are trusted to name the user.",
    "front_proxy_header": "The header in which they pass on the user's name; empty: only `Proxy-Authorization`.",
    "proxy_protocol": "A list of the networks of balancers that pass on the client's address with the PROXY protocol,"
    " version 1 or 2. From them a header is required, from everybody else one is refused.",
    "light_path": "`on`: traffic about which nothing has to be decided is relayed beside mitmproxy, with a fraction"
    " of the CPU and memory. `off`: all of it goes through mitmproxy.",
    "uvloop": "`auto`: the event loop of uvloop, which needs less CPU, where it is installed and does what the proxy"
    " relies on; else the one of Python, which a line of the log says. `on`: the same, and the line is a warning."
    " `off`: that of Python.",
    "decision_log": "A folder for the decision log: which answer each person got, by which rule. Without it: off; see"
    " [logs.md](logs.md#the-decision-log).",
    "decision_log_sample": "The share of requests that it records, from `0` to `1`, or a percentage such as `10%`.",
    "decision_log_days": "For how many days its lines are kept at most, 1 to 3650.",
    "flush": "How often visits are written to the ledger, from every 50ms to every 60s.",
    "drain": "How long responses in progress may take to finish after SIGTERM, up to 3600s.",
    "drain_notice": "How long after SIGTERM `/readyz` says 503 while new connections are still accepted, so that a"
    " balancer can send them elsewhere, up to 3600s.",
    "log_format": "`json`, `console`, or `auto`: console on a terminal, JSON elsewhere.",
    "log_level": "`debug`, `info`, `warning` or `error`.",
}
SHOWN = {
    "client_networks": "loopback and private networks",
    "journal": "see there",
    "decision_log_sample": "`1`",
}


def flags() -> dict[str, str]:
    """The help of each flag of `allowance run`, by the setting's name."""
    found = {}
    for name, parameter in inspect.signature(run).parameters.items():
        annotation = inspect.get_annotations(run, eval_str=True)[name]
        found[name] = next(
            each.help or "" for each in annotation.__metadata__ if hasattr(each, "help")
        )
        assert parameter.default is None, f"{name}: its default has to come from Settings"
    return found


def text() -> str:
    """The page. Settings without a sentence in MEANINGS get the help of their flag."""
    helps = flags()
    return HEAD + "".join(_row(name, field, helps) for name, field in Settings.model_fields.items())


def _row(name: str, field: Any, helps: dict[str, str]) -> str:
    meaning = MEANINGS.get(name) or helps[name]
    flag = f"`--{name.replace('_', '-')}`" if name in helps else ""
    default = SHOWN.get(name) or _shown(field.default)
    return f"| {flag} | `ALLOWANCE_{name.upper()}` | `{name}` | {default} | {meaning} |\n"


def _shown(value: Any) -> str:
    """A default as it would be written."""
    if isinstance(value, HostPort):
        return f"`{value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}s`"
    if isinstance(value, tuple):
        return f"`{', '.join(map(str, value))}`" if value else "none"
    return "none" if value is None else f"`{value}`"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
