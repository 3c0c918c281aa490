"""`allowance usage` and `allowance grant` against the database of a running proxy."""

from __future__ import annotations

import time
from datetime import datetime

from tests.e2e.client import Client
from tests.e2e.office import SHORT, spend_all
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

DORA, EMIL = "127.0.3.1", "127.0.3.2"
WITHIN = 3.0  # seconds after the command, as promised


def test_grant_counts_at_once(running_office: OfficeProxy, client: Client) -> None:
    """Ten more minutes, given on the command line, end a block within three seconds."""
    spend_all(client, source=DORA)
    grant = running_office.cli("grant", "desk1", "short", "10m", "--reason", "a busy day")
    assert grant.returncode == 0, grant.stderr
    granted = time.monotonic()
    until(
        lambda: client.open("https://www.facebook.com/", source=DORA).status == 200,
        "the grant",
        WITHIN,
    )
    print(f"the grant counted after {time.monotonic() - granted:.1f} s")
    balance = running_office.usage("desk1")["allowances"]["short"]
    assert balance["granted"] == 600
    assert 580 < balance["left"] <= 600


def test_usage_json(running_office: OfficeProxy, client: Client) -> None:
    """`usage --json` has the keys of the contract, roles by the rules and times with a zone."""
    assert client.open("https://www.facebook.com/", source=EMIL).status == 200
    usage = running_office.usage("desk2")
    assert set(usage) >= {"user", "roles", "allowances", "visits"}
    assert (usage["user"], usage["roles"]) == ("desk2", ["staff"])
    balance = usage["allowances"]["short"]
    assert set(balance) >= {"limit", "spent", "granted", "left", "resets_at"}
    assert balance["limit"] == SHORT
    assert datetime.fromisoformat(balance["resets_at"]).tzinfo is not None
    (visit,) = usage["visits"]
    assert set(visit) >= {"platform", "section", "allowance", "rule", "start", "end"}
    assert (visit["platform"], visit["allowance"]) == ("facebook", "short")
    assert datetime.fromisoformat(visit["start"]) < datetime.fromisoformat(visit["end"])


def test_usage_for_people(running_office: OfficeProxy) -> None:
    """Without `--json` it is readable, and somebody nobody has seen has a whole allowance."""
    answer = running_office.cli("usage", "nobody-yet")
    assert answer.returncode == 0, answer.stderr
    assert "short" in answer.stdout
    assert running_office.usage("nobody-yet")["allowances"]["short"]["left"] == SHORT


def test_wrong_input(running_office: OfficeProxy) -> None:
    """An unknown allowance or a length of time that is none is said in a line, with exit code 1."""
    for words in (("desk3", "shrot", "10m"), ("desk3", "short", "ten")):
        answer = running_office.cli("grant", *words, "--reason", "a test")
        assert answer.returncode == 1, answer.stdout
        assert "Traceback" not in answer.stderr
        assert answer.stderr.strip()
