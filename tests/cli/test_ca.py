"""Twin of proxy_addon/cli/ca.py."""

from __future__ import annotations

import json
from pathlib import Path

from proxy_addon.proxy import ca
from tests.cli.command_setup import line, run


def test_a_planned_change(tmp_path: Path) -> None:
    """The next CA is made, taken into use, and the one before is kept; both say which certificate
    they mean, and what to do then."""
    folder = tmp_path / "ca"
    assert "`allowance run` makes the first CA" in line("ca", "next", "--confdir", str(folder))
    ca.prepare(folder)
    code, out, _ = run("ca", "next", "--confdir", str(folder))
    assert code == 0
    assert "allowance ca switch" in out
    again = json.loads(run("ca", "next", "--confdir", str(folder), "--json")[1])
    assert again["sha256"] in out
    assert Path(again["certificate"]) == ca.certificate(folder / "next")
    code, out, _ = run("ca", "switch", "--confdir", str(folder))
    assert code == 0
    assert again["sha256"] in out
    assert "The one before is kept" in out
    assert "Restart the proxy now" in out
    assert "there is no CA in it" in line("ca", "switch", "--confdir", str(folder))
    run("ca", "next", "--confdir", str(folder))
    found = json.loads(run("ca", "switch", "--confdir", str(folder), "--json")[1])
    assert ca.key(Path(found["previous"])).exists()
