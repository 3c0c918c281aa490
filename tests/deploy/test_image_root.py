"""The image, built and started without an engine by `deploy/image_root.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.image_root import SKIPPED
from tests.deploy.compose import ROOT
from tests.deploy.reports import reported

# Accounts are the one thing besides our own folders that is added to the base image.
ACCOUNTS = {
    f"etc/{name}{copy}"
    for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
    for copy in ("", "-")
}


pytestmark = pytest.mark.long  # half a minute to build it, half a minute to run it


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script reports; it fails by itself when the proxy does not become healthy."""
    report = tmp_path_factory.mktemp("image") / "report.json"
    return reported([sys.executable, str(ROOT / "deploy" / "image_root.py")], report)


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["alone", "with_workers"])
def test_the_image_runs_sealed(found: dict[str, Any], how: str) -> None:
    """As its own user, with no capability left and a root that is read-only, it serves and ends in
    order."""
    run = found[how]
    print(f"{found['bytes'] / 1e6:.0f} MB, healthy after {run['healthy_after']} s")
    assert run["status"] == {
        "Uid": "10001",
        "Gid": "10001",
        "CapEff": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
    }
    assert run["page"]
    assert run["metrics"]
    assert run["exit_code"] == 0


@pytest.mark.e2e
def test_the_image_is_small(found: dict[str, Any]) -> None:
    """It adds our own folders and an account to its base, no tools for building, and bounded
    bytes."""
    assert set(found["added"]) - ACCOUNTS - {"etc/.pwd.lock"} == {
        "etc/allowance",
        "opt/allowance",
        "var/lib",
    }
    assert found["bytes"] < 260e6
    assert found["version"].startswith("Allowance ")
    assert found["rules"].endswith("the rules are valid")


@pytest.mark.e2e
def test_all_is_written_in_the_volume(found: dict[str, Any]) -> None:
    """CA, ledger, its id, journal and the kept rules lie where a volume is mounted."""
    names = ("allowance.db", "ca", "journal", "last-good-rules", "ledgers.json")
    assert found["written"] == [f"0/{name}" for name in names]


def test_the_script_says_where_it_cannot_work(tmp_path: Path) -> None:
    """Without the right to mount it ends with a code of its own, which is not a failure."""
    source = (
        f"import os, sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom deploy import image_root\n"
        "sys.argv = ['image_root.py']\nif os.geteuid() == 0:\n    os.setuid(65534)\n"
        "raise SystemExit(image_root.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr.strip()) == (
        SKIPPED,
        "not permitted here: only root can mount",
    )
