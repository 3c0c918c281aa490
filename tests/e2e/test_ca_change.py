"""A planned change of the CA: devices that trust the old one, both, or the new one, before and
after it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from proxy_addon.proxy import ca
from tests.e2e.office import office
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy

SITE = "www.facebook.com"
NOT_TRUSTED = 60  # the exit code of curl


def curl(proxy: OfficeProxy, trusted: Path, url: str) -> int:
    """The exit code of curl, which trusts these certificates only."""
    command = ["curl", "-sS", "-o", "/dev/null", "--proxy", f"http://127.0.0.1:{proxy.port}"]
    command += ["--cacert", str(trusted), "--capath", "/nonexistent", "--max-time", "60", url]
    return subprocess.run(command, capture_output=True, timeout=90, check=False).returncode


def openssl(proxy: OfficeProxy, trusted: Path) -> bool:
    """Whether OpenSSL, which trusts these certificates only, accepts the one for the site."""
    command = ["openssl", "s_client", "-proxy", f"127.0.0.1:{proxy.port}", "-brief"]
    command += ["-connect", f"{SITE}:443", "-servername", SITE, "-verify_return_error"]
    command += ["-CAfile", str(trusted), "-no-CApath", "-no-CAstore"]
    found = subprocess.run(command, input=b"", capture_output=True, timeout=90, check=False)
    return b"Verification: OK" in found.stderr


def accepted(proxy: OfficeProxy, devices: dict[str, Path]) -> set[str]:
    """The devices that open the site and our own pages, by either program."""
    found = set()
    for name, trusted in devices.items():
        codes = {curl(proxy, trusted, f"https://{host}/") for host in (SITE, "allowance.internal")}
        assert codes in ({0}, {NOT_TRUSTED}), (name, codes)
        assert openssl(proxy, trusted) is (codes == {0}), name
        if codes == {0}:
            found.add(name)
    return found


def offered(proxy: OfficeProxy) -> tuple[int, str]:
    """What the web port says of the next certificate."""
    return proxy.web("/ca-next.pem")


@pytest.mark.timeout(360)
@pytest.mark.long
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_planned_change(tmp_path: Path, origins: Origins, workers: str) -> None:
    """The next CA is made beside the first, offered by the proxy, and taken into use by one step:
    whoever trusts both notices nothing, before and after."""
    proxy = office(tmp_path / "office", origins)
    proxy.flags["workers"] = workers
    with proxy:
        old = tmp_path / "old.pem"
        old.write_bytes(ca.certificate(proxy.confdir).read_bytes())
        assert offered(proxy)[0] == 404
        made = json.loads(proxy.cli("ca", "next", "--json").stdout)
        assert offered(proxy)[0] == 404  # the event loop looks at no file
        proxy.restart()
        status, pem = offered(proxy)
        assert status == 200
        assert pem == Path(made["certificate"]).read_text()
        assert "allowance-ca-next" in proxy.web("/device")[1]
        new, both = tmp_path / "new.pem", tmp_path / "both.pem"
        new.write_text(pem)
        both.write_bytes(old.read_bytes() + new.read_bytes())
        devices = {"old": old, "both": both, "new": new}
        assert accepted(proxy, devices) == {"old", "both"}

        switched = proxy.cli("ca", "switch")
        assert switched.returncode == 0, switched.stderr
        assert accepted(proxy, devices) == {"old", "both"}  # until the restart
        proxy.restart()
        assert accepted(proxy, devices) == {"new", "both"}
        assert proxy.web("/ca.pem") == (200, pem)
        assert offered(proxy)[0] == 404


def test_a_bad_one_is_reported(tmp_path: Path, origins: Origins) -> None:
    """A next CA that cannot be used stops nothing: the proxy starts, is ready, offers the first
    one, and says what is wrong."""
    proxy = office(tmp_path / "office", origins)
    ca.prepare(proxy.confdir)
    ca.prepare(proxy.confdir / "next")
    ca.key(proxy.confdir / "next").write_text("rubbish")
    with proxy:
        assert offered(proxy)[0] == 404
        status, text = proxy.web("/readyz")
        assert status == 200
        assert json.loads(text)["checks"]["ca"] == "degraded: the next CA cannot be used"
        found = json.loads(proxy.web("/statusz")[1])
        assert found["status"] == "degraded"
        assert found["dependencies"]["ca"]["ok"] is False
        (line,) = proxy.events("the next CA cannot be used")
        assert "no readable private key" in line["error"]
