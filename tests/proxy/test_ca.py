"""`proxy_addon/proxy/ca.py`: the certificate authority of the proxy."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from structlog.testing import capture_logs

from proxy_addon.proxy import ca


def test_made_once(tmp_path: Path) -> None:
    """The first start makes a CA whose key only its owner can read; the next ones keep it."""
    folder = tmp_path / "a" / "ca"
    assert ca.prepare(folder)
    made = ca.certificate(folder).read_bytes()
    assert not ca.prepare(folder)
    assert ca.certificate(folder).read_bytes() == made
    assert stat.S_IMODE(ca.key(folder).stat().st_mode) == 0o600
    assert not (folder / "mitmproxy-ca.p12").exists()  # a second copy of the key
    name = x509.load_pem_x509_certificate(made).subject.rfc4514_string()
    assert "Allowance" in name
    assert b"PRIVATE" not in made


@pytest.mark.parametrize("name", ["mitmproxy-ca.pem", "mitmproxy-ca.p12"])
def test_loose_modes_are_tightened(tmp_path: Path, name: str) -> None:
    """A key that others could read is closed again; also one that mitmproxy had left here
    before."""
    ca.prepare(tmp_path)
    (tmp_path / name).touch()
    (tmp_path / name).chmod(0o644)
    ca.prepare(tmp_path)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """One line that names the setting, the folder and the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ca.CaError, match=r"^confdir: .*file/ca: .*; give a folder that this user can write to$"
    ):
        ca.prepare(tmp_path / "file" / "ca")


def test_trusted(tmp_path: Path) -> None:
    """The office's own CA comes beside the public ones, never in place of them."""
    assert ca.trusted(tmp_path, None) is None
    ca.prepare(tmp_path)
    both = ca.trusted(tmp_path, ca.certificate(tmp_path))
    assert both is not None
    text = both.read_text()
    assert ca.certificate(tmp_path).read_text() in text
    assert text.count("BEGIN CERTIFICATE") > 50
    with pytest.raises(ca.CaError, match=r"^upstream_ca: "):
        ca.trusted(tmp_path, tmp_path / "missing.pem")


def test_trusted_is_always_whole(tmp_path: Path) -> None:
    """A worker that starts never changes the file that another one is reading: the same CAs leave
    it alone, others come in a new file in its place."""
    extra = tmp_path / "extra.pem"
    extra.write_text("one")
    both = ca.trusted(tmp_path, extra)
    assert both is not None
    with both.open() as reading:
        made = both.stat()
        assert ca.trusted(tmp_path, extra) == both
        assert (both.stat().st_ino, both.stat().st_mtime_ns) == (made.st_ino, made.st_mtime_ns)
        extra.write_text("two")
        assert ca.trusted(tmp_path, extra) == both
        assert reading.read().endswith("\none")
        assert both.read_text().endswith("\ntwo")


def test_expires(tmp_path: Path) -> None:
    """When the CA ends is known; a broken file is one line."""
    ca.prepare(tmp_path)
    certificate = x509.load_pem_x509_certificate(ca.certificate(tmp_path).read_bytes())
    assert ca.expires(tmp_path) == certificate.not_valid_after_utc.timestamp()
    ca.certificate(tmp_path).write_text("nonsense")
    with pytest.raises(ca.CaError, match=r"^confdir: "):
        ca.expires(tmp_path)


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, with the content."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    "left",
    [
        "mitmproxy-ca-cert.pem",
        "mitmproxy-ca-cert.cer",
        "mitmproxy-ca-cert.p12",
        "mitmproxy-ca.p12",
    ],
)
def test_a_lost_key_is_no_reason_for_a_new_ca(tmp_path: Path, left: str) -> None:
    """With any file of a CA there, but not its key, the start is refused and nothing is written:
    devices trust the CA whose key is in a backup."""
    (tmp_path / left).write_bytes(b"something")
    with pytest.raises(ca.CaError, match=f"the key is missing, but {left} is there; restore it"):
        ca.prepare(tmp_path)
    assert files(tmp_path) == {left: b"something"}


def test_a_lost_certificate_is_written_again(tmp_path: Path) -> None:
    """The file of the key has it too, so nothing is lost, also when a start was killed in
    between."""
    ca.prepare(tmp_path)
    before = files(tmp_path)
    ca.certificate(tmp_path).unlink()
    (tmp_path / "mitmproxy-dhparam.pem").unlink()
    assert not ca.prepare(tmp_path)
    assert files(tmp_path) == before


def test_a_link_to_nothing_is_not_overwritten(tmp_path: Path) -> None:
    """A volume that is not there yet looks like this."""
    ca.key(tmp_path).symlink_to(tmp_path / "volume" / "key.pem")
    with pytest.raises(ca.CaError, match="No such file"):
        ca.prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mitmproxy-ca.pem"]


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN"])
def test_damaged_files_stay_as_they_are(tmp_path: Path, content: bytes) -> None:
    """Neither file is repaired by guessing."""
    for file in (ca.key(tmp_path), ca.certificate(tmp_path)):
        ca.prepare(tmp_path)
        kept = file.read_bytes()
        file.write_bytes(content)
        with pytest.raises(ca.CaError, match=f"^confdir: {file}: .*; restore the folder"):
            ca.prepare(tmp_path)
        assert file.read_bytes() == content
        file.write_bytes(kept)


def test_damaged_parameters(tmp_path: Path) -> None:
    """The one file that may be made again says so."""
    ca.prepare(tmp_path)
    (tmp_path / "mitmproxy-dhparam.pem").write_bytes(b"rubbish")
    with pytest.raises(ca.CaError, match=r"dhparam\.pem: it is damaged; remove it"):
        ca.prepare(tmp_path)


def test_starts_at_once_make_one_ca(tmp_path: Path) -> None:
    """Six processes that start in an empty folder agree on one CA, and one of them has made it."""
    program = (
        "import sys, pathlib; from proxy_addon.proxy import ca; sys.stdin.read();"
        "folder = pathlib.Path(sys.argv[1]); print(ca.prepare(folder));"
        "print(ca.key(folder).read_bytes().hex())"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "ca")]
    pipe = subprocess.PIPE
    starts = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(6)]
    said = []
    for start in starts:
        assert start.stdin is not None
        start.stdin.close()
    for start in starts:
        assert start.stdout is not None
        with start.stdout:
            said.append(start.stdout.read().split())
        assert start.wait(60) == 0
    assert sorted(made for made, _ in said) == ["False"] * 5 + ["True"]
    assert len({key for _, key in said}) == 1


def test_a_ca_that_ends_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month before the end every start says so; after it none is possible."""
    ca.prepare(tmp_path)
    ends = ca.expires(tmp_path)
    with capture_logs() as logs:
        ca.prepare(tmp_path)
        monkeypatch.setattr(ca, "readings", lambda: (ends - 10 * 86_400 - 5, 0.0))
        ca.prepare(tmp_path)
    assert [(line["event"], line["days"]) for line in logs] == [("the CA ends soon", 10)]
    monkeypatch.setattr(ca, "readings", lambda: (ends, 0.0))
    with pytest.raises(ca.CaError, match="the certificate ended on"):
        ca.prepare(tmp_path)
