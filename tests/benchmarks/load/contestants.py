"""The proxies that are compared, each a process of its own that reaches the one site."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks import proxies
from tests.benchmarks.load.site import FREE, LIMITED, Site
from tests.benchmarks.proxies import ROOT, Proxy
from tests.e2e.waiting import free_port

OURS, TODAY = "allowance", "today's product"
BARE, IGNORING = "mitmdump", "mitmdump --ignore-hosts"
SQUID_BUMP, SQUID = "squid, decrypting", "squid"

# Everybody has a device, so nobody signs in; one platform of those that are limited is used.
POLICY = """
version: 1
timezone: {zone}
allowances: {{all: {{limit: 24h per day}}}}
rules:
{lunch}  - {{name: All of it, platforms: [facebook, x, youtube], then: {{spend: all}}}}
otherwise: allow
unidentified: {{role: guest}}
{more}"""

SQUID_CONFIG = """
http_port 127.0.0.1:{port} {bump}
hosts_file {folder}/hosts
http_access allow all
cache deny all
access_log none
cache_log {folder}/cache.log
pid_filename {folder}/pid
coredump_dir {folder}
shutdown_lifetime 0 seconds
max_filedescriptors {descriptors}
"""
SQUID_BUMP_CONFIG = """
acl first_step at_step SslBump1
ssl_bump peek first_step
ssl_bump bump all
sslcrtd_program {certgen} -s {folder}/certificates -M 4MB
sslcrtd_children 2
tls_outgoing_options cafile={ca_file}
"""
CERTGEN = Path("/usr/lib/squid/security_file_certgen")


def policy(*, zone: str = "UTC", lunch: str = "", more: str = "") -> str:
    """The policy file. `lunch`, such as "12:00-12:01": when the platform is free; `more`: further
    keys."""
    free = (
        "  - {name: Lunch, platforms: [facebook, x, youtube], when: {between: %r}, then: allow}\n"
    )
    return POLICY.format(zone=zone, lunch=free % lunch if lunch else "", more=more)


def devices(people: int) -> str:
    """The people file: a device for each address that the client uses (client.c)."""
    lines = []
    for number in range(people):
        host = (0x7F400001 + number).to_bytes(4)
        lines.append(f"  {'.'.join(map(str, host))}: p{number}\n")
    return "default_role: staff\nroles: {staff: {}}\ndevices:\n" + "".join(lines)


def python_of(checkout: Path) -> Path:
    """The interpreter of a checkout."""
    own = checkout / ".venv" / "bin" / "python"
    return Path(sys.executable) if checkout == ROOT else own


def ours(
    folder: Path,
    site: Site,
    *,
    policy_text: str | None = None,
    people: int = 1,
    checkout: Path = ROOT,
    environment: dict[str, str] | None = None,
) -> Proxy:
    """`allowance run` of a checkout, with the shipped catalogue. `environment` has settings."""
    rules = folder / "rules"
    rules.mkdir(parents=True)
    shutil.copytree(checkout / "rules" / "platforms", rules / "platforms")
    (rules / "policy.yaml").write_text(policy_text or policy())
    (rules / "people.yaml").write_text(devices(people))
    port, web = free_port(), free_port()
    flags = {
        "listen": f"127.0.0.1:{port}",
        "web": f"127.0.0.1:{web}",
        "confdir": folder / "ca",
        "upstream-ca": site.ca_file,
        "connect-ports": site.port,
        "drain": "1s",
    }
    command = [str(python_of(checkout)), "-m", "proxy_addon", "run"]
    command += [part for name, value in flags.items() for part in (f"--{name}", str(value))]
    for host in (LIMITED, FREE):
        command += ["--resolve", f"{host}:{site.port}=127.0.0.1:{site.port}"]
    proxy = Proxy(folder, port, command, folder / "ca" / "mitmproxy-ca-cert.pem", web_port=web)
    proxy.environment |= {"PYTHONPATH": str(checkout)} | (environment or {})
    return proxy


def mitmdump(folder: Path, site: Site, *, ignore: str = "") -> Proxy:
    """A bare mitmdump; `ignore` is its `--ignore-hosts`."""
    return proxies.mitmdump(folder, site.port, site.ca_file, ignore)


def has_squid() -> bool:
    """Whether Squid can be compared: the one with OpenSSL, for both forms."""
    return shutil.which("squid", path="/usr/sbin:/usr/bin:/sbin") is not None and CERTGEN.exists()


def squid(folder: Path, site: Site, descriptors: int, *, bump: bool) -> Proxy:
    """Squid without a cache; `bump`: it opens TLS with a certificate of its own."""
    folder.mkdir(parents=True)
    folder.chmod(0o777)  # as root it becomes somebody else
    port, authority = free_port(), folder / "authority.pem"
    (folder / "hosts").write_text(f"127.0.0.1 {LIMITED}\n127.0.0.1 {FREE}\n")
    options, more = "", ""
    if bump:
        _squid_authority(folder, authority)
        options = f"ssl-bump cert={authority} generate-host-certificates=on"
        more = SQUID_BUMP_CONFIG.format(certgen=CERTGEN, folder=folder, ca_file=site.ca_file)
    text = SQUID_CONFIG.format(port=port, bump=options, folder=folder, descriptors=descriptors)
    (folder / "squid.conf").write_text(text + more)
    command = [shutil.which("squid", path="/usr/sbin:/usr/bin:/sbin") or "squid", "-N"]
    ready = authority if bump else folder / "hosts"
    return Proxy(folder, port, [*command, "-f", str(folder / "squid.conf")], ready)


def _squid_authority(folder: Path, file: Path) -> None:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3"),
            *("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=Squid"),
            *("-addext", "basicConstraints=critical,CA:TRUE"),
        ],
        check=True,
        capture_output=True,
    )
    file.write_bytes(key.read_bytes() + certificate.read_bytes())
    file.chmod(0o644)
    subprocess.run(
        [str(CERTGEN), "-c", "-s", str(folder / "certificates"), "-M", "4MB"],
        check=True,
        capture_output=True,
    )
    if os.geteuid() == 0:
        for path in (folder / "certificates", *(folder / "certificates").rglob("*")):
            shutil.chown(path, "proxy")


@contextmanager
def started(*several: Proxy) -> Iterator[None]:
    """Start them; they are ended with the context."""
    try:
        for proxy in several:
            proxy.launch()
        for proxy in several:
            proxy.wait()
        yield
    finally:
        for proxy in several:
            proxy.stop()
