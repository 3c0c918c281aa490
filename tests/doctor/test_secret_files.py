"""`proxy_addon/doctor/secret_files.py`: passwords and the key of the pseudonyms."""

from __future__ import annotations

from pathlib import Path

from proxy_addon.doctor.check import State
from proxy_addon.doctor.secret_files import passwords, pseudonyms
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.identity.pseudonyms import read_key


def test_nobody_yet(tmp_path: Path) -> None:
    """No file is fine, unless sign-in is required."""
    assert [each.state for each in passwords(tmp_path / "p", "auto")] == [State.NOT_CHECKED]
    assert [each.state for each in passwords(tmp_path / "p", "required")] == [State.ERROR]
    assert list(tmp_path.iterdir()) == []


def test_people(tmp_path: Path) -> None:
    """Counted; a file that others can read, a broken one and one for nothing are told."""
    file = tmp_path / "p"
    PasswordFile(file).add("ana", "a long password")
    (check,) = passwords(file, "auto")
    assert (check.state, check.fact) == (State.OK, "1 person can sign in, mode 0600")
    assert [each.state for each in passwords(file, "off")] == [State.WARNING]
    file.chmod(0o644)
    (check,) = passwords(file, "auto")
    assert (check.state, check.remedy) == (State.ERROR, f"chmod 600 {file}")
    file.write_text("what is this\n")
    file.chmod(0o600)
    assert [each.state for each in passwords(file, "auto")] == [State.ERROR]
    file.write_text("")
    assert [each.state for each in passwords(file, "required")] == [State.ERROR]


def test_key_of_the_pseudonyms(tmp_path: Path) -> None:
    """Looked at where the policy wants pseudonyms, and never made."""
    file = tmp_path / "key"
    assert list(pseudonyms(file, wanted=False)) == []
    assert [each.state for each in pseudonyms(file, wanted=True)] == [State.NOT_CHECKED]
    assert not file.exists()
    read_key(file, make=True)
    assert [each.state for each in pseudonyms(file, wanted=True)] == [State.OK]
    file.chmod(0o640)
    assert [each.state for each in pseudonyms(file, wanted=True)] == [State.ERROR]
