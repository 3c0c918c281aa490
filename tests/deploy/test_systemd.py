"""`deploy/systemd`: systemd takes the unit, finds little to attack, and it fits what the proxy
does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from proxy_addon.config.settings import load_settings, unknown_variables
from proxy_addon.runtime import supervisor
from tests.deploy.compose import ROOT

FOLDER = ROOT / "deploy" / "systemd"
UNIT = FOLDER / "allowance.service"
PROGRAM = "/opt/allowance/bin/allowance"
EXPOSURE = 2.0  # of ten, by systemd's own reckoning


def lines() -> list[tuple[str, str]]:
    """Every setting of the unit, in order."""
    text = UNIT.read_text("utf-8")
    return [(name, value) for name, value in re.findall(r"^(\w+)=(.*)$", text, re.M)]


def setting(name: str) -> str:
    """One that occurs once."""
    [value] = [value for each, value in lines() if each == name]
    return value


def seconds(name: str) -> float:
    """One that is a time."""
    return float(setting(name).removesuffix("s"))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit as it would lie on a machine that has the program."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace(PROGRAM, "/bin/true"))
    return unit


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd's own tool."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_systemd_takes_it(installed: Path) -> None:
    """No unknown key, no value that it cannot read, no complaint."""
    done = analyze("verify", str(installed))
    ours = [line for line in done.stderr.splitlines() if "allowance" in line]
    assert (done.returncode, ours) == (0, [])


def test_there_is_little_to_attack(installed: Path) -> None:
    """systemd's reckoning of what the service could do to its machine stays below two of ten."""
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE * 10:g}", str(installed))
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old to look at a file")
    assert done.returncode == 0, done.stdout
    found = re.search(r"exposure level for allowance\.service: ([\d.]+)", done.stdout)
    assert found
    print(f"exposure {found[1]}")
    assert float(found[1]) < EXPOSURE


def test_systemd_is_notified_when_the_proxy_is_ready_and_alive() -> None:
    """The unit asks for what the proxy sends; a stuck worker is replaced before everything is
    restarted."""
    assert setting("Type") == "notify"
    assert seconds("WatchdogSec") > supervisor.STUCK_TIMEOUT + supervisor.READY_TIMEOUT
    assert setting("ExecReload") == "/bin/kill -HUP $MAINPID"
    assert setting("Restart") == "always"


def test_the_end_is_not_hurried() -> None:
    """One signal to the main process, and time for what runs; a second signal would cut it
    short."""
    assert setting("KillMode") == "mixed"
    drain = load_settings({}, ROOT / "deploy" / "allowance.toml").drain
    assert seconds("TimeoutStopSec") > 2 * drain + 5  # answers first, then the writer's last rows


def test_it_writes_where_its_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that systemd makes and leaves writable is the one that allowance.toml names."""
    assert (setting("StateDirectory"), setting("StateDirectoryMode")) == ("allowance", "0700")
    settings = load_settings({}, ROOT / "deploy" / "allowance.toml")
    assert str(settings.state) == setting("WorkingDirectory") == "/var/lib/allowance"
    assert str(settings.rules.parent) == f"/etc/{setting('ConfigurationDirectory')}"
    variables = dict(value.split("=", 1) for name, value in lines() if name == "Environment")
    assert variables["ALLOWANCE_CONFIG"] == "/etc/allowance/allowance.toml"
    assert unknown_variables(variables) == []
    assert setting("ProtectSystem") == "strict"


def test_the_command_line_has_the_same_settings() -> None:
    """What an administrator types sees what the service sees, as the same user."""
    script = (FOLDER / "allowance-admin").read_text("utf-8")
    for name, value in lines():
        if name == "Environment" and not value.startswith("PYTHON"):
            assert value in script
    assert f"-u {setting('User')} -- {PROGRAM}" in script
    subprocess.run(["sh", "-n", str(FOLDER / "allowance-admin")], check=True)


def test_the_user_can_be_made(tmp_path: Path) -> None:
    """systemd-sysusers understands the line, and makes the user that the unit names, who cannot
    sign in."""
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("no systemd-sysusers here")
    (tmp_path / "etc").mkdir()
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", "-"],
        input=(FOLDER / "allowance.sysusers").read_text("utf-8"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "etc" / "passwd").read_text()
    assert re.search(rf"^{setting('User')}:.*:/var/lib/allowance:\S*nologin$", made, re.M), made
