"""Twin of proxy_addon/proxy/ca_copy.py: workers have a CA when its files cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.proxy import ca, ca_copy


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A CA, and a CA of the office that sites are checked with."""
    ca.prepare(tmp_path / "ca")
    office = tmp_path / "office.pem"
    office.write_bytes(ca.certificate(tmp_path / "ca").read_bytes())
    return load_settings({"confdir": tmp_path / "ca", "upstream_ca": office})


def test_the_copy_is_the_same_ca(settings: Settings, tmp_path: Path) -> None:
    """Its key and its certificate, for its owner alone; sites are checked with what they were
    checked with, although all files are gone."""
    assert ca_copy.with_copy(settings, tmp_path / "shared") is None
    ca_copy.keep(settings, tmp_path / "shared")
    trusted = ca.trusted(settings.confdir, settings.upstream_ca)
    assert trusted is not None
    pem = trusted.read_text()
    copied = ca_copy.with_copy(settings, tmp_path / "shared")
    assert copied is not None
    for file in (ca.key, ca.certificate):
        assert file(copied.confdir).read_bytes() == file(settings.confdir).read_bytes()
        assert file(copied.confdir).stat().st_mode & 0o077 == 0
    assert settings.upstream_ca is not None
    settings.upstream_ca.unlink()
    assert ca.prepare(copied.confdir, makes=False) is False
    both = ca.trusted(copied.confdir, copied.upstream_ca)
    assert both is not None and pem in both.read_text()


def test_a_damaged_ca_is_not_copied(settings: Settings, tmp_path: Path) -> None:
    """The copy of before stays."""
    ca_copy.keep(settings, tmp_path / "shared")
    before = ca.key(tmp_path / "shared" / ca_copy.FOLDER).read_bytes()
    ca.key(settings.confdir).write_text("damaged")
    with pytest.raises(ca.CaError):
        ca_copy.keep(settings, tmp_path / "shared")
    assert ca.key(tmp_path / "shared" / ca_copy.FOLDER).read_bytes() == before


def test_a_worker_makes_no_ca(tmp_path: Path) -> None:
    """Devices would distrust what it signs: a folder that was removed is said, and stays away."""
    with pytest.raises(ca.CaError, match="there is no CA any more"):
        ca.prepare(tmp_path / "ca", makes=False)
    assert not (tmp_path / "ca").exists()
