"""`proxy_addon/doctor/certificates.py`: the CA and who trusts it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from proxy_addon.doctor.certificates import DAY, authority, browser_trust, system_trust
from proxy_addon.doctor.check import Check, State
from proxy_addon.proxy import ca
from tests.e2e.authority import Authority


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA as the proxy makes it."""
    folder = tmp_path_factory.mktemp("ca")
    ca.prepare(folder)
    return folder


@pytest.fixture
def confdir(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "ca"))


def by_name(confdir: Path, now: float | None = None) -> dict[str, Check]:
    """The checks of a CA folder."""
    at = ca.expires(confdir) - 100 * DAY if now is None else now
    return {check.name: check for check in authority(confdir, at)}


def test_none_yet(tmp_path: Path) -> None:
    """Before the first start there is none, and none is made."""
    (check,) = authority(tmp_path / "ca", 0.0)
    assert check.state is State.NOT_CHECKED
    assert list(tmp_path.iterdir()) == []


def test_as_it_is_made(confdir: Path) -> None:
    """All right: mode, days, may sign, key and certificate belong together."""
    found = by_name(confdir)
    assert {name: check.state for name, check in found.items()} == dict.fromkeys(
        ("CA key", "CA validity", "CA", "CA key pair"), State.OK
    )
    assert found["CA validity"].fact.startswith("100 days left")


def test_others_can_read_the_key(confdir: Path) -> None:
    """An error with the command that closes it."""
    ca.key(confdir).chmod(0o640)
    check = by_name(confdir)["CA key"]
    assert check.state is State.ERROR
    assert check.remedy == f"chmod 600 {ca.key(confdir)}"


def test_others_can_read_the_other_file_with_the_key(confdir: Path) -> None:
    """A .p12 file that mitmproxy left there holds the key as well."""
    ca.key(confdir).with_suffix(".p12").touch()
    ca.key(confdir).with_suffix(".p12").chmod(0o644)
    check = by_name(confdir)["CA key"]
    assert (check.state, ".p12" in check.remedy) == (State.ERROR, True)


@pytest.mark.parametrize(
    ("left", "state"), [(29, State.WARNING), (-1, State.ERROR), (31, State.OK)]
)
def test_days_left(confdir: Path, left: int, state: State) -> None:
    """A month before the end there is still time; after it nobody gets to a limited platform."""
    now = ca.expires(confdir) - left * DAY - 1
    assert by_name(confdir, now)["CA validity"].state is state


def test_not_valid_yet(confdir: Path) -> None:
    """A clock that is years behind looks like this."""
    assert by_name(confdir, 0.0)["CA validity"].state is State.ERROR


def test_key_of_another_certificate(confdir: Path, tmp_path: Path) -> None:
    """Files of two backups put together."""
    ca.prepare(tmp_path / "other")
    shutil.copy(ca.key(tmp_path / "other"), ca.key(confdir))
    assert by_name(confdir)["CA key pair"].state is State.ERROR


def test_broken_files(confdir: Path) -> None:
    """Neither a torn key nor a torn certificate is more than an error."""
    ca.key(confdir).write_text("-----BEGIN")
    ca.key(confdir).chmod(0o600)
    assert by_name(confdir)["CA key pair"].state is State.ERROR
    ca.certificate(confdir).write_text("nothing")
    assert by_name(confdir, 0.0)["CA"].state is State.ERROR


def test_a_leaf_is_no_ca(confdir: Path, tmp_path: Path) -> None:
    """The certificate of a web server, put there by mistake."""
    pem = Authority(tmp_path / "authority").leaf_file("proxy.example").read_text()
    leaf = pem[pem.index("-----BEGIN CERTIFICATE") :]
    ca.certificate(confdir).write_text(leaf)
    assert by_name(confdir, 0.0)["CA"].state is State.ERROR


def test_system_trust(confdir: Path, tmp_path: Path) -> None:
    """Found in a bundle among others, whatever the width of its lines; else where to put it."""
    bundle, missing = tmp_path / "bundle.crt", tmp_path / "none.crt"
    bundle.write_text("# public\n" + ca.certificate(confdir).read_text().replace("\n", "\r\n"))
    (check,) = system_trust(confdir, [missing, bundle])
    assert check.state is State.OK
    (check,) = system_trust(confdir, [missing])
    assert (check.state, "update-ca-certificates" in check.remedy) == (State.WARNING, True)
    (check,) = system_trust(confdir)
    assert (
        check.state is State.WARNING
    )  # the stores of this machine do not know a CA of a minute ago
    (check,) = system_trust(tmp_path / "nothing")
    assert check.state is State.NOT_CHECKED


def test_browser_trust(confdir: Path, tmp_path: Path) -> None:
    """The list of Chromium is read by certutil's words; only what may sign counts."""
    (check,) = browser_trust(confdir, tmp_path)
    assert check.state is State.NOT_CHECKED  # no list
    database = tmp_path / ".pki" / "nssdb" / "cert9.db"
    database.parent.mkdir(parents=True)
    database.touch()
    listing = "\nCertificate Nickname    Trust Attributes\n\nOur office CA    C,,\nA site    P,,\n"

    def certutil(words: list[str]) -> str:
        assert words[:4] == ["certutil", "-L", "-d", f"sql:{database.parent}"]
        if "-n" not in words:
            return listing
        assert words[words.index("-n") + 1] == "Our office CA"
        return ca.certificate(confdir).read_text()

    (check,) = browser_trust(confdir, tmp_path, certutil)
    assert (check.state, "Our office CA" in check.fact) == (State.OK, True)
    listing = "Another    P,,"
    (check,) = browser_trust(confdir, tmp_path, certutil)
    assert (check.state, "certutil -A" in check.remedy) == (State.WARNING, True)
    (check,) = browser_trust(tmp_path / "nothing", tmp_path, certutil)
    assert check.state is State.NOT_CHECKED


def test_no_tool(confdir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without certutil it says so, and which package has it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    database = tmp_path / ".pki" / "nssdb" / "cert9.db"
    database.parent.mkdir(parents=True)
    database.touch()
    (check,) = browser_trust(confdir, tmp_path)
    assert (check.state, "libnss3-tools" in check.remedy) == (State.NOT_CHECKED, True)
