"""`proxy_addon/system/port_claims.py`: who serves a port, seen from outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proxy_addon.system.port_claims import SUPERVISOR, claim, claimed
from tests.e2e.waiting import free_port, until

HOST = "127.0.0.1"


def test_a_claim_is_seen_until_it_is_closed() -> None:
    """Another process finds the role by address and port, and only while somebody holds it."""
    port = free_port()
    assert claimed(HOST, port) == set()
    held = claim(HOST, port, SUPERVISOR)
    assert held is not None
    with held:
        assert claimed(HOST, port) == {SUPERVISOR}
        assert claimed(HOST, port + 1) == set()
        with pytest.raises(OSError, match="in use"):
            claim(HOST, port, SUPERVISOR)
    assert claimed(HOST, port) == set()


def test_a_claim_ends_with_its_process() -> None:
    """kill -9 leaves nothing that would have to be removed."""
    port = free_port()
    program = (
        "import time; from proxy_addon.system.port_claims import claim\n"
        f"held = claim('{HOST}', {port}, 'worker-1'); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program])
    try:
        until(lambda: claimed(HOST, port) == {"worker-1"}, "the claim", 30)
    finally:
        holder.kill()
        holder.wait()
    until(lambda: claimed(HOST, port) == set(), "its end")


@pytest.mark.parametrize(
    ("asked", "held", "overlap"),
    [
        ("127.0.0.1", "0.0.0.0", True),
        ("0.0.0.0", "127.0.0.1", True),
        ("::", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("::1", "::1", True),
    ],
)
def test_addresses_that_include_others(asked: str, held: str, overlap: bool) -> None:
    """A port at all addresses is the port at each of them; two single addresses are two ports."""
    port = free_port()
    sock = claim(held, port, SUPERVISOR)
    assert sock is not None
    with sock:
        assert bool(claimed(asked, port)) is overlap


def test_without_a_table(tmp_path: Path) -> None:
    """A system that has no list of such names has no claims."""
    assert claimed(HOST, free_port(), tmp_path / "absent") == set()


def test_a_name_that_is_too_long() -> None:
    """An address that does not fit into a name is served without a claim."""
    assert claim("h" * 200, 1, SUPERVISOR) is None
