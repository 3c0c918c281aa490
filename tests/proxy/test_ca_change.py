"""`proxy_addon/proxy/ca_change.py`: a second CA stands ready, and takes the place of the first."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from proxy_addon.proxy import ca, ca_change
from proxy_addon.system.clock import readings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA in use, and one that stands ready."""
    folder = tmp_path_factory.mktemp("both")
    ca.prepare(folder)
    ca_change.make(folder)
    return folder


@pytest.fixture
def confdir(made: Path, tmp_path: Path) -> Path:
    """The same, for one test."""
    return Path(shutil.copytree(made, tmp_path / "ca"))


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in files}


def test_it_stands_ready(confdir: Path) -> None:
    """A whole CA in a folder of its own, which the first one does not notice; made once."""
    place = ca_change.folder(confdir)
    assert stat.S_IMODE(ca.key(place).stat().st_mode) == 0o600
    before = content(confdir)
    assert ca_change.make(confdir) == ca.certificate(place)
    found = ca_change.find(confdir)
    assert found.pem == ca.certificate(place).read_bytes()
    assert found.expires == ca.expires(place)
    assert found.pem != ca.certificate(confdir).read_bytes()
    assert ca_change.fingerprint(ca.certificate(place)).count(":") == 31
    assert not ca.prepare(confdir)
    assert content(confdir) == before


def test_none_stands_ready(tmp_path: Path) -> None:
    """Without the folder there is none, and nothing to switch to: one line with the way out."""
    ca.prepare(tmp_path)
    assert ca_change.find(tmp_path) == ca_change.NextCa()
    before = content(tmp_path)
    with pytest.raises(ca.CaError, match=r"^confdir: .*/next: there is no CA in it; make one: "):
        ca_change.switch(tmp_path)
    assert content(tmp_path) == before
    with pytest.raises(ca.CaError, match=r"makes the first CA at its first start$"):
        ca_change.make(tmp_path / "nowhere")


def swapped_keys(confdir: Path) -> None:
    """The key of the CA in use."""
    shutil.copy(ca.key(confdir), ca.key(ca_change.folder(confdir)))


def no_key(confdir: Path) -> None:
    """Its key is lost."""
    ca.key(ca_change.folder(confdir)).unlink()


def no_certificate(confdir: Path) -> None:
    """Its certificate is lost."""
    ca.certificate(ca_change.folder(confdir)).unlink()


def damaged(confdir: Path) -> None:
    """Half a key."""
    key = ca.key(ca_change.folder(confdir))
    key.write_bytes(key.read_bytes()[:200])


@pytest.mark.parametrize("harm", [swapped_keys, no_key, no_certificate, damaged])
def test_one_that_cannot_be_used(confdir: Path, harm: Callable[[Path], None]) -> None:
    """It is not offered, said in the log and not taken into use; the CA in use serves as before,
    and no file is changed."""
    harm(confdir)
    before = content(confdir)
    with capture_logs() as logs:
        found = ca_change.find(confdir)
    assert (found.pem, bool(found.problem)) == (b"", True)
    (line,) = logs
    assert line["event"] == "the next CA cannot be used"
    assert "next/mitmproxy-ca" in line["error"]
    with pytest.raises(ca.CaError, match="next/mitmproxy-ca"):
        ca_change.switch(confdir)
    assert content(confdir) == before
    ca.checked(confdir)


def test_switch(confdir: Path) -> None:
    """The next CA is the one in use, the one before is kept whole, and nothing stands ready any
    more. The way back is the same step."""
    first, second = ca.checked(confdir), ca.checked(ca_change.folder(confdir))
    kept = ca_change.switch(confdir)
    assert kept is not None
    assert ca.checked(confdir) == second
    assert ca.checked(kept) == first
    assert stat.S_IMODE(ca.key(kept).stat().st_mode) == 0o600
    assert not ca_change.folder(confdir).exists()
    assert ca_change.find(confdir) == ca_change.NextCa()
    assert not ca.prepare(confdir)
    kept.rename(ca_change.folder(confdir))
    assert ca_change.switch(confdir) is not None
    assert ca.checked(confdir) == first


def below(root: tuple[ec.EllipticCurvePrivateKey, x509.Certificate], folder: Path) -> None:
    """A CA of the office's root, which is what devices trust."""
    key, certificate = signed("Proxy CA", root)
    folder.mkdir(exist_ok=True)
    pem, top = certificate.public_bytes(Encoding.PEM), root[1].public_bytes(Encoding.PEM)
    own = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    ca.key(folder).write_bytes(own + pem + top)
    ca.certificate(folder).write_bytes(top)


def signed(
    name: str, above: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None = None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """The key and the certificate of a CA, of its own or of one above it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.fromtimestamp(readings()[0], UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        above[1].subject if above else subject,
        subject,
        key.public_key(),
        x509.random_serial_number(),
        now - timedelta(1),
        now + timedelta(900),
    ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return key, builder.sign(above[0] if above else key, SHA256())


def test_every_key_is_kept(tmp_path: Path) -> None:
    """Switching from year to year below one root, of which devices know nothing but the root: each
    key that was in use is kept, in a folder of its own."""
    root, confdir = signed("Office Root"), tmp_path / "ca"
    below(root, confdir)
    keys = [ca.key(confdir).read_bytes()]
    for _ in range(3):
        below(root, ca_change.folder(confdir))
        keys.append(ca.key(ca_change.folder(confdir)).read_bytes())
        kept = ca_change.switch(confdir)
        assert kept is not None
        assert ca.key(kept).read_bytes() == keys[-2]
    found = {each.read_bytes() for each in confdir.rglob(ca.key(confdir).name)}
    assert found == set(keys)


def test_the_same_one_is_not_another(confdir: Path) -> None:
    """A CA that is in use already cannot stand ready, and nothing is switched."""
    place = ca_change.folder(confdir)
    for file in ca.found(confdir):
        shutil.copy(file, place / file.name)
    before = content(confdir)
    for step in (ca_change.make, ca_change.switch):
        with pytest.raises(ca.CaError, match="this CA is the one in use; remove the folder"):
            step(confdir)
    assert content(confdir) == before


def test_what_is_kept_is_a_copy(confdir: Path) -> None:
    """Something else in its place ends the switch before anything is changed."""
    kept = Path(shutil.copytree(confdir, confdir.with_name("try")))
    name = ca_change.switch(kept)
    assert name is not None
    (confdir / name.name).mkdir()
    (confdir / name.name / ca.key(confdir).name).write_text("something else")
    before = content(confdir)
    with pytest.raises(ca.CaError, match="it is not a copy of"):
        ca_change.switch(confdir)
    assert content(confdir) == before


def test_switch_away_from_a_broken_one(confdir: Path) -> None:
    """Where the key of the CA in use is lost, the next one saves the day; what is left of the first
    is kept."""
    ca.key(confdir).unlink()
    second = ca.checked(ca_change.folder(confdir))
    kept = ca_change.switch(confdir)
    assert kept is not None
    assert [each.name for each in kept.iterdir()] == ["mitmproxy-ca-cert.pem"]
    assert ca.checked(confdir) == second


class KilledError(BaseException):
    """Ends a switch as a signal would."""


@pytest.mark.parametrize("name", ["unlink", "replace", "link", "rmdir"])
@pytest.mark.parametrize("turn", range(4))
def test_ended_half_way(
    confdir: Path, monkeypatch: pytest.MonkeyPatch, name: str, turn: int
) -> None:
    """Wherever a switch is ended, a start finds one of the two CAs, whole, and the next switch
    completes it."""
    first, second = ca.checked(confdir), ca.checked(ca_change.folder(confdir))
    real, calls = getattr(os, name), iter(range(100))

    def call(*args: object, **kwargs: object) -> object:
        if next(calls) == turn:
            raise KilledError
        return real(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(os, name, call)
        with suppress(KilledError):
            ca_change.switch(confdir)
    started = Path(shutil.copytree(confdir, confdir.with_name("started")))
    assert not ca.prepare(started)
    assert ca.checked(started) in (first, second)
    for folder in (confdir, started):
        if ca.found(ca_change.folder(folder)):
            ca_change.switch(folder)
        assert not ca.prepare(folder)
        assert ca.checked(folder) == second


def test_another_user(confdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that the proxy could not read are not made."""
    monkeypatch.setattr(os, "geteuid", lambda: confdir.stat().st_uid + 1)
    for step in (ca_change.make, ca_change.switch):
        with pytest.raises(ca.CaError, match="run this as the proxy's own user"):
            step(confdir)
