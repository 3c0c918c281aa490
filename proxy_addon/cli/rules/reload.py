"""`allowance rules reload`: have the running proxy read its rules now, and show the result."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import typer

from proxy_addon.cli.common import AsJson, Config, Web, exit_with, print_json, say
from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import SettingsError, load_settings

SECONDS = 60.0  # tests of rules may take a while


def reload(web: Web = None, config: Config = None, as_json: AsJson = False) -> None:
    """Apply the rules folder now. Exit code 1, with every problem, if the old rules have to
    stay."""
    try:
        port = load_settings({"web": web}, config).web
    except SettingsError as error:
        exit_with(error)
    answer = _ask(port.from_here)
    if as_json:
        print_json(answer)
    else:
        _print_outcome(answer)
    raise typer.Exit(0 if answer["ok"] else 1)


def _print_outcome(answer: dict[str, Any]) -> None:
    version = str(answer["digest"])[:12]
    if not answer["ok"]:
        for problem in answer["problems"]:
            say(problem, err=True)
        say(f"The old rules stay in force (version {version}).", err=True)
    else:  # also when the watcher was quicker than whoever typed this
        say(f"These rules are in force (version {version}).")
        for warning in answer.get("warnings", ()):
            say(f"warning: {warning}", err=True)


def _ask(port: HostPort) -> dict[str, Any]:
    """What the proxy answers. Exits with 1 and one line when it does not."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"http://{port}/api/reload", method="POST", data=b"")
    try:
        with direct.open(request, timeout=SECONDS) as response:
            answer, why = _read(response.read()), "that is not our proxy"
    except urllib.error.HTTPError as error:
        answer, why = _read(error.read()), f"status {error.code}; is this the proxy's web port?"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        words = getattr(reason, "strerror", None) or reason
        answer, why = {}, f"{words}; is the proxy running, and is this its web port?"
    if not {"ok", "changed", "digest", "problems"} <= answer.keys():
        exit_with(f"http://{port}: {answer.get('detail') or why}")
    return answer


def _read(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
