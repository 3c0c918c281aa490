"""Who a recorded event belongs to, by the proxy's own way of identifying people."""

from __future__ import annotations

from proxy_addon.core.audience import keep
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.identity.identification import DeviceMap, Identity, who_is_at
from proxy_addon.identity.passwords import person_name
from proxy_addon.network.guards import plain_address

_KEPT = 20_000  # people remembered; all are forgotten when there are more
_ADDRESS = "ip:"


class RecordedPeople:
    """The people of one recording under one set of rules.

    A name that was recorded counts as signed in, and is written as the proxy writes it. Who has
    only an address is looked up in the device map, and without an entry is who the policy says that
    unidentified people are.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._devices = DeviceMap(rules.people)
        self._role = rules.unidentified_role
        self._known: dict[tuple[str, str], Identity] = {}

    def of(self, user: str, client: str) -> Identity:
        """Somebody of whom `user` (a name, or `ip:ADDRESS`) was recorded, at the address
        `client`."""
        found = self._known.get((user, client))
        if found is None:
            found = self._look_up(user, client)
            keep(self._known, (user, client), found, _KEPT)
        return found

    def _look_up(self, user: str, client: str) -> Identity:
        if user.startswith(_ADDRESS):
            return self._at(user.removeprefix(_ADDRESS))
        try:
            return Identity(person_name(user), True, "sign-in")
        except ValueError:  # a name that nobody can have counts as none
            return self._at(client if plain_address(client) is not None else user)

    def _at(self, address: str) -> Identity:
        who = who_is_at(address, self._devices, self._role)
        if plain_address(address) is None:  # the name of a machine: not one for all of them
            return who._replace(name=f"{_ADDRESS}{address.lower()}")
        return who
