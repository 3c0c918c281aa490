"""The CA: whether it is complete and its key private, how long it is valid, and whether this
machine trusts it."""

from __future__ import annotations

import base64
import os
import shutil
import ssl
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from cryptography import x509

from proxy_addon.doctor.check import AS_THE_PROXY, Check, error, not_checked, ok, warning
from proxy_addon.doctor.host import hidden
from proxy_addon.presentation.durations import count
from proxy_addon.proxy import ca, ca_change
from proxy_addon.proxy.ca_check import check, read

DAY: Final = 86_400.0
SOON: Final = 30  # days
TIMEOUT: Final = 3.0  # seconds for one call of certutil
_MAX_NICKNAMES: Final = 50  # entries of that list that are checked
_INSTALL: Final = (
    "needed only by programs on this machine: sudo cp {file} /usr/local/share/ca-certificates/allowance.crt "
    "&& sudo update-ca-certificates; devices get it from http://allowance.internal/certificate"
)

type RunCommand = Callable[[list[str]], str]


def authority(confdir: Path, now: float) -> Iterator[Check]:
    """The CA's own state."""
    certificate, key = ca.certificate(confdir), ca.key(confdir)
    if (folder := hidden(key)) is not None:
        yield error("CA", f"{folder} cannot be read by this user", AS_THE_PROXY)
        return
    if not key.exists() and not certificate.exists():
        yield not_checked(
            "CA", f"{confdir} has none yet", "`allowance run` creates it at its first start"
        )
        return
    yield _key_mode([each for each in (key, key.with_suffix(".p12")) if each.exists()] or [key])
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as problem:
        yield error(
            "CA", f"{certificate}: {problem}", "restore the folder from its backup: docs/backup.md"
        )
        return
    yield _validity(found, now)
    yield _is_ca(found)
    yield _matches(certificate, key)
    if ca.found(ca_change.folder(confdir)):
        yield _next(ca_change.folder(confdir), now)


def _key_mode(keys: list[Path]) -> Check:
    """The mode of both files that hold the key."""
    for key in keys:
        try:
            mode = stat.S_IMODE(key.stat().st_mode)
        except OSError as problem:
            return error(
                "CA key", f"{key}: {problem.strerror}", "restore the folder from its backup"
            )
        if mode & 0o077:
            return error(
                "CA key", f"{key} has mode {mode:04o}: others can read it", f"chmod 600 {key}"
            )
    return ok("CA key", "mode 0600: only its owner can read it")


def _validity(certificate: x509.Certificate, now: float) -> Check:
    days = int((certificate.not_valid_after_utc.timestamp() - now) // DAY)
    until = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    remedy = "docs/runbook.md, Change the CA: the new one is installed on the devices first"
    if certificate.not_valid_before_utc.timestamp() > now:
        return error(
            "CA validity", f"starts {certificate.not_valid_before_utc:%Y-%m-%d}", "set the clock"
        )
    if days < 0:
        return error("CA validity", f"ended {until}", remedy)
    if days < SOON:
        return warning("CA validity", f"ends {until}, in {count(days, 'day')}", remedy)
    return ok("CA validity", f"{count(days, 'day')} left, until {until}")


def _is_ca(certificate: x509.Certificate) -> Check:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        if extension.value.ca:
            return ok("CA", f"{certificate.subject.rfc4514_string()} may sign")
    except x509.ExtensionNotFound:
        pass
    return error(
        "CA", "this certificate may not sign others", "name the folder of a CA with --confdir"
    )


def _matches(certificate: Path, key: Path) -> Check:
    """Whether the key is the one of the certificate that devices are given."""
    try:
        read(key, certificate)
    except ca.CaError as problem:
        return error("CA key pair", problem.fact, problem.remedy)
    return ok("CA key pair", "key and certificate belong together")


def _next(place: Path, now: float) -> Check:
    """Whether the CA that stands ready can be used."""
    try:
        found = check(ca.key(place), ca.certificate(place), now)
    except ca.CaError as problem:
        return error("next CA", problem.fact, problem.remedy)
    return ok("next CA", f"stands ready, until {found.trusted.not_valid_after_utc:%Y-%m-%d}")


def system_trust(confdir: Path, stores: Iterable[Path] | None = None) -> Iterator[Check]:
    """Whether this machine's list of CAs contains ours."""
    certificate = ca.certificate(confdir)
    if not certificate.exists():
        yield not_checked("CA trust", "there is no CA yet")
        return
    wanted = _body(certificate.read_text("ascii"))
    places = list(stores if stores is not None else _default_stores())
    for store in places:
        if wanted in _text(store):
            yield ok("CA trust", f"in the list of this machine: {store}")
            return
    fact = f"not in the list of this machine ({count(len(places), 'file')} searched)"
    yield warning("CA trust", fact, _INSTALL.format(file=certificate))


def _default_stores() -> Iterator[Path]:
    """The bundle that OpenSSL reads, then its folder of single files."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        yield Path(paths.cafile)
    if paths.capath and Path(paths.capath).is_dir():
        yield from sorted(
            each for each in Path(paths.capath).iterdir() if each.suffix in (".pem", ".crt")
        )


def _body(pem: str) -> str:
    """The certificate's base64, on one line."""
    return base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()


def _text(store: Path) -> str:
    try:
        return "".join(store.read_text("ascii", errors="replace").split())
    except OSError:
        return ""


def browser_trust(confdir: Path, home: Path, run: RunCommand | None = None) -> Iterator[Check]:
    """Whether the list that Chromium keeps on Linux contains ours."""
    name, database, certificate = "CA in Chromium", home / ".pki" / "nssdb", ca.certificate(confdir)
    if not certificate.exists():
        yield not_checked(name, "there is no CA yet")
        return
    if not (database / "cert9.db").exists():
        yield not_checked(name, f"no list of certificates in {database}")
        return
    tool = shutil.which("certutil")
    if run is None and tool is None:
        yield not_checked(
            name, "certutil is not installed", "apt install libnss3-tools, then run this again"
        )
        return
    ask = run or _run
    store = f"sql:{database}"
    wanted = _body(certificate.read_text("ascii"))
    for nickname in _nicknames(ask(["certutil", "-L", "-d", store])):
        if wanted in "".join(ask(["certutil", "-L", "-d", store, "-n", nickname, "-a"]).split()):
            yield ok(name, f"listed as {nickname!r}")
            return
    add = f'certutil -A -d {store} -t C,, -n "Allowance" -i {certificate}'
    yield warning(name, f"not in {database}", f"needed only by browsers on this machine: {add}")


def _nicknames(listing: str) -> list[str]:
    """The names of entries that are trusted to sign; the trust flags are at the end of each
    line."""
    lines = (line.rsplit(None, 1) for line in listing.splitlines())
    return [
        line[0].strip()
        for line in lines
        if len(line) == 2 and line[1].count(",") == 2 and "C" in line[1]
    ][:_MAX_NICKNAMES]


def _run(command: list[str]) -> str:
    answer = subprocess.run(  # noqa: S603 - constants and a path
        command,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return answer.stdout
