"""The shape of test files (docs/rules-testing.md): one strict model a block of keys.

Names are looked up in a rule set, which is the context of the validation. Times of day stay as they
are written until the test is planned: "09:00" belongs to whatever day the test has reached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date, timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, model_validator

from proxy_addon.core.rules import schema_patterns
from proxy_addon.core.rules.parsers import BadValue, name, quote
from proxy_addon.core.rules.time_parsers import duration
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Reason, Verdict
from proxy_addon.identity.passwords import person_name
from proxy_addon.rule_tests.problems import BadTestError, TestCode

NONE = "none"  # as an expected rule, allowance, platform, section or `until`: there is none
_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_WALL = re.compile(rf"(?:(\d{{4}}-\d{{2}}-\d{{2}})[ T])?{_TIME}(Z|[+-]\d{{2}}:?\d{{2}})?", re.ASCII)
_NEVER = ("never", NONE)


class WallTime(NamedTuple):
    """A time as written: date (None: the day at hand), seconds after midnight, offset (None: the
    zone's)."""

    day: date | None
    seconds: int
    offset: timedelta | None


def wall(value: object) -> WallTime:
    """`09:00`, `2026-11-03 09:00`, `09:00:30`; behind it an offset where a time comes twice:
    `+01:00`."""
    match = _WALL.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 40 else None
    if match is None:
        return _no_time(value)
    day, hours, minutes, seconds, offset = match.groups()
    if int(hours) > 23 or int(minutes) > 59 or int(seconds or 0) > 59:
        return _no_time(value)
    try:
        which = date.fromisoformat(day) if day else None
    except ValueError:
        return _no_time(value)
    return WallTime(
        which, int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0), _offset(offset)
    )


def _offset(text: str | None) -> timedelta | None:
    if text is None or text == "Z":
        return None if text is None else timedelta(0)
    size = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return -size if text[0] == "-" else size


def _no_time(value: object) -> WallTime:
    hint = 'write "09:00" for the day at hand, or 2026-11-03 09:00'
    raise BadTestError(TestCode.BAD_TIME, f"{quote(value)} is not a time", hint)


def _start(value: object) -> WallTime:
    found = wall(value)
    if found.day is None:
        hint = "write for example 2026-11-02 09:00"
        raise BadTestError(TestCode.BAD_TIME, f"{quote(value)} has no date", hint)
    return found


def _until(value: object) -> WallTime | None:
    return None if isinstance(value, str) and value.strip() in _NEVER else wall(value)


def _length(value: object) -> float:
    try:
        return duration(value)
    except BadValue as bad:
        raise BadTestError(TestCode.BAD_LENGTH, bad.message, bad.hint) from None


def _some_length(value: object) -> float:
    seconds = _length(value)
    if not 0 < seconds <= 31 * 86_400:
        hint = "write for example 10m; the longest is 31d"
        raise BadTestError(TestCode.BAD_LENGTH, f"{quote(value)} cannot be how long it lasts", hint)
    return seconds


def _word(value: object) -> str:
    try:
        return name(value)
    except BadValue as bad:
        raise BadTestError(TestCode.BAD_NAME, bad.message, bad.hint) from None


def _user(value: object) -> str:
    word = _word(value)
    if word.startswith("ip:"):
        return _address(word)
    try:
        return person_name(word)
    except ValueError as bad:
        raise BadTestError(TestCode.BAD_NAME, f"{quote(word)} is not a user: {bad}") from None


def _address(word: str) -> str:
    try:
        return f"ip:{ip_address(word.removeprefix('ip:').strip())}"
    except ValueError:
        hint = "write for example ip:10.0.7.33"
        raise BadTestError(TestCode.BAD_NAME, f"{quote(word)} is not an address", hint) from None


def _url(value: object) -> str:
    if not isinstance(value, str) or not re.match(r"(?i)(?:https?|wss?)://\S", value.strip()):
        hint = "write for example https://www.linkedin.com/feed/"
        raise BadTestError(TestCode.BAD_URL, f"{quote(value)} is not a URL", hint)
    return value.strip()


def _choice(code: Collection[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value in code:
            return str(value)
        hint = f"there are {', '.join(code)}"
        raise BadTestError(
            TestCode.BAD_CHOICE,
            f"{quote(value)} is not one of the choices",
            hint,
            near=(str(value), code),
        )

    return check


def _or_none(value: object) -> str | None:
    word = _word(value)
    return None if word == NONE else word


def _would(value: object) -> str | None:
    word = _choice((*Verdict, NONE))(value)
    return None if word == NONE else word


def _yes(value: object) -> bool:
    if value is True:
        return True
    raise BadTestError(TestCode.BAD_CHOICE, f"{quote(value)} is not true", "write restart: true")


def _known(
    what: str, code: TestCode, names: Callable[[RuleSet], Collection[str]], *, or_none: bool = False
) -> Any:
    def check(value: object, info: ValidationInfo) -> str | None:
        word = _word(value)
        if or_none and word == NONE:
            return None
        there = names(_rules(info))
        if word not in there:
            hint = f"there are {', '.join(there)}" if 0 < len(there) <= 6 else ""
            raise BadTestError(
                code, f"there is no {what} {quote(word)} in the rules", hint, near=(word, there)
            )
        return word

    return PlainValidator(check, json_schema_input_type=schema_patterns.NAME)


def _rules(info: ValidationInfo) -> RuleSet:
    """The rule set that the test file is validated with."""
    if not isinstance(info.context, RuleSet):
        raise TypeError("test files are validated with a rule set as context")
    return info.context


def roles_in(rules: RuleSet) -> tuple[str, ...]:
    """Every role that can be given, in file order."""
    more = (
        rules.people.default_role,
        *([rules.unidentified_role] if rules.unidentified_role else []),
    )
    return tuple(dict.fromkeys((*rules.people.roles, *more)))


def _roles(value: object, info: ValidationInfo) -> tuple[str, ...]:
    words = [_word(one) for one in (value if isinstance(value, list) else [value])]
    there = roles_in(_rules(info))
    for word in words:
        if word not in there:
            message = f"there is no role {quote(word)} in the rules"
            hint = f"there are {', '.join(there)}"
            raise BadTestError(TestCode.UNKNOWN_ROLE, message, hint, near=(word, there))
    if not words:
        raise BadTestError(
            TestCode.WRONG_TYPE, "the list of roles is empty", "everybody has a role"
        )
    return tuple(role for role in there if role in words)


def _plain(check: Any, shape: Any = schema_patterns.NAME) -> PlainValidator:
    return PlainValidator(check, json_schema_input_type=shape)


def _one_of(words: Collection[str]) -> Any:
    return Annotated[str, Field(json_schema_extra={"enum": list(words)})]


User = Annotated[str, _plain(_user)]
Url = Annotated[str, _plain(_url, schema_patterns.URL)]
Section = Annotated[str, _plain(_word)]
PlatformName = Annotated[
    str, _known("platform", TestCode.UNKNOWN_PLATFORM, lambda rules: rules.platforms.keys())
]
AllowanceName = Annotated[
    str, _known("allowance", TestCode.UNKNOWN_ALLOWANCE, lambda rules: rules.allowances.keys())
]


class TestFileBlock(BaseModel):
    """A block of keys: a key that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class VisitsModel(TestFileBlock):
    """`visits:` somebody uses a platform for so long."""

    platform: PlatformName
    for_: Annotated[float, _plain(_some_length, schema_patterns.LENGTH)]
    section: Section | None = None
    url: Url | None = None

    model_config = ConfigDict(alias_generator=lambda key: key.rstrip("_"))


class GrantModel(TestFileBlock):
    """`grant:` somebody gets more minutes."""

    allowance: AllowanceName
    for_: Annotated[float, _plain(_some_length, schema_patterns.LENGTH)]
    reason: Section = "a test"
    until: Annotated[WallTime | None, _plain(wall, schema_patterns.MOMENT)] = None

    model_config = ConfigDict(alias_generator=lambda key: key.rstrip("_"))


class ExpectModel(TestFileBlock):
    """`expect:` what the answer has to be; only what is written is looked at."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    verdict: Annotated[str | None, _plain(_choice(tuple(Verdict)), _one_of(Verdict))] = None
    reason: Annotated[str | None, _plain(_choice(tuple(Reason)), _one_of(Reason))] = None
    rule: Annotated[
        str | None,
        _known(
            "rule",
            TestCode.UNKNOWN_RULE,
            lambda rules: [rule.name for rule in rules.rules],
            or_none=True,
        ),
    ] = None
    left: Annotated[float | None, _plain(_length, schema_patterns.LENGTH)] = None
    until: Annotated[WallTime | None, _plain(_until, schema_patterns.MOMENT | _one_of(_NEVER))] = (
        None
    )
    allowance: Annotated[
        str | None,
        _known(
            "allowance",
            TestCode.UNKNOWN_ALLOWANCE,
            lambda rules: rules.allowances.keys(),
            or_none=True,
        ),
    ] = None
    platform: Annotated[
        str | None,
        _known(
            "platform",
            TestCode.UNKNOWN_PLATFORM,
            lambda rules: rules.platforms.keys(),
            or_none=True,
        ),
    ] = None
    section: Annotated[str | None, _plain(_or_none)] = None
    would: Annotated[str | None, _plain(_would, _one_of((*Verdict, NONE)))] = None

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not self.model_fields_set:
            raise BadTestError(
                TestCode.EXPECTS_NOTHING, "`expect` is empty", "write for example verdict: spend"
            )
        return self


_ACTIONS = ("visits", "opens", "grant", "restart")


class StepModel(TestFileBlock):
    """One entry of `day:`; it does one thing."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [action]} for action in _ACTIONS],
            "dependentRequired": {
                "visits": ["user"],
                "opens": ["user", "expect"],
                "expect": ["opens"],
                "grant": ["user"],
            },
        }
    )

    at: Annotated[WallTime, _plain(wall, schema_patterns.MOMENT)]
    user: User | None = None
    visits: VisitsModel | None = None
    opens: Url | None = None
    expect: ExpectModel | None = None
    grant: GrantModel | None = None
    restart: Annotated[bool, _plain(_yes, Literal[True])] = False

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        given = [key for key in _ACTIONS if key in self.model_fields_set]
        if not given:
            hint = f"write one of {', '.join(_ACTIONS)}"
            raise BadTestError(TestCode.NO_ACTION, "nothing happens in this step", hint)
        if len(given) > 1:
            message = f"a step does one thing, not {' and '.join(given)}"
            raise BadTestError(TestCode.TWO_ACTIONS, message, "write a step for each")
        if self.user is None and not self.restart:
            raise BadTestError(
                TestCode.NO_USER, f"nobody {_DOES[given[0]]}", "add user: and a name"
            )
        if (self.opens is None) != (self.expect is None):
            message = "`opens` and `expect` belong together"
            raise BadTestError(TestCode.EXPECTS_NOTHING, message, "write both in one step")
        return self


_DOES = {"visits": "visits anything here", "opens": "opens this", "grant": "gets this grant"}


class TestModel(TestFileBlock):
    """One entry of `tests:`."""

    __test__ = False  # pytest: not a test

    name: Section
    start: Annotated[WallTime, _plain(_start, schema_patterns.DATED_MOMENT)]
    day: list[StepModel]
    people: dict[
        User,
        Annotated[tuple[str, ...], _plain(_roles, schema_patterns.NAME | schema_patterns.NAMES)],
    ] = {}

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not any(step.expect for step in self.day):
            message = "this test expects nothing, so it can never fail"
            raise BadTestError(
                TestCode.EXPECTS_NOTHING, message, "add a step with opens and expect"
            )
        return self


class TestFile(TestFileBlock):
    """A whole file, for its schema; `loader.py` reads test by test, so that a wrong one leaves the
    others."""

    __test__ = False

    tests: list[TestModel] = []
