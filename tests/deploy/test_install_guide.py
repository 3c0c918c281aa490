"""docs/install.md: the part for Debian is carried out as a whole, the part for containers is held
against the files."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from tests.deploy.compose import ROOT, composed, services
from tests.deploy.guide import GUIDE
from tests.deploy.reports import reported
from tests.docs.pages import Page

PAGE = Page(ROOT / "docs" / "install.md")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of carrying it out, in a process of its own."""
    report = tmp_path_factory.mktemp("guide") / "report.json"
    return reported([sys.executable, "-m", "tests.deploy.guide"], report)


def output_of(found: dict[str, Any], part: str) -> str:
    """What the one block with this text in it printed."""
    [text] = [text for block, text in found["said"] if part in block]
    return str(text)


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_guide_leads_to_a_proxy(found: dict[str, Any]) -> None:
    """Every command works, in order; the service starts from the installed unit, serves, and ends
    in order."""
    assert "the rules are valid" in output_of(found, "systemctl enable")
    assert '{"ready":true' in output_of(found, "/readyz")
    assert '"daily-social"' in output_of(found, "/readyz")
    assert found["told"][0] == "READY=1"
    assert found["exit_code"] == 0


@pytest.mark.e2e
@pytest.mark.long
def test_the_command_line_is_the_services(found: dict[str, Any]) -> None:
    """People, minutes and grants are those of the running proxy, written as its user."""
    text = output_of(found, "people add")
    assert "dora can now sign in" in text
    assert "25 minutes left" in text
    assert "equals SQLite file /var/lib/allowance/allowance.db" in output_of(found, "db copy")


@pytest.mark.e2e
@pytest.mark.long
def test_the_service_cannot_change_its_program(found: dict[str, Any]) -> None:
    """Program, settings and rules are root's, and readable."""
    assert set(found["modes"].values()) == {"0 644", "0 755"}


@pytest.mark.e2e
@pytest.mark.long
def test_the_certificate_reaches_the_system(found: dict[str, Any]) -> None:
    """The web port gives the CA's certificate, the system takes it, and its fingerprint can be
    compared."""
    text = output_of(found, "openssl x509")
    assert "1 added" in text
    assert re.search(r"sha256 Fingerprint=(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", text)


@pytest.mark.e2e
@pytest.mark.long
def test_nothing_is_left(found: dict[str, Any]) -> None:
    """After the last block there is no file, no unit and no user of ours."""
    assert found["left"] == []


def test_commands_for_containers_fit_the_compose_file() -> None:
    """Profiles, services, secrets and ports that the page names are those of the file, and all of
    them."""
    text = PAGE.text[PAGE.text.index("## Containers") :]
    lines = [
        line
        for block in PAGE.blocks
        for line in block.text.splitlines()
        if "docker compose" in line
    ]
    assert {word for line in lines for word in re.findall(r"--profile (\S+)", line)} == {
        "small",
        "office",
    }
    named = {
        name
        for line in lines
        for name in re.findall(r"(?<=exec )[a-z]\S+|(?<=exec -T )\S+|(?<=cp )[\w-]+(?=:)", line)
    }
    assert named <= set(services())
    for name in (*services(), *composed()["secrets"], *composed()["volumes"]):
        assert f"`{name}`" in text, name
    for service in services().values():
        for port in service.get("ports", ()):
            assert port.split(":")[-2] in text
        if "user" in service:
            assert service["user"].split(":")[0] in text
    assert "deploy/make-secrets" in text


def test_the_page_has_the_numbers_of_the_unit() -> None:
    """Times that the guide states are those of the unit."""
    unit = (ROOT / "deploy" / "systemd" / "allowance.service").read_text("utf-8")
    assert "WatchdogSec=30s" in unit
    assert "four times in 30 s" in PAGE.text
    assert GUIDE == "docs/install.md"
