"""Who has read the written policy, told by a real proxy of two workers: on the page of
administrators, by the commands and in the metrics."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest

from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, PAGE, Reader, change, fields, notice, write
from tests.e2e.process import OfficeProxy
from tests.e2e.test_workers import alive
from tests.e2e.waiting import until

PEOPLE = "default_role: staff\nroles: {staff: {}, admin: {members: [ada]}}\n"
METRIC = re.compile(r"^allowance_policy_acknowledged_people{(.+)} (\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def own(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """Two workers behind a front proxy; ada administrates."""
    folder = tmp_path_factory.mktemp("policy-administration")
    proxy = office(folder, origins, policy("10m") + notice(), PEOPLE, {"workers": 2})
    write(proxy, "3")
    with proxy:
        until(lambda: len(alive(proxy)) == 2, "both workers")
        until(lambda: "Allowance is running" in proxy.log, "the start notice")
        yield proxy


def acknowledged(proxy: OfficeProxy) -> list[tuple[str, float]]:
    """Labels and values of the metric."""
    found = METRIC.findall(proxy.web("/metrics")[1])
    return [(labels, float(value)) for labels, value in found]


def test_who_has_read_it(own: OfficeProxy) -> None:
    """Dora has confirmed, emil has met it: the page, the command and the metric agree, and names
    are told after a reason that the audit keeps."""
    ada, dora, emil = (Reader(own.client, name) for name in ("ada", "dora", "emil"))
    dora.confirm()
    assert emil.open(FACEBOOK).reason == "acknowledge"
    until(
        lambda: "1 of 3 have read version 3" in ada.open(f"{PAGE}/admin/policy").text,
        "emil's meeting",
    )
    shown = ada.open(f"{PAGE}/admin/policy")
    assert "1 has met it and can put it off" in shown.text
    assert "emil" not in shown.text
    assert emil.open(f"{PAGE}/admin/policy").status == 403
    sent = fields(shown)
    answer = ada.send(f"{PAGE}/admin/policy/names", **sent, reason="reminding")
    assert answer.status == 303
    assert "emil" in ada.open(f"{PAGE}{answer.headers['location']}").text
    table = ada.send(f"{PAGE}/admin/policy/names", **sent, reason="reminding", **{"as": "csv"})
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert [row["name"] for row in rows] == ["ada", "emil"]
    status = json.loads(own.cli("policy", "status", "--json").stdout)["notices"]["social"]
    assert {key: status[key] for key in ("version", "people", "acknowledged", "waiting")} == {
        "version": "3",
        "people": 3,
        "acknowledged": 1,
        "waiting": 2,
    }
    audited = json.loads(own.cli("audit", "--json").stdout)["audit"]
    looks = [each for each in audited if each["action"] == "policy"]
    assert [(each["actor"], each["subject"]) for each in looks] == [("web:ada", "everybody")] * 2
    until(
        lambda: acknowledged(own) == [('notice="social",version="3"', 1.0)],
        "the metric, once for both workers",
        15.0,
    )


def test_a_new_version(own: OfficeProxy) -> None:
    """Nobody has read it: the numbers begin again, the version before is gone from the metrics, and
    its text can be compared."""
    change(own, "4")
    ada = Reader(own.client, "ada")
    until(
        lambda: "0 of 3 have read version 4" in ada.open(f"{PAGE}/admin/policy").text,
        "the new version",
    )
    until(lambda: acknowledged(own) == [('notice="social",version="4"', 0.0)], "the metric", 45.0)
    told = until(
        lambda: (done := own.cli("policy", "diff", "3", "4")).returncode == 0 and done.stdout,
        "both texts in the ledger",
    )
    assert "+You have **{{ allowance.short }}**. This is text 4." in str(told)
    assert own.cli("policy", "show", "--version", "3", "--for", "dora").stdout.startswith(
        "# Social"
    )
    assert "3 have not" in own.cli("policy", "remind").stdout
