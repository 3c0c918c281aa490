"""One certificate authority of ours for all proxies that a process of the tests starts. To make an
RSA key and to read it three times, as mitmproxy does at each start, would take half of the time of
a small test.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from mitmproxy import certs

from proxy_addon.proxy import ca

certs.load_pem_private_key = cache(certs.load_pem_private_key)  # type: ignore[assignment]


def copy_to(confdir: Path) -> None:
    """Put it where a proxy looks for it, unless there is one."""
    if not ca.key(confdir).exists():
        shutil.copytree(_made(), confdir, dirs_exist_ok=True)
    ca.prepare(confdir)


@cache
def _made() -> Path:
    """A folder with it, which lasts as long as the process."""
    folder = Path(_folder().name) / "ca"
    ca.prepare(folder)
    return folder


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="allowance-ca-")
