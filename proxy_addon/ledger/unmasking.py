"""Who a pseudonym is, among the people whom this host knows; each query is audited first."""

from __future__ import annotations

import pwd
from collections.abc import Iterable, Iterator

from proxy_addon.core.audience import is_pattern
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.interface import AuditEntry, Ledger


def known_names(rules: RuleSet, users: Iterable[str]) -> Iterator[str]:
    """Names of the people file, of `users` (the password file) and of the accounts of this host, as
    written and folded."""
    people = rules.people
    members = (name for some in people.roles.values() for name in some if not is_pattern(name))
    device_users = (user for _, user, _ in people.devices if user)
    accounts = (account.pw_name for account in pwd.getpwall())
    for name in (*users, *members, *device_users, *accounts):
        yield name
        if name != name.casefold():
            yield name.casefold()


def unmask(
    ledger: Ledger,
    names: Pseudonyms,
    pseudonym: str,
    *,
    reason: str,
    actor: str,
    at: float,
    among: Iterable[str],
) -> str | None:
    """Audit the attempt, then look; None when nobody among the names has that pseudonym. Raises
    LedgerError, and then returns no name: nobody is unmasked without an audit entry."""
    ledger.audit(AuditEntry(at, actor, "unmask", pseudonym, reason))
    return names.search(pseudonym, among)
