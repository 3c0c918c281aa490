"""`proxy_addon/runtime/script_addon.py`: the add-on under somebody else's mitmproxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from proxy_addon.runtime.script_addon import ScriptAddon
from tests.proxy.harness import PAGE, ProxyHarness, request


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings come from the environment and the folder, as under mitmdump."""
    ProxyHarness(tmp_path).close()
    monkeypatch.chdir(tmp_path)
    for name, value in (
        ("DATABASE", "sqlite:///a.db"),
        ("CONFDIR", "ca"),
        ("RULES", "rules"),
        ("FLUSH", "50ms"),
    ):
        monkeypatch.setenv(f"ALLOWANCE_{name}", value)
    yield tmp_path


async def test_life(folder: Path) -> None:
    """Loaded, running, done: the hooks decide, the options fit, and what was spent is in the
    ledger."""
    script, server = ScriptAddon(), Proxyserver()
    with taddons.context(server) as tctx:
        tctx.configure(server, mode=[])
        tctx.master.addons.add(script)
        assert tctx.options.connection_strategy == "lazy"
        addon, _, counts = script.addons
        assert tctx.master.addons.get("allowance_traffic") is counts
        assert tctx.master.addons.get("allowance") is addon
        script.running()
        flow = request("http://www.tiktok.com/", headers=PAGE)
        await addon.requestheaders(flow)
        assert flow.response is not None
        assert flow.response.headers["X-Allowance-Reason"] == "blocked"
        script.done()
    assert (folder / "a.db").exists()


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("ALLOWANCE_RULES", "nowhere", "nowhere"),
        ("ALLOWANCE_FLUSH", "soon", "ALLOWANCE_FLUSH: flush: 'soon'"),
    ],
)
def test_what_cannot_be_loaded(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    says: str,
) -> None:
    """mitmdump ends with status 1 and our message: it must not run on without us."""
    monkeypatch.setenv(variable, value)
    with taddons.context() as tctx, pytest.raises(SystemExit) as end:
        tctx.master.addons.add(ScriptAddon())
    assert end.value.code == 1
    assert says in capsys.readouterr().err


def test_never_loaded() -> None:
    """`running` and `done` after a failed load do nothing."""
    script = ScriptAddon()
    with taddons.context():
        script.running()
    script.done()
