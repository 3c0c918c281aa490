"""Twin of proxy_addon/system/descriptors.py: the limit on open files, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource
from proxy_addon.system.descriptors import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard"), [(100, 700), (700, 700)])
def test_the_soft_limit_becomes_the_hard_one(soft: int, hard: int) -> None:
    """Whatever it was before."""
    code = CODE.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["700", "700", "700"]
