"""Under which role somebody is counted: the first that the rules in force give at the time of the
visit.

A rota is asked for that very instant. An address has the role of its device, or of people whom
nobody could identify. Somebody known by a pseudonym has a role only where the name is known on this
host.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import Person

NOT_KNOWN = "not known"
_ADDRESS = "ip:"


class Roles:
    """People of the ledger with their roles. `names`: who is behind a pseudonym, as far as that is
    known."""

    def __init__(self, engine: Engine, names: Mapping[str, str] | None = None) -> None:
        """With `names` the role of everybody who is not among them is not known; without, names are
        names."""
        self._engine = engine
        self._names = names
        self._by_address = lru_cache(maxsize=65_536)(self._address)

    def person(self, ledger_name: str, at: float) -> Person:
        """Somebody with the roles in force at an instant; who is not known has the default role."""
        name = ledger_name if self._names is None else self._names.get(ledger_name, ledger_name)
        if name.startswith(_ADDRESS):
            return self._by_address(name)
        return self._engine.person(name, at)

    def role(self, ledger_name: str, at: float) -> str:
        """The one role that a visit counts for."""
        if self._names is not None and ledger_name not in self._names:
            return NOT_KNOWN
        return self.person(ledger_name, at).roles[0]

    def _address(self, name: str) -> Person:
        rules = self._engine.rule_set
        try:
            address = ip_address(name.removeprefix(_ADDRESS))
        except ValueError:
            return Person(name, (rules.unidentified_role or NOT_KNOWN,))
        for network, _, role in rules.people.devices:
            if role is not None and address in network:
                return Person(name, (role,))
        return Person(name, (rules.unidentified_role or NOT_KNOWN,))
