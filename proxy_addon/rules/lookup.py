"""The person and target for a user name and a URL, as an administrator types them.

For tests of rules and for explanations; the proxy itself knows both from the connection.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.catalogue import Catalogue, Hit
from proxy_addon.core.hosts import normalise
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.rules.parsers import quote
from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.identity.identification import DeviceMap, who_is_at
from proxy_addon.identity.passwords import person_name
from proxy_addon.network.guards import plain_address
from proxy_addon.trace.event import BadRecordError
from proxy_addon.trace.urls import Url, split_url

NOTHING = Url("", "", "", "")


class UrlLookup(NamedTuple):
    """A URL's host (normalised) and path with query, and what the catalogue knows of it (None: no
    platform)."""

    host: str
    path: str
    hit: Hit | None

    @property
    def target(self) -> Target | None:
        """The platform and section, or None."""
        return None if self.hit is None else Target(self.hit.platform, self.hit.section)


def address_of(catalogue: Catalogue, url: str) -> UrlLookup:
    """Parse a URL and look it up. Raises ValueError, with a message for the administrator, for an
    invalid URL."""
    try:
        cut = split_url(url.strip())
    except BadRecordError:
        cut = NOTHING
    host = normalise(cut.host)
    if not host or cut.scheme not in ("http", "https", "ws", "wss"):
        raise ValueError(f"{quote(url)} is not a URL; write it like https://www.linkedin.com/feed/")
    path = f"{cut.path}?{cut.query}" if cut.query else cut.path
    return UrlLookup(host, path, catalogue.lookup(host, path))


def person_of(engine: Engine, user: str, now: float) -> Person | None:
    """The person behind a name at an instant: a user, or `ip:ADDRESS` for a person known by the
    device alone.

    None for an address whose people the policy refuses. Raises ValueError for what is not a name.
    """
    if not user.startswith("ip:"):
        return engine.person(person_name(user), now)
    address = user.removeprefix("ip:")
    if plain_address(address) is None:
        raise ValueError(f"{quote(user)} is not an address; write it like ip:10.0.7.21")
    rules = engine.rule_set
    who = who_is_at(address, DeviceMap(rules.people), rules.unidentified_role)
    if who.refused:
        return None
    return Person(who.name, who.roles) if who.roles else engine.person(who.name, now)


def refused(engine: Engine, target: Target | None) -> Decision:
    """The decision for a person who has to be identified first."""
    if target is None or target.platform not in engine.rule_set.limited:
        return Decision(Verdict.ALLOW, Reason.NOT_LIMITED, *(target or (None, None)))
    return Decision(Verdict.BLOCK, Reason.UNIDENTIFIED, *target)
