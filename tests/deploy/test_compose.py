"""`docker-compose.yml`: what it starts, in which order, what it opens, and that all it names is
there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from proxy_addon.config.settings import load_settings, unknown_variables
from tests.deploy.compose import ROOT, composed, mounts, services

EVERY = services()
PROXIES = ("proxy", "office-proxy")
GRAFANA = ROOT / "dashboards" / "grafana" / "provisioning"


@pytest.mark.parametrize("profile", ["small", "office"])
def test_the_tool_takes_it(profile: str, tmp_path: Path) -> None:
    """Where docker compose is installed, it reads the file without a complaint."""
    if shutil.which("docker") is None:
        pytest.skip("no docker here")
    environment = os.environ | {"DOCKER_CONFIG": str(tmp_path)}
    docker = ["docker", "compose"]
    if subprocess.run(
        [*docker, "version"], capture_output=True, check=False, env=environment
    ).returncode:
        pytest.skip("docker has no compose plugin here")
    done = subprocess.run(
        [*docker, "--profile", profile, "config", "--services"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(services(profile))
    assert "warn" not in done.stderr.lower()


def test_profiles() -> None:
    """`small` is the proxy alone on SQLite; `office` has workers, Postgres, Prometheus and
    Grafana."""
    assert set(services("small")) == {"proxy"}
    assert set(services("office")) == {"office-proxy", "database", "prometheus", "grafana"}
    assert all(len(each["profiles"]) == 1 for each in EVERY.values())
    assert "ALLOWANCE_DATABASE" not in EVERY["proxy"]["environment"]
    assert EVERY["office-proxy"]["environment"]["ALLOWANCE_DATABASE"].startswith(
        "postgresql+psycopg://"
    )


def test_they_start_in_order() -> None:
    """Each waits until what it needs is healthy, and everything that is waited for has a health
    check."""
    waits = {name: each.get("depends_on", {}) for name, each in EVERY.items()}
    assert {name: set(each) for name, each in waits.items()} == {
        "proxy": set(),
        "database": set(),
        "office-proxy": {"database"},
        "prometheus": {"office-proxy"},
        "grafana": {"prometheus"},
    }
    for name, needed in waits.items():
        for other, how in needed.items():
            assert how == {"condition": "service_healthy"}, name
            assert "healthcheck" in EVERY[other] or EVERY[other].get("build") == ".", other


@pytest.mark.parametrize("name", EVERY)
def test_each_is_guarded(name: str) -> None:
    """A root nobody writes to, no capabilities, no new rights, bounds on memory, processor and
    processes."""
    service = EVERY[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(line.split(":")[0] == "/tmp" for line in service["tmpfs"])
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", EVERY)
def test_what_is_mounted_is_there(name: str) -> None:
    """Paths of the host are in the repository and read-only; volumes are declared, and none is
    forgotten."""
    for mount in mounts(EVERY[name]):
        if mount.named:
            assert mount.source in composed()["volumes"], mount
        else:
            assert (ROOT / mount.source).exists(), mount
            assert mount.read_only, mount
    used = {mount.source for each in EVERY.values() for mount in mounts(each) if mount.named}
    assert used == set(composed()["volumes"])


def test_only_the_proxy_is_open() -> None:
    """One port for the office; whatever else is published answers this host alone."""
    for name, service in EVERY.items():
        for port in service.get("ports", ()):
            assert (name in PROXIES and port == "8080:8080") or port.startswith("127.0.0.1:"), (
                name,
                port,
            )
    assert "ports" not in EVERY["database"]
    assert composed()["networks"]["ledger"] == {"internal": True}
    assert {name for name, each in EVERY.items() if "ledger" in each.get("networks", ())} == {
        "database",
        "office-proxy",
    }


def test_images_have_tags() -> None:
    """What is pulled has a version; no host of a registry is named."""
    images = [each["image"] for each in EVERY.values() if "build" not in each]
    for image in images:
        name, _, tag = image.partition(":")
        assert re.match(r"v?\d+", tag), image
        assert "." not in name, image


def test_secrets_are_files() -> None:
    """No password stands in the file; each secret is a file that somebody uses, as a file."""
    secrets = composed()["secrets"]
    assert {name: each["file"] for name, each in secrets.items()} == {
        name: f"./var/secrets/{name}" for name in secrets
    }
    assert {name for each in EVERY.values() for name in each.get("secrets", ())} == set(secrets)
    for service in EVERY.values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASS|SECRET|TOKEN", key):
                assert value in {f"/run/secrets/{name}" for name in service["secrets"]}, key
        assert (
            ":"
            not in service.get("environment", {})
            .get("ALLOWANCE_DATABASE", "")
            .rpartition("@")[0][20:]
        )


@pytest.mark.parametrize("name", PROXIES)
def test_the_proxy_understands_its_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable is a setting of ours, and together with the image's file they can be used."""
    variables = {
        key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", v) for key, v in EVERY[name]["environment"].items()
    }
    assert unknown_variables(variables) == []
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    settings = load_settings({}, ROOT / "deploy" / "allowance.toml")
    assert settings.web.host == "0.0.0.0"
    targets = [mount.target for mount in mounts(EVERY[name])]
    assert [str(settings.rules), str(settings.confdir), str(settings.state)] == targets
    written = (settings.passwords, settings.pseudonym_key, settings.journal, settings.confdir)
    assert all(path is not None and path.is_relative_to(settings.state) for path in written)
    assert settings.drain < float(EVERY[name]["stop_grace_period"].removesuffix("s"))


def test_prometheus_finds_the_proxy() -> None:
    """The scrape target is a name on the network and the port on which the proxy shows its
    metrics."""
    file = ROOT / "dashboards" / "prometheus" / "prometheus.yml"
    config = yaml.safe_load(file.read_text("utf-8"))
    [target] = config["scrape_configs"][0]["static_configs"][0]["targets"]
    host, _, port = target.partition(":")
    assert EVERY["office-proxy"]["networks"]["default"] == {"aliases": [host]}
    assert EVERY["office-proxy"]["environment"]["ALLOWANCE_WEB"] == f"0.0.0.0:{port}"
    [mount] = [each for each in mounts(EVERY["prometheus"]) if not each.named]
    assert (ROOT / mount.source).resolve() == file.parent
    assert f"--config.file={mount.target}/{file.name}" in EVERY["prometheus"]["command"]


def test_grafana_finds_prometheus_and_its_boards() -> None:
    """The data source is a service, the boards lie where provisioning looks, and who comes in signs
    in."""
    source = yaml.safe_load((GRAFANA / "datasources" / "prometheus.yaml").read_text("utf-8"))
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    boards = yaml.safe_load((GRAFANA / "dashboards" / "allowance.yaml").read_text("utf-8"))
    path = boards["providers"][0]["options"]["path"]
    [mount] = [each for each in mounts(EVERY["grafana"]) if each.target == path]
    assert list((ROOT / mount.source).glob("*.json"))
    environment = EVERY["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_password"


def test_the_health_checks_use_what_the_images_have() -> None:
    """Postgres and Prometheus are asked by tools of their own images, Grafana by the one that
    Alpine has."""
    checks = {
        name: each["healthcheck"]["test"] for name, each in EVERY.items() if "healthcheck" in each
    }
    assert {name: check[:2] for name, check in checks.items()} == {
        "database": ["CMD", "pg_isready"],
        "prometheus": ["CMD", "promtool"],
        "grafana": ["CMD", "wget"],
    }
