"""`proxy_addon/proxy/ca.py`: the certificate authority of the proxy."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509

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
