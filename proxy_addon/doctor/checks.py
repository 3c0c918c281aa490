"""All checks in their order: the machine first, then what the proxy needs, then access to the
sites."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from db.address import journal_folder
from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import Settings
from proxy_addon.core.rules.problems import RuleProblem
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.doctor import certificates as authority
from proxy_addon.doctor import database, host, ports
from proxy_addon.doctor import rules as policy
from proxy_addon.doctor import secret_files as keys
from proxy_addon.doctor import upstream as sites
from proxy_addon.doctor.check import Check, CheckFunction, run_checks
from proxy_addon.system.clock import SystemClock


def all_checks(settings: Settings, probe: HostPort | None, home: Path) -> Iterator[Check]:
    """Every check of an installation. `home`: where the user's browsers keep their lists of
    certificates."""
    rules, problems, fault = _rules(settings.rules)
    now = SystemClock().now
    target = probe or (sites.host_of(rules) if rules else None)
    checks: list[tuple[str, CheckFunction]] = [
        ("python", host.python),
        ("packages", host.packages),
        ("open files", partial(host.files, settings.workers)),
        ("clock", host.clock),
        ("time zones", lambda: host.zones(str(rules.zone) if rules else None)),
        ("disk", lambda: host.disks(_folders(settings))),
        ("rules", lambda: _policy(settings.rules, rules, problems, fault)),
        ("ports", lambda: ports.ports(settings.listen, settings.web)),
        ("CA", lambda: authority.authority(settings.confdir, now())),
        ("CA trust", lambda: authority.system_trust(settings.confdir)),
        ("CA in Chromium", lambda: authority.browser_trust(settings.confdir, home)),
        ("passwords", lambda: keys.passwords(settings.passwords, settings.sign_in)),
        (
            "pseudonym key",
            lambda: keys.pseudonyms(settings.pseudonym_key, bool(rules and rules.pseudonyms)),
        ),
        ("database", lambda: database.database_checks(settings, now())),
        ("journal", lambda: database.journal_checks(settings)),
        ("upstream", lambda: sites.sites(settings, target, now(), rules is not None)),
    ]
    yield from run_checks(checks)


def _rules(folder: Path) -> tuple[RuleSet | None, list[RuleProblem], Exception | None]:
    """The rules, which other checks need as well; the check of the rules reports what went
    wrong."""
    try:
        return *policy.read(folder), None
    except Exception as fault:
        return None, [], fault


def _policy(
    folder: Path, rules: RuleSet | None, problems: list[RuleProblem], fault: Exception | None
) -> Iterator[Check]:
    if fault is not None:
        raise fault
    yield from policy.policy(folder, rules, problems)


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    """What is kept in which folder."""
    yield "ledger", journal_folder(settings.journal, settings.database).parent
    yield "rules in force", settings.state
    yield "CA", settings.confdir
