"""The shape of rule files: one strict model a block of keys, one check a value (`rules_checks.py`).

Models are validated with a `Names` as context. Every error is kept; `rules_report.py` turns them into
problems with a place.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    model_validator,
)

from proxy_addon.core.rules import address_parsers as addresses
from proxy_addon.core.rules import calendar_checks as dated
from proxy_addon.core.rules import checks
from proxy_addon.core.rules import parsers as values
from proxy_addon.core.rules import schema_patterns as shapes
from proxy_addon.core.rules import time_parsers as times_of
from proxy_addon.core.rules.calendars import Feed
from proxy_addon.core.rules.checks import Consequence, DeviceUser
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import Calendar, Limit, Mode, OnFailure


def _plain(parse: Any, shape: Any = str) -> PlainValidator:
    return PlainValidator(parse, json_schema_input_type=shape)


def _one_of(how: str, *keys: str) -> dict[str, Any]:
    """For schemas: a block that must have one of some keys."""
    return {how: [{"required": [key]} for key in keys]}


Name = Annotated[str, _plain(values.name, shapes.NAME)]
Text = Annotated[str, _plain(values.text, shapes.NAME)]
Slug = Annotated[str, _plain(values.slug, shapes.SLUG)]
Flag = Annotated[bool, _plain(values.flag, bool)]
Duration = Annotated[float, _plain(times_of.duration, shapes.LENGTH)]
TimeOfDay = Annotated[int, _plain(times_of.time_of_day, shapes.TIME)]
Host = Annotated[str, _plain(addresses.host, shapes.HOST)]
Evidence = Annotated[str, _plain(addresses.evidence, shapes.EVIDENCE)]
PathPattern = Annotated[str, _plain(addresses.path, shapes.PATH)]
RoleName = Annotated[str, _plain(values.name, shapes.NAME), AfterValidator(checks.known_role)]
TargetName = Annotated[str, _plain(values.name, shapes.TARGET), AfterValidator(checks.known_target)]
GroupMember = Annotated[
    str,
    _plain(values.name, shapes.SLUG),
    AfterValidator(checks.whole_platform),
    AfterValidator(checks.known_target),
]
Limits = Annotated[
    list[Annotated[Limit, _plain(times_of.limit, shapes.LIMIT)]],
    BeforeValidator(checks.some_or_one),
]
Days = Annotated[
    list[Annotated[frozenset[int], _plain(times_of.days, shapes.DAYS)]],
    BeforeValidator(checks.some_or_one),
]
Between = Annotated[
    list[Annotated[tuple[int, int], _plain(times_of.between, shapes.BETWEEN)]],
    BeforeValidator(checks.some_or_one),
]
Dates = Annotated[
    list[Annotated[tuple[date, date], _plain(times_of.dates, shapes.DATES)]],
    BeforeValidator(checks.some_or_one),
]
Calendars = Annotated[
    list[Annotated[str, _plain(values.name, shapes.SLUG), AfterValidator(dated.known_calendar)]],
    BeforeValidator(checks.some_or_one),
]
CalendarItems = Annotated[
    list[Annotated[Calendar, _plain(dated.item, shapes.CALENDAR_ITEM)]],
    BeforeValidator(dated.one_or_more),
]
Some = BeforeValidator(checks.some)
Maybe = BeforeValidator(checks.any_list)
Given = BeforeValidator(values.given)
Keyed = BeforeValidator(checks.keyed)


class Strict(BaseModel):
    """A block of keys: a key that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _conditions(when: WhenModel | None) -> WhenModel | None:
    """A condition without parts always holds, and its `not` never: nobody means that."""
    if when is not None and not when.model_fields_set:
        raise BadValue(
            Code.BAD_WHEN,
            "there are no conditions",
            "write days, between, dates or calendar, or leave it out",
        )
    return when


class WhenModel(Strict):
    """`when:` every part that is given must hold; `not` must not."""

    days: Annotated[Days | None, Given] = None
    between: Annotated[Between | None, Given] = None
    dates: Annotated[Dates | None, Given] = None
    calendar: Annotated[Calendars | None, Given] = None
    not_: Annotated[WhenModel | None, Given, AfterValidator(_conditions)] = Field(
        default=None, alias="not"
    )


class RuleModel(Strict):
    """One entry of `rules:`."""

    name: Name | None = None
    then: Annotated[Consequence, _plain(checks.consequence, shapes.THEN)]
    users: Annotated[list[Name] | None, Some] = None
    roles: Annotated[list[RoleName] | None, Some] = None
    platforms: Annotated[list[TargetName] | None, Some] = None
    when: Annotated[WhenModel | None, Given, AfterValidator(_conditions)] = None
    message: Text | None = None
    mode: Annotated[str | None, _plain(checks.choice(*Mode), Mode)] = None


class OverrideModel(Strict):
    """One entry of `overrides:`."""

    model_config = ConfigDict(json_schema_extra=_one_of("anyOf", "users", "roles"))

    limit: Limits
    users: Annotated[list[Name] | None, Some] = None
    roles: Annotated[list[RoleName] | None, Some] = None

    @model_validator(mode="after")
    def _fits_somebody(self) -> Self:
        if self.users is None and self.roles is None:
            raise BadValue(Code.MISSING_KEY, "this override fits nobody", "add users or roles")
        return self


class AllowanceModel(Strict):
    """One entry of `allowances:`."""

    limit: Limits
    warn_at: Duration = 0.0
    carry_over: Duration = 0.0
    overrides: Annotated[list[OverrideModel], Maybe] = []


class ReloadModel(Strict):
    """`reload:` what has to hold before changed rules come into force."""

    require_tests: Flag = False


class PrivacyModel(Strict):
    """`privacy:` how people are kept."""

    pseudonyms: Flag = False


class PolicyModel(Strict):
    """What decides: usually `policy.yaml`."""

    version: Annotated[int, _plain(values.version, Literal[1])]
    timezone: Annotated[ZoneInfo, _plain(times_of.zone, shapes.ZONE)]
    day_starts: TimeOfDay = 0
    week_starts: Annotated[int, _plain(times_of.weekday, shapes.WEEKDAY)] = 0
    platform_groups: Annotated[
        dict[Slug, Annotated[list[GroupMember], BeforeValidator(checks.group_list)]], Keyed
    ] = {}
    calendars: Annotated[dict[Slug, CalendarItems], Keyed] = {}
    allowances: Annotated[dict[Name, AllowanceModel], Keyed] = {}
    rules: Annotated[list[RuleModel], Maybe] = []
    otherwise: Annotated[
        str, _plain(checks.choice("allow", "block"), Literal["allow", "block"])
    ] = "allow"
    unidentified: Annotated[str | None, _plain(checks.unidentified, shapes.UNIDENTIFIED)] = "guest"
    on_failure: Annotated[str, _plain(checks.choice(*OnFailure), OnFailure)] = OnFailure.LAST_KNOWN
    metering: Annotated[dict[str, Any], BeforeValidator(checks.keyed, shapes.METERING)] = {}
    retention: Annotated[float, _plain(times_of.retention, shapes.LENGTH)] = 90 * 86_400.0
    privacy: Annotated[PrivacyModel, Keyed] = PrivacyModel()
    mode: Annotated[str, _plain(checks.choice(*Mode), Mode)] = Mode.ENFORCE
    reload: Annotated[ReloadModel, Keyed] = ReloadModel()


class DutyModel(Strict):
    """A member with times: somebody who has a role when a condition holds, or everybody in a file of shifts."""

    model_config = ConfigDict(json_schema_extra=_one_of("oneOf", "user", "ics"))

    user: Name | None = None
    ics: Annotated[Feed | None, _plain(dated.feed, shapes.ICS)] = None
    names: Annotated[str, _plain(checks.choice("full", "short"), Literal["full", "short"])] = "full"
    when: Annotated[WhenModel | None, Given, AfterValidator(_conditions)] = None

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if (self.user is None) is (self.ics is None):
            hint = "write {user: carl, when: {days: sat-sun}} or {ics: shifts.ics}"
            raise BadValue(Code.MISSING_KEY, "this member is nobody", hint)
        return self


Member = Annotated[
    Annotated[Name, Tag("[name]")] | Annotated[DutyModel, Tag("[block]")], Discriminator(dated.who)
]


class RoleModel(Strict):
    """One entry of `roles:`."""

    members: Annotated[list[Member], Maybe] = []


class PeopleModel(Strict):
    """Who is who: usually `people.yaml`."""

    default_role: Name = "staff"
    roles: Annotated[dict[Name, Annotated[RoleModel, Keyed]], Keyed] = {}
    devices: Annotated[
        dict[str, Annotated[DeviceUser, _plain(checks.seat, shapes.SEAT)]], Keyed
    ] = {}


class SectionModel(Strict):
    """One entry of `sections:`."""

    hosts: Annotated[list[Host], Maybe] = []
    paths: Annotated[list[PathPattern], Maybe] = []


class PlatformModel(Strict):
    """One entry of a file in `platforms/`. Files with the same name add up."""

    title: Name | None = None
    hosts: Annotated[list[Host], Maybe] = []
    sections: Annotated[dict[Slug, SectionModel], Keyed] = {}
    embeds: Annotated[list[Evidence], Maybe] = []
    background: Annotated[list[Evidence], Maybe] = []
    excludes: Annotated[list[Host], Maybe] = []
    inspect: Flag | None = None
    replace: Flag = False
