"""Rules that change while the proxy runs, rules that are broken when it starts, and rules that only
observe."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import fresh_address
from tests.e2e.office import CUT_WITHIN, SLACK, noon_zone, office, people, policy, spend_all
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

PATIENCE = 15.0
FACEBOOK = "https://www.facebook.com/"
YOUTUBE = "https://www.youtube.com/"
TIKTOK = "https://www.tiktok.com/"
DAMAGES = ["broken", *(pytest.param(each, marks=pytest.mark.long) for each in ("empty", "gone"))]
VIDEO = "stream?seconds=60&rate=100000&type=video/mp4"


@pytest.fixture(scope="module")
def own(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """A proxy whose rules the tests of this module change."""
    with office(tmp_path_factory.mktemp("reload"), origins) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def usual(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins and ends with the usual rules, reloaded."""
    yield
    if "own" in request.fixturenames:
        proxy: OfficeProxy = request.getfixturevalue("own")
        (proxy.rules / "people.yaml").write_text(people())
        change(proxy, policy())


def version(proxy: OfficeProxy) -> str:
    """The digest of the rules in force."""
    found = re.search(r'allowance_rules_info\{digest="(\w+)"', proxy.web("/metrics")[1])
    assert found is not None
    return found[1]


def metric(proxy: OfficeProxy, pattern: str) -> float:
    """The sum of the samples whose name and labels match."""
    found = re.findall(rf"^allowance_{pattern}\S* ([0-9.e+-]+)$", proxy.web("/metrics")[1], re.M)
    return sum(map(float, found))


def change(proxy: OfficeProxy, text: str) -> None:
    """Write a policy and put it into force as the command does; it must be right."""
    (proxy.rules / "policy.yaml").write_text(text)
    address = f"http://127.0.0.1:{proxy.web_port}/api/reload"
    with urllib.request.urlopen(urllib.request.Request(address, method="POST")) as answer:
        assert json.load(answer)["ok"], text


def test_a_saved_file_is_in_force(own: OfficeProxy) -> None:
    """Nobody has to do anything but save; minutes that were used stay used."""
    source = fresh_address()
    spend_all(own.client, source=source)
    assert own.client.open(YOUTUBE, source=source).status == 200
    before = version(own)
    (own.rules / "policy.yaml").write_text(
        policy(short="1h").replace("[youtube]", "[youtube, tiktok]")
    )
    until(lambda: version(own) != before, "the new rules", PATIENCE)
    assert own.client.open(FACEBOOK, source=source).status == 200
    assert own.spent(f"ip:{source}", "short") >= 2.5
    assert "Traceback" not in own.log


def test_a_bad_edit_changes_nothing(own: OfficeProxy) -> None:
    """The old rules stay; log, metric, /readyz, admin page and command name the problem; mending
    heals."""
    before, file = version(own), own.rules / "policy.yaml"
    file.write_text(policy() + "otherwise_: allow\n")
    until(lambda: metric(own, "rules_last_reload_ok") == 0, "the refusal", PATIENCE)
    assert version(own) == before
    status, text = own.web("/readyz")
    checks = json.loads(text)["checks"]
    assert status == 200
    assert checks["rules"].startswith("degraded: ")
    assert "policy.yaml" in checks["rules"]
    assert "unknown-key" in checks["rules"]
    assert "Problems in the rules folder" in own.web("/")[1]
    assert "otherwise_" in own.log
    answer = own.cli("rules", "reload", "--web", f"127.0.0.1:{own.web_port}")
    assert answer.returncode == 1
    assert "unknown-key" in answer.stderr
    assert "stay in force" in answer.stderr
    assert own.client.open(TIKTOK, source=fresh_address()).reason == "blocked"
    file.write_text(policy())
    until(lambda: metric(own, "rules_last_reload_ok") == 1, "the mending", PATIENCE)
    assert json.loads(own.web("/readyz")[1])["checks"]["rules"] == "ok"
    assert version(own) == before


def test_the_command_and_the_signal(own: OfficeProxy) -> None:
    """`rules reload` and SIGHUP do what saving does; with the same bytes, nothing."""
    where = ("rules", "reload", "--web", f"127.0.0.1:{own.web_port}", "--json")
    assert json.loads(own.cli(*where).stdout)["changed"] is False
    before = version(own)
    (own.rules / "policy.yaml").write_text(policy(short="1h"))
    assert own.process is not None
    own.process.send_signal(signal.SIGHUP)
    until(lambda: version(own) != before, "the new rules", PATIENCE)
    assert own.process.poll() is None
    assert json.loads(own.cli(*where).stdout)["changed"] is False


def test_nobody_else_may_reload(own: OfficeProxy) -> None:
    """Not by reading the address, and not from a page in somebody's browser."""
    assert own.web("/api/reload")[0] == 405
    reply = own.client.get(
        f"http://127.0.0.1:{own.web_port}/api/reload",
        "-X",
        "POST",
        "-H",
        "Origin: http://evil.example",
        "--noproxy",
        "*",
    )
    assert reply.status == 403


def test_a_lower_limit_cuts_what_runs(own: OfficeProxy) -> None:
    """Within five seconds, and gives nothing back."""
    change(own, policy(short="1h"))
    source = fresh_address()
    video = own.client.start([f"{FACEBOOK}{VIDEO}"], source=source)
    until(lambda: video.received() > 400_000, "some seconds of video", PATIENCE)
    change(own, policy(short="1s"))
    began = time.monotonic()
    (reply,) = video.finish()
    assert reply.exit_code != 0
    assert time.monotonic() - began < CUT_WITHIN + SLACK
    assert own.client.open(FACEBOOK, source=source).reason == "exhausted"
    assert own.spent(f"ip:{source}", "short") > 2.5


def test_time_before_the_change_keeps_its_rule(own: OfficeProxy) -> None:
    """A video that goes on is charged to one allowance until the change, to the other after it."""
    change(own, policy(short="1h"))
    source = fresh_address()
    video = own.client.start([f"{FACEBOOK}{VIDEO}"], source=source)
    until(lambda: own.spent(f"ip:{source}", "short") > 3, "some seconds of video", PATIENCE)
    change(own, policy(short="1h").replace("then: {spend: short}", "then: {spend: long}"))
    until(lambda: own.spent(f"ip:{source}", "long") > 3, "some seconds more", PATIENCE)
    video.cancel()
    visits = [v for v in own.usage(f"ip:{source}")["visits"] if v["platform"] == "facebook"]
    first, second = sorted(visits, key=lambda visit: visit["start"])
    assert (first["allowance"], second["allowance"]) == ("short", "long")
    assert first["end"] == second["start"]


def test_a_platform_that_is_taken_out_is_left_alone(own: OfficeProxy) -> None:
    """What runs goes on without being charged; the next connection is relayed with the site's
    certificate."""
    source = fresh_address()
    video = own.client.start(
        ["https://www.youtube.com/stream?seconds=12&rate=50000"], source=source
    )
    until(lambda: video.received() > 100_000, "some seconds of video", PATIENCE)
    change(
        own,
        policy().replace(
            "platforms: [youtube], then: {spend: long}", "platforms: [tiktok], then: allow"
        ),
    )
    (reply,) = video.finish()
    assert (reply.exit_code, len(reply.body)) == (0, 600_000)
    after = own.client.get(YOUTUBE, source=source, trust=own.origins.ca_file)
    assert after.status == 200
    assert "our own code failed" not in own.log


def test_a_platform_that_is_put_in_is_decided_about(own: OfficeProxy) -> None:
    """A tunnel that was relayed to it is closed; the next one meets the rule."""
    change(own, policy().replace("platforms: [tiktok]", "platforms: [snapchat]"))
    source, trust = fresh_address(), own.origins.ca_file
    url = "https://www.tiktok.com/stream?seconds=60&rate=50000"
    relayed = own.client.start([url], source=source, trust=trust)
    other = own.client.start(["https://work.example/stream?seconds=8&rate=1000"], trust=trust)
    until(lambda: relayed.received() > 50_000, "the relayed tunnel", PATIENCE)
    change(own, policy())
    (reply,) = relayed.finish()
    assert reply.exit_code != 0
    assert own.client.open(TIKTOK, source=source).reason == "blocked"
    (untouched,) = other.finish()
    assert (untouched.exit_code, len(untouched.body)) == (0, 8000)


def test_seats_and_roles_follow(own: OfficeProxy) -> None:
    """Another person sits at the device, and somebody has a role, from the next request on."""
    rule = "  - {name: Marketing, roles: [marketing], platforms: [tiktok], then: allow}"
    text = policy().replace("rules:\n", f"rules:\n{rule}\n")
    (own.rules / "people.yaml").write_text(people("  marketing: {members: [zoe]}\n"))
    change(own, text)
    assert own.client.open(TIKTOK, source="127.0.2.1").reason == "blocked"
    seats = people("  marketing: {members: [zoe]}\n").replace(
        "127.0.2.1: reception", "127.0.2.1: zoe"
    )
    (own.rules / "people.yaml").write_text(seats)
    change(own, text)
    assert own.client.open(TIKTOK, source="127.0.2.1").status == 200
    (own.rules / "people.yaml").write_text(seats.replace("[zoe]", "[]"))
    change(own, text)
    assert own.client.open(TIKTOK, source="127.0.2.1").reason == "blocked"


def test_required_tests_hold_rules_back(own: OfficeProxy) -> None:
    """A policy that requires tests: rules that fail them do not come into force."""
    tests = own.rules / "tests"
    tests.mkdir()
    (tests / "tiktok.yaml").write_text(
        "tests:\n  - name: TikTok stays out\n    start: 2026-11-02 09:00\n    day:\n"
        f"      - {{at: 09:00, user: dora, opens: '{TIKTOK}', expect: {{verdict: block}}}}\n"
    )
    required = policy() + "reload: {require_tests: true}\n"
    change(own, required)
    in_force = version(own)
    opened = required.replace("    then: block\n", "    then: allow\n").replace(
        "    message: TikTok", "    # "
    )
    (own.rules / "policy.yaml").write_text(opened)
    answer = own.cli("rules", "reload", "--web", f"127.0.0.1:{own.web_port}")
    assert answer.returncode == 1
    assert "TikTok stays out" in answer.stderr
    assert version(own) == in_force
    shutil.rmtree(tests)
    change(own, policy())


@pytest.mark.parametrize(
    "damage",
    ["broken", *(pytest.param(each, marks=pytest.mark.long) for each in ("empty", "gone"))],
)
def test_a_restart_with_broken_rules(origins: Origins, tmp_path: Path, damage: str) -> None:
    """It starts with the last good ones and says so everywhere; with --strict it does not start."""
    with office(tmp_path, origins) as proxy:
        before = version(proxy)
        until(lambda: list(tmp_path.glob("var/last-good-rules/*/current")), "the copy", PATIENCE)
        proxy.stop()
        if damage == "broken":
            (proxy.rules / "policy.yaml").write_text("version: 1\nrules: [\n")
        else:
            shutil.rmtree(proxy.rules)
        if damage == "empty":
            proxy.rules.mkdir()
        strict = subprocess.run(
            [*proxy.command(), "--strict"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert strict.returncode == 1
        assert str(proxy.rules) in strict.stderr
        proxy.start()
        assert version(proxy) == before
        assert proxy.client.open(TIKTOK, source=fresh_address()).reason == "blocked"
        assert "ATTENTION" in proxy.log
        assert "kept from before the start" in proxy.web("/readyz")[1]
        assert metric(proxy, "rules_last_reload_ok") == 0


def test_broken_rules_at_the_very_first_start(origins: Origins, tmp_path: Path) -> None:
    """There never was a good set: every problem is printed, and the exit code is 1."""
    proxy = office(tmp_path, origins)
    (proxy.rules / "policy.yaml").write_text("version: 2\ntimezone: Nowhere/At_All\n")
    answer = proxy.attempt()
    assert answer.returncode == 1
    assert "bad-version" in answer.stderr
    assert "bad-zone" in answer.stderr


@pytest.mark.long
def test_rules_that_only_observe(origins: Origins, tmp_path: Path) -> None:
    """Nothing is stopped or cut, everything is counted and charged; enforced later, it counts what
    was used."""
    observing = "mode: observe\n" + policy(warn="2s")
    with office(tmp_path, origins, observing) as proxy:
        source = fresh_address()
        assert proxy.client.open(TIKTOK, source=source).status == 200
        url = "https://www.facebook.com/stream?seconds=8&rate=100000&type=video/mp4"
        (video,) = proxy.client.start([url], source=source).finish()
        assert (video.exit_code, len(video.body)) == (0, 800_000)
        assert proxy.client.open(FACEBOOK, source=source).status == 200
        trust = proxy.origins.ca_file
        url = "https://chatter.example/stream?seconds=8&rate=50000"
        (tunnel,) = proxy.client.start([url], source=source, trust=trust).finish()
        assert (tunnel.exit_code, len(tunnel.body)) == (0, 400_000)
        until(lambda: proxy.spent(f"ip:{source}", "short") > 7, "time beyond the limit", PATIENCE)
        assert (
            metric(proxy, r'requests_total\{[^}]*reason="exhausted"[^}]*verdict="would_block"') >= 1
        )
        assert (
            metric(proxy, r'requests_total\{[^}]*reason="blocked"[^}]*verdict="would_block"') >= 1
        )
        assert metric(proxy, r'requests_total\{[^}]*verdict="block"') == 0
        assert metric(proxy, "cut_total") == 0
        change(proxy, policy())
        assert proxy.client.open(FACEBOOK, source=source).reason == "exhausted"
        assert proxy.client.open(TIKTOK, source=source).reason == "blocked"


def test_one_rule_that_observes(origins: Origins, tmp_path: Path) -> None:
    """The other rules are enforced meanwhile."""
    text = policy().replace("    then: block\n", "    then: block\n    mode: observe\n")
    assert noon_zone() in text
    with office(tmp_path, origins, text) as proxy:
        source = fresh_address()
        assert proxy.client.open(TIKTOK, source=source).status == 200
        spend_all(proxy.client, source=source)
        assert proxy.client.open(TIKTOK, source=source).status == 200
