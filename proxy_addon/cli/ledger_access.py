"""Shared by the commands that read the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from pathlib import Path

from db.ledger import SqlLedger
from db.upgrade import has_ledger, upgrade_existing
from proxy_addon.cli.common import exit_with
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Person
from proxy_addon.identity.passwords import person_name
from proxy_addon.ledger.interface import Ledger, whole_milliseconds
from proxy_addon.ledger.pseudonymous import PseudonymLedger, ledger_pseudonyms
from proxy_addon.ledger.time_requests import LONGEST, NotPossible, one_line
from proxy_addon.metering.usage_book import PersonUsage
from proxy_addon.presentation.durations import count
from proxy_addon.report.roles import Roles
from proxy_addon.rules import folder as rules_folder
from proxy_addon.system.clock import SystemClock

_SHOWN = 20  # characters of a reason that is too long


def ledger_name(text: str) -> str:
    """A name as the ledger writes it: folded, or `ip:ADDRESS`. Exits with 1 for what is not a
    name."""
    address = text.removeprefix("ip:")
    try:
        if address == text:
            return person_name(text)
        return text if address == "unknown" else f"ip:{ip_address(address)}"
    except ValueError as error:
        reason = (
            str(error) if address == text else "this is not an address; write it like ip:10.0.7.21"
        )
        exit_with(f"USER: {text!r}: {reason}")


def reason_words(text: str, option: str = "--reason") -> str:
    """Why something is done: on one line and of limited length, as in an employee's form. Exits
    with 1 otherwise."""
    try:
        words = one_line(text)
    except NotPossible:
        shown, size = text.strip()[:_SHOWN], len(text.strip())
        exit_with(f"{option}: {shown!r}… has {count(size, 'character')}; write at most {LONGEST}")
    if not words:
        exit_with(f"{option}: must say why; write a few words")
    return words


class CommandContext:
    """The rules and the ledger, opened for one command."""

    def __init__(self, engine: Engine, ledger: Ledger, now: float) -> None:
        self.engine = engine
        self.ledger = ledger
        self.now = now

    def person(self, name: str) -> Person:
        """Somebody of the ledger, with current roles; an address has the role of its device, or
        that of a guest."""
        return Roles(self.engine).person(name, self.now)

    def usage(self, person: str) -> PersonUsage:
        """What the ledger knows of one person, as far back as a balance can need it."""
        usage = PersonUsage()
        since = self.engine.needed_since(self.now)
        for visit in self.ledger.visits(since, person=person):
            usage.apply(visit)
        for grant in self.ledger.grants(since, person=person):
            usage.grant(grant)
        return usage


@contextmanager
def open_ledger(
    rules: Path | None, database: str | None, config: Path | None
) -> Iterator[CommandContext]:
    """Open what the running proxy uses; prints one line and exits with 1 when that is not
    possible."""
    with one_line_errors():
        settings = load_settings({"rules": rules, "database": database}, config)
        engine = Engine(rules_folder.load(settings.rules))
        with existing_ledger(engine.rule_set, settings) as ledger:
            yield CommandContext(engine, ledger, whole_milliseconds(ledger_now(ledger)))


def ledger_now(ledger: Ledger) -> float:
    """The instant by the clock that the proxies of this ledger go by."""
    told = ledger.clock()
    return SystemClock().now() if told is None else told


@contextmanager
def existing_ledger(rules: RuleSet, settings: Settings) -> Iterator[Ledger]:
    """The ledger of the settings, addressed by names. Raises LedgerError where there is none."""
    upgrade_existing(settings.database)
    with closing(SqlLedger(settings.database, "cli")) as ledger:
        yield masked_ledger(ledger, rules, settings)


@contextmanager
def ledger_if_any(rules: RuleSet, settings: Settings) -> Iterator[Ledger | None]:
    """The same, or None where no ledger has been made yet."""
    if has_ledger(settings.database):
        with existing_ledger(rules, settings) as ledger:
            yield ledger
    else:
        yield None


def masked_ledger(ledger: Ledger, rules: RuleSet, settings: Settings) -> Ledger:
    """The ledger, addressed by names; it translates to pseudonyms where the policy says so."""
    if not rules.pseudonyms:
        return ledger
    return PseudonymLedger(ledger, ledger_pseudonyms(ledger, settings.pseudonym_key))
