"""`proxy_addon/proxy/ca_check.py`: every way in which the files of a CA can be wrong; openssl has
made them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from proxy_addon.proxy.ca_check import CaError, check
from proxy_addon.system.clock import readings

DAY = 86_400.0
CA = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
LEAF = ("basicConstraints=critical,CA:FALSE",)
RSA = ("rsa:2048",)
EC = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


class Pair(NamedTuple):
    """A key and its certificate, PEM."""

    key: str
    certificate: str


def openssl(*words: str, given: str = "") -> str:
    """What the command writes."""
    done = subprocess.run(
        ["openssl", *words], input=given, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def pair(
    folder: Path,
    name: str,
    kind: tuple[str, ...] = RSA,
    extensions: tuple[str, ...] = CA,
    issuer: Pair | None = None,
    days: int = 100,
) -> Pair:
    """A new one, signed by its issuer or by itself."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    words = ["req", "-x509", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}", "-days", str(days)]
    words += ["-keyout", str(key), "-out", str(certificate)]
    words += [word for each in extensions for word in ("-addext", each)]
    if issuer is not None:
        (folder / "issuer.key").write_text(issuer.key)
        (folder / "issuer.crt").write_text(issuer.certificate)
        words += ["-CA", str(folder / "issuer.crt"), "-CAkey", str(folder / "issuer.key")]
    openssl(*words)
    return Pair(key.read_text(), certificate.read_text())


def problem(folder: Path, private: str, public: str, later: float = 0.0) -> str:
    """What is said about these files; nothing when they can be used."""
    key, certificate = folder / "a-ca.pem", folder / "a-ca-cert.pem"
    key.write_text(private)
    certificate.write_text(public)
    try:
        check(key, certificate, readings()[0] + later)
    except CaError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", [RSA, EC])
def test_a_root(tmp_path: Path, kind: tuple[str, ...]) -> None:
    """A CA that the office has made itself, with either kind of key."""
    root = pair(tmp_path, "root", kind)
    assert problem(tmp_path, root.key + root.certificate, root.certificate) == ""
    assert "ended on" in problem(tmp_path, root.key + root.certificate, root.certificate, 101 * DAY)
    early = problem(tmp_path, root.key + root.certificate, root.certificate, -2 * DAY)
    assert early.endswith("; set the clock")


def test_a_subordinate_ca(tmp_path: Path) -> None:
    """A CA below the office's own: devices trust the root, which may or may not be in the file of
    the key, or the subordinate CA itself."""
    root = pair(tmp_path, "root", EC)
    below = pair(tmp_path, "below", EC, issuer=root, days=50)
    for chain in (below.certificate, below.certificate + root.certificate):
        for trusted in (root.certificate, below.certificate):
            assert problem(tmp_path, below.key + chain, trusted) == ""
    late = problem(tmp_path, below.key + below.certificate, root.certificate, 60 * DAY)
    assert "a-ca.pem: the certificate ended on" in late


WRONG: dict[str, tuple[Callable[[Path, Pair, Pair], tuple[str, str]], str]] = {
    "key of another CA": (
        lambda _, one, other: (other.key + one.certificate, one.certificate),
        "the first certificate does not belong to the key",
    ),
    "certificate of another CA": (
        lambda _, one, other: (one.key + one.certificate, other.certificate),
        "it does not belong to the key in a-ca.pem: no device would accept what that signs",
    ),
    "no certificate behind the key": (
        lambda _, one, other: (one.key, one.certificate),
        "a-ca.pem: there is no certificate in it; restore",
    ),
    "no key": (
        lambda _, one, other: (one.certificate, one.certificate),
        "there is no readable private key in it; restore",
    ),
    "key cut off": (
        lambda _, one, other: (one.key[:60] + one.certificate, one.certificate),
        "there is no readable private key in it; restore",
    ),
    "certificate cut off": (
        lambda _, one, other: (one.key + one.certificate, one.certificate[:200]),
        "a certificate in it cannot be read; restore",
    ),
    "empty certificate": (
        lambda _, one, other: (one.key + one.certificate, ""),
        "there is no certificate in it; restore",
    ),
    "no chain": (
        lambda _, one, other: (one.key + one.certificate + other.certificate, one.certificate),
        "its certificates are not a chain; each has to be issued by the next one",
    ),
    "key with a passphrase": (
        lambda _, one, other: (
            openssl("pkey", "-aes256", "-passout", "pass:secret", given=one.key) + one.certificate,
            one.certificate,
        ),
        "the key has a passphrase; write it without one: openssl pkey",
    ),
    "key of another kind": (
        lambda folder, one, other: (
            "".join(pair(folder, "ed", ("ed25519",))),
            one.certificate,
        ),
        "no browser accepts this kind of key; use RSA or EC",
    ),
    "a server's certificate": (
        lambda folder, one, other: (
            "".join(server := pair(folder, "server", EC, LEAF)),
            server.certificate,
        ),
        "CN=server may not sign other certificates; give the folder of a CA",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_be_wrong(tmp_path: Path, name: str) -> None:
    """One line names the file, what is wrong and the way out."""
    make, words = WRONG[name]
    one, other = pair(tmp_path, "one", EC), pair(tmp_path, "other", EC)
    said = problem(tmp_path, *make(tmp_path, one, other))
    assert words in said
    assert said.startswith(f"confdir: {tmp_path}/a-ca")
    assert "\n" not in said


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder in the place of a file, and no file."""
    root = pair(tmp_path, "root", EC)
    (tmp_path / "a-ca.pem").mkdir()
    for key in (tmp_path / "a-ca.pem", tmp_path / "absent"):
        with pytest.raises(CaError, match="; restore the folder from its backup"):
            check(key, key, 0.0)
    (tmp_path / "key").write_text(root.key + root.certificate)
    with pytest.raises(CaError, match="absent: No such file or directory; restore"):
        check(tmp_path / "key", tmp_path / "absent", readings()[0])
