"""A test made ready to run: every time is an instant, every URL has been looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from proxy_addon.core.catalogue import Catalogue, Hit
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.rules.parsers import quote
from proxy_addon.core.rules.problems import Place
from proxy_addon.core.ruleset import RuleSet, Section
from proxy_addon.rule_tests.models import WallTime
from proxy_addon.rule_tests.problems import BadTestError, TestCode
from proxy_addon.rules.lookup import UrlLookup, address_of


class Visits(NamedTuple):
    """Somebody uses a platform for so many seconds."""

    address: UrlLookup
    seconds: float


class Opens(NamedTuple):
    """Somebody opens a URL; `expect` has the fields that are looked at (`until` as an instant)."""

    url: str
    address: UrlLookup
    expect: tuple[tuple[str, object], ...]


class Given(NamedTuple):
    """Somebody gets more; `until` None = as long as grants of this allowance last."""

    allowance: str
    seconds: float
    reason: str
    until: float | None


class Restart(NamedTuple):
    """The proxy is stopped and started again."""


@dataclass(frozen=True, slots=True)
class DayStep:
    """One entry of `day:`."""

    at: float
    place: Place
    user: str
    does: Visits | Opens | Given | Restart


@dataclass(frozen=True, slots=True)
class Plan:
    """One test. `people` maps a user to the roles in force for this test."""

    name: str
    place: Place
    start: float
    people: Mapping[str, tuple[str, ...]]
    steps: tuple[DayStep, ...]


def instant(wall: WallTime, today: date, zone: ZoneInfo) -> float:
    """The instant of a time on a day. A time that comes twice is the first one, unless it has an
    offset."""
    at = datetime.combine(wall.day or today, datetime.min.time()) + timedelta(seconds=wall.seconds)
    if wall.offset is not None:
        return at.replace(tzinfo=timezone(wall.offset)).timestamp()
    local = at.replace(tzinfo=zone)
    shown = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if shown != at:
        message = f"{at:%Y-%m-%d %H:%M} does not exist: the clocks are put forward over it"
        raise BadTestError(TestCode.BAD_TIME, message, f"write {shown:%H:%M}")
    return local.timestamp()


def address_in(catalogue: Catalogue, url: str) -> UrlLookup:
    """A URL of a test file, looked up."""
    try:
        return address_of(catalogue, url)
    except ValueError as error:
        raise BadTestError(TestCode.BAD_URL, str(error)) from None


def place_to_visit(
    machine: CompiledPolicy, platform: str, section: str | None, url: str | None
) -> UrlLookup:
    """The page that a visit opens: the URL given, or one of the platform's own that counts as a
    visit."""
    if url is not None:
        return _given(machine, platform, section, url)
    for candidate in _candidates(machine.rules, platform, section):
        found = address_in(machine.catalogue, candidate)
        if _is_there(found.hit, platform, section) and not _is_nothing(found.hit):
            return found
    where = f"{platform}/{section}" if section else platform
    message = f"no page of {quote(where)} could be made up that counts as a visit"
    raise BadTestError(TestCode.NEVER_A_VISIT, message, "add url: with a page of it")


def _given(machine: CompiledPolicy, platform: str, section: str | None, url: str) -> UrlLookup:
    found = address_in(machine.catalogue, url)
    if not _is_there(found.hit, platform, section) and (
        section or _platform(found.hit) != platform
    ):
        where = f"{platform}/{section}" if section else platform
        message = f"{quote(url)} is {_called(found.hit)}, not {where}"
        raise BadTestError(
            TestCode.WRONG_PLACE, message, "correct the URL, the platform or the section"
        )
    if _is_nothing(found.hit):
        message = (
            f"{quote(url)} is telemetry or a part of other sites' pages, which is never a visit"
        )
        raise BadTestError(TestCode.NEVER_A_VISIT, message, "give a page that people open")
    return found


def _candidates(rules: RuleSet, platform: str, section: str | None) -> list[str]:
    """URLs that may be pages of the section (or of the platform outside of its sections)."""
    entry = rules.platforms[platform]
    hosts = [_sample(host) for host in entry.hosts]
    if section is None:
        return [f"https://{host}{path}" for host in hosts for path in ("/", "/a/page")]
    part = next((one for one in entry.sections if one.name == section), Section(section))
    urls = [f"https://{_sample(host)}/" for host in part.hosts]
    for path in map(_sample, part.paths):
        if path.startswith("/"):
            urls += [f"https://{host}{path}" for host in hosts]
        else:
            urls += (
                [f"https://{path}"]
                if "." in path.partition("/")[0]
                else [f"https://{hosts[0]}/{path}"]
            )
    return urls


def _sample(pattern: str) -> str:
    """Something that a pattern fits: "=x.com" is "x.com", "/jobs/*" is "/jobs/a"."""
    return pattern.removeprefix("=").removeprefix("*.").replace("*", "a")


def _platform(hit: Hit | None) -> str | None:
    return None if hit is None else hit.platform


def _is_there(hit: Hit | None, platform: str, section: str | None) -> bool:
    return hit is not None and hit.platform == platform and hit.section == section


def _is_nothing(hit: Hit | None) -> bool:
    return hit is not None and (hit.embed or hit.background)


def _called(hit: Hit | None) -> str:
    if hit is None:
        return "of no platform"
    return f"{hit.platform}/{hit.section}" if hit.section else hit.platform
