"""`allowance people export|erase|unmask`: what is stored about a person, erasing it, and who a
pseudonym is."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from db.address import journal_folder, parse
from db.ledger import SqlLedger
from db.upgrade import upgrade_existing
from proxy_addon.cli.audit import line
from proxy_addon.cli.common import (
    AsJson,
    Config,
    Database,
    Passwords,
    Rules,
    exit_with,
    operator,
    print_json,
    say,
    write_private,
)
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.ledger_access import ledger_name, ledger_now, masked_ledger, reason_words
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.open_windows import open_until
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Grant
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.identity.pseudonyms import is_pseudonym
from proxy_addon.ledger import unmasking
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import EVERYBODY, Ledger, Records
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.ledgers_seen import LedgersSeen
from proxy_addon.ledger.pseudonymous import PseudonymLedger, ledger_pseudonyms
from proxy_addon.ledger.replay import replay
from proxy_addon.ledger.unmasking import known_names
from proxy_addon.metering.usage_book import PersonUsage
from proxy_addon.observability import decision_log
from proxy_addon.presentation import visit_evidence as evidence
from proxy_addon.presentation.durations import iso
from proxy_addon.report.roles import Roles
from proxy_addon.rules import folder as rules_folder

FORMAT = "allowance-person"
VERSION = 1

User = Annotated[str, typer.Argument(help="The name as the rule files write it, or ip:ADDRESS.")]


@dataclass(frozen=True, slots=True)
class _Files:
    """What one command has open."""

    settings: Settings
    engine: Engine
    ledger: Ledger
    database: SqlLedger
    passwords: PasswordFile
    now: float

    @property
    def rules(self) -> RuleSet:
        return self.engine.rule_set


def export(
    user: User,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write here instead, mode 0600.")
    ] = None,
    rules: Rules = None,
    database: Database = None,
    passwords: Passwords = None,
    config: Config = None,
) -> None:
    """Export everything that is stored about one person, as JSON."""
    name = ledger_name(user)
    with _opened(rules, database, passwords, config) as files:
        document = _document(files, name)
        if output is None:
            print_json(document)
            return
        text = json.dumps(document, indent=2, ensure_ascii=False)
        write_private(output, text + "\n", "--output")
    say(f"Everything that is stored about {name} is in {output}.")


def erase(
    user: User,
    now: Annotated[
        bool,
        typer.Option(
            "--now", help="Also while a window with usage is open; its minutes are given back."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; kept in the audit, without a name.")
    ] = "on request",
    rules: Rules = None,
    database: Database = None,
    passwords: Passwords = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Delete everything about one person: ledger, requests, sign-in, and the name in the audit.

    Running proxies forget the person within two seconds.
    """
    name = ledger_name(user)
    why = reason_words(reason) if reason.strip() else "on request"
    with _opened(rules, database, passwords, config) as files:
        _replay_journals(files)
        found = files.ledger.records(name)
        signs_in = name in files.passwords.users()
        if not any(found.counts.values()) and not signs_in and not _decisions(files, name):
            exit_with(f"nothing is stored about {name}")
        if not now and (until := _open_until(files, name, found)) is not None:
            ends = iso(until, files.rules.zone)
            exit_with(
                f"{name} has used something in a window that is open until {ends}; erase then, or --now"
            )
        if not yes and is_interactive():
            typer.confirm(f"Delete everything about {name}? It cannot be brought back", abort=True)
        label = f"erased:{secrets.token_hex(4)}"
        erasure = Erasure.of(name, files.now)
        actor = f"cli:{operator()}"
        found = files.ledger.erase(erasure, name, label=label, actor=actor, reason=why)
        if signs_in:
            files.passwords.remove(name)
        noted = _erase_decisions(files, name)
        mentions = _mentions(files.rules, name)
    counts = found.counts | {"sign-in": int(signs_in)} | noted
    if as_json:
        print_json({"label": label, "erased": counts, "rules_name_them": mentions})
        return
    say(f"Erased: {', '.join(f'{count} {what}' for what, count in counts.items())}.")
    say(f"In the audit they are now {label}.")
    for mention in mentions:
        say(f"The rules still name them: {mention}. Next: remove the name there.")


def is_interactive() -> bool:
    """Whether a person can be asked on a terminal."""
    return sys.stdin.isatty()


def unmask(
    pseudonym: Annotated[str, typer.Argument(help="As reports show it: p:…")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")],
    rules: Rules = None,
    database: Database = None,
    passwords: Passwords = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show who is behind a pseudonym, among the people whom this host knows. Each attempt is
    recorded in the audit."""
    if not is_pseudonym(pseudonym):
        exit_with(
            f"PSEUDONYM: {pseudonym!r} is not a pseudonym; write p: and sixteen letters or digits, as reports show it"
        )
    why = reason_words(reason)
    with _opened(rules, database, passwords, config) as files:
        names = ledger_pseudonyms(files.database, files.settings.pseudonym_key)
        actor = f"cli:{operator()}"
        masked_actor = names.actor(actor) if files.rules.pseudonyms else actor
        name = unmasking.unmask(
            files.database,
            names,
            pseudonym,
            reason=why,
            actor=masked_actor,
            at=files.now,
            among=known_names(files.rules, files.passwords.users()),
        )
    if name is None:
        exit_with(
            f"{pseudonym} is nobody of the password file, the people file or the accounts of this host"
        )
    if as_json:
        print_json({"pseudonym": pseudonym, "name": name}, indent=None)
    else:
        say(name)


@contextmanager
def _opened(
    rules: Path | None, database: str | None, passwords: Path | None, config: Path | None
) -> Iterator[_Files]:
    with one_line_errors():
        settings = load_settings(
            {"rules": rules, "database": database, "passwords": passwords}, config
        )
        engine = Engine(rules_folder.load(settings.rules))
        file = PasswordFile(settings.passwords)
        upgrade_existing(settings.database)
        with closing(SqlLedger(settings.database, "cli")) as ledger:
            asked = masked_ledger(ledger, engine.rule_set, settings)
            yield _Files(settings, engine, asked, ledger, file, ledger_now(ledger))


def _replay_journals(files: _Files) -> None:
    """What proxies of this host that are gone had left goes to the ledger, to be erased there. A
    proxy that runs empties its own while it reaches the ledger, and what comes late is not taken
    any more."""
    folder = journal_folder(files.settings.journal, files.settings.database)
    with redirect_stdout(sys.stderr):  # what it logs is not the answer of this command
        address = parse(files.settings.database).identity
        us = JournalOwner(address, files.database.identity(), _key_id(files.ledger))
        replay(folder, us, files.ledger, seen=LedgersSeen(files.settings.state).all())


def _key_id(ledger: Ledger) -> str | None:
    return ledger.names.key_id if isinstance(ledger, PseudonymLedger) else None


def _is_them(files: _Files, name: str) -> Callable[[str], bool]:
    """Whether a name of the decision log is theirs: as it is, or as the ledger calls them."""
    names = files.ledger.names if isinstance(files.ledger, PseudonymLedger) else None
    return {name, names.of(name) if names is not None else name}.__contains__


def _erase_decisions(files: _Files, name: str) -> dict[str, int]:
    """Their lines in the decision log of this host, where there is one; how many."""
    if files.settings.decision_log is None:
        return {}
    try:
        return {"decisions": decision_log.erase(files.settings.decision_log, _is_them(files, name))}
    except OSError as error:
        exit_with(
            f"the rest is erased, but not the decision log: {error.filename}: {error.strerror}"
        )


def _decisions(files: _Files, name: str) -> list[dict[str, Any]]:
    if files.settings.decision_log is None:
        return []
    try:
        return list(decision_log.about(files.settings.decision_log, _is_them(files, name)))
    except OSError as error:
        exit_with(f"the decision log cannot be read: {error.filename}: {error.strerror}")


def _open_until(files: _Files, name: str, found: Records) -> float | None:
    usage = PersonUsage()
    for visit in found.visits:
        usage.apply(visit)
    person = Roles(files.engine).person(name, files.now)
    ends = (
        open_until(
            files.rules,
            allowance,
            files.engine.limits(person, allowance, files.now),
            usage,
            files.now,
        )
        for allowance in files.rules.allowances
    )
    return max((end for end in ends if end is not None), default=None)


def _mentions(rules: RuleSet, name: str) -> list[str]:
    """Where the administrator's files name somebody."""

    def is_them(text: str | None) -> bool:
        return text is not None and text.casefold() == name

    roles = [
        f"role {role}" for role, members in rules.people.roles.items() if any(map(is_them, members))
    ]
    devices = [f"device {network}" for network, user, _ in rules.people.devices if is_them(user)]
    overrides = [
        f"an override of {allowance.name}"
        for allowance in rules.allowances.values()
        if any(is_them(user) for each in allowance.overrides for user in each.users)
    ]
    named = [f"rule {rule.name!r}" for rule in rules.rules if any(map(is_them, rule.users))]
    return [*roles, *devices, *overrides, *named]


def _document(files: _Files, name: str) -> dict[str, Any]:
    """The documented form: docs/privacy.md. Instants are ISO in the zone of the policy, times in
    seconds."""
    zone = files.rules.zone

    def at(instant: float | None) -> str | None:
        return None if instant is None else iso(instant, zone)

    found = files.ledger.records(name)
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": at(files.now),
        "user": name,
        "roles": list(Roles(files.engine).person(name, files.now).roles),
        "signs_in": name in files.passwords.users(),
        "rules_name_them": _mentions(files.rules, name),
        "visits": [
            {
                "platform": visit.platform,
                "section": visit.section,
                "allowance": visit.allowance,
                "rule": visit.rule,
                "start": at(visit.start),
                "end": at(visit.end),
                "node": visit.node,
                "evidence": evidence.data(visit, files.now, zone),
            }
            for visit in found.visits
        ],
        "grants": [_grant(grant, at) for grant in found.grants],
        "requests": [
            {
                "allowance": each.allowance,
                "seconds": each.seconds,
                "reason": each.reason,
                "status": each.status,
                "created": at(each.created),
                "decided": at(each.decided),
                "decided_by": each.decided_by,
                "granted_until": at(each.until),
                "note": each.note,
            }
            for each in found.requests
        ],
        **_written_policies(found, at),
        "audit": [line(entry) for entry in found.audit],
        "audit_of_everybody": [line(entry) for entry in files.ledger.audit_log(subject=EVERYBODY)],
        "decisions": _decisions(files, name),
    }


def _written_policies(found: Records, at: Callable[[float], str | None]) -> dict[str, Any]:
    """What they have confirmed, and what they were shown."""
    return {
        "acknowledgements": [
            {
                "notice": each.notice,
                "version": each.version,
                "digest": each.digest,
                "at": at(each.at),
                "page": each.page,
            }
            for each in found.acknowledgements
        ],
        "notices_shown": [
            {
                "notice": each.notice,
                "version": each.major,
                "first": at(each.first),
                "not_again_before": at(each.later) if each.later else None,
            }
            for each in found.meetings
        ],
    }


def _grant(grant: Grant, at: Any) -> dict[str, Any]:
    return {
        "allowance": grant.allowance,
        "seconds": grant.seconds,
        "resets": grant.resets,
        "reason": grant.reason,
        "granted_by": grant.granted_by,
        "created": at(grant.created),
        "expires": at(grant.expires),
    }
