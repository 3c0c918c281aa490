"""Checks of rule files that need more than the value, such as the names that are defined.

A name that is not defined is an error at the place where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationInfo

from proxy_addon.core.rules import parsers
from proxy_addon.core.rules.calendars import Sources
from proxy_addon.core.rules.parsers import BadValue, kind, quote
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import Then

_THEN = "write allow, block or {spend: an allowance}"


@dataclass(frozen=True, slots=True)
class DefinedNames:
    """The names that are defined. None: unknown (a file is broken), so such names are not
    checked."""

    roles: frozenset[str] | None = None
    sections: Mapping[str, frozenset[str] | None] | None = None  # platform -> its sections
    groups: frozenset[str] | None = None
    allowances: frozenset[str] | None = None
    calendars: frozenset[str] | None = None
    sources: Sources | None = None  # None: calendars are not looked up, and are empty
    zone: ZoneInfo | None = None


class Consequence(NamedTuple):
    """The value of `then`."""

    then: Then
    allowance: str | None = None


class DeviceUser(NamedTuple):
    """The user and role of an address."""

    user: str | None
    role: str | None


def names_of(info: ValidationInfo) -> DefinedNames:
    """What is declared in the files being read."""
    names = info.context
    return names if isinstance(names, DefinedNames) else DefinedNames()


def known_role(role: str, info: ValidationInfo) -> str:
    """The role, if it is defined."""
    names = names_of(info)
    if names.roles is not None and role not in names.roles:
        message = f"role {quote(role)} is not defined"
        raise BadValue(
            Code.UNKNOWN_ROLE, message, defined("roles", names.roles), near=(role, names.roles)
        )
    return role


def known_target(word: str, info: ValidationInfo) -> str:
    """A platform, a group, or a section of a platform, if it is defined."""
    names = names_of(info)
    platform, slash, section = word.partition("/")
    if names.sections is None or names.groups is None or (not slash and word in names.groups):
        return word
    if platform not in names.sections:
        near = (platform, (*names.sections, *(() if slash else names.groups)))
        hint = "platforms are defined in the folder platforms/"
        raise BadValue(
            Code.UNKNOWN_PLATFORM, f"platform {quote(platform)} is not defined", hint, near=near
        )
    sections = names.sections[platform]
    if slash and sections is not None and section not in sections:
        message = f"platform {quote(platform)} has no section {quote(section)}"
        raise BadValue(
            Code.UNKNOWN_SECTION, message, defined("sections", sections), near=(section, sections)
        )
    return word


def _known_allowance(allowance: str, info: ValidationInfo) -> str:
    names = names_of(info)
    if names.allowances is not None and allowance not in names.allowances:
        raise BadValue(
            Code.UNKNOWN_ALLOWANCE,
            f"allowance {quote(allowance)} is not defined",
            defined("allowances", names.allowances),
            near=(allowance, names.allowances),
        )
    return allowance


def whole_platform(word: str) -> str:
    """A member of a group: no section."""
    if "/" in word:
        raise BadValue(
            Code.BAD_NAME, f"{quote(word)} is a section", "a group lists platforms and other groups"
        )
    return word


def defined(what: str, names: Collection[str]) -> str:
    """The hint when no name is similar: the defined names, if they are few."""
    if not names:
        return f"no {what} are defined"
    return f"the {what} are {', '.join(sorted(names))}" if len(names) <= 8 else ""


def group_list(value: object) -> object:
    """The list of a group; an empty group would make its rules fit every platform."""
    if value is None or value == []:
        raise BadValue(
            Code.EMPTY_LIST, "the group is empty", "write a platform into it, or remove the group"
        )
    return listed(value)


def some(value: object) -> object:
    """A list that is not empty: an empty one would fit everybody, which is never meant."""
    if value is None or value == []:
        raise BadValue(Code.EMPTY_LIST, "the list is empty", "fill it, or leave the key out")
    return listed(value)


def some_or_one(value: object) -> object:
    """One value, or a list with something in it."""
    return [value] if isinstance(value, str | int) else some(value)


def any_list(value: object) -> object:
    """A list; nothing is an empty one (all its lines are commented out)."""
    return [] if value is None else listed(value)


def listed(value: object) -> object:
    """A list; one bare word is refused, since `anna, bob` would be one name."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        text = str(value)
        hint = f"write [{text}]" if len(text) <= 60 and text.isprintable() else "write [one, two]"
        raise BadValue(Code.WRONG_TYPE, f"a list is expected here, not {kind(value)}", hint)
    return value


def keyed(value: object) -> object:
    """A block of keys; nothing is an empty one (all its lines are commented out)."""
    return {} if value is None else value


def choice(*choices: str) -> Callable[[object], str]:
    """A check that a value is one of some words."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            hint = f"write {', '.join(choices[:-1])} or {choices[-1]}"
            raise BadValue(Code.BAD_CHOICE, f"{quote(value)} is not a choice here", hint)
        return value

    return check


def whole(most: int) -> Callable[[object], int]:
    """A check that a value is a whole number from 1 to `most`."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise BadValue(
                Code.BAD_NUMBER,
                f"{quote(value)} is not a whole number from 1 to {most}",
                "write it without a unit, such as 10",
            )
        return value

    return check


def consequence(value: object, info: ValidationInfo) -> Consequence:
    """`allow`, `block`, or `{spend: allowance}`."""
    if value in ("allow", "block"):
        return Consequence(Then(str(value)))
    if not isinstance(value, Mapping):
        raise BadValue(Code.BAD_THEN, f"{quote(value)} is not a consequence", _THEN)
    _only(value, ("spend",), "`then`", _THEN)
    if "spend" not in value:
        raise BadValue(Code.BAD_THEN, "`then` is empty", _THEN)
    return Consequence(
        Then.SPEND, _part(value, "spend", lambda found: _known_allowance(parsers.name(found), info))
    )


def unidentified(value: object) -> str | None:
    """`refuse` (None) or `{role: guest}`."""
    if value == "refuse":
        return None
    if isinstance(value, Mapping) and list(value) == ["role"]:
        return _part(value, "role", parsers.name)
    raise BadValue(
        Code.BAD_CHOICE, f"{quote(value)} is not a choice here", "write refuse or {role: guest}"
    )


def device_user(value: object, info: ValidationInfo) -> DeviceUser:
    """A user, `{role: r}`, or `{user: u, role: r}`."""
    if not isinstance(value, Mapping):
        return DeviceUser(parsers.name(value), None)
    _only(value, ("user", "role"), "a device", "a device has user, role or both")
    if not value:
        raise BadValue(
            Code.MISSING_KEY,
            "this device has neither a user nor a role",
            "write a user, or {role: guest}",
        )
    user = _part(value, "user", parsers.name)
    return DeviceUser(
        user, _part(value, "role", lambda found: known_role(parsers.name(found), info))
    )


def _only(value: Mapping[str, object], keys: tuple[str, ...], what: str, hint: str) -> None:
    for key in value:
        if key not in keys:
            raise BadValue(
                Code.UNKNOWN_KEY, f"{quote(key)} is not a key of {what}", hint, at=(key,)
            )


def _part(value: Mapping[str, object], key: str, parse: Callable[[object], str]) -> str | None:
    """`parse` of one key, with its error placed there; None where the key is missing."""
    return placed(key, lambda: parse(value[key])) if key in value else None


def placed[T](key: str, parse: Callable[[], T]) -> T:
    """`parse`, with its error placed at a key."""
    try:
        return parse()
    except BadValue as error:
        error.at = (key, *error.at)
        raise
