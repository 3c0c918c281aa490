"""`allowance rules schema`; what the schemas say is tested in tests/rules/test_schema.py."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from proxy_addon.cli.rules.commands import app
from proxy_addon.cli.rules.schema import KINDS, text_of


def test_the_command_prints_one_or_all() -> None:
    """One kind as it is shipped, all of them by name, and a word about a kind that there is not."""
    run = CliRunner().invoke
    assert run(app, ["schema", "people"]).stdout == text_of("people")
    everything: dict[str, Any] = json.loads(run(app, ["schema"]).stdout)
    assert tuple(everything) == KINDS
    wrong = run(app, ["schema", "persons"])
    assert (wrong.exit_code, "policy, people, platform, tests" in wrong.output) == (2, True)
