"""The structure of rule files: one strict model for each block of keys, one check for each value
(`checks.py`).

Models are validated with `DefinedNames` as context. Every error is kept; `report.py` turns them
into problems with a place.
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

from proxy_addon.core.notices.notice import PAGE_LANGUAGES, AskWhen, Version
from proxy_addon.core.period_table import CALENDAR
from proxy_addon.core.rules import (
    address_parsers,
    calendar_checks,
    checks,
    notice_checks,
    parsers,
    schema_patterns,
    time_parsers,
)
from proxy_addon.core.rules.calendars import Feed
from proxy_addon.core.rules.checks import Consequence, DeviceUser
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import Calendar, Decrypt, Embeds, Limit, Mode, OnFailure, Period

MOST_MINUTES = 240  # that somebody may take at once
MOST_TIMES = 100  # in a period


def _plain(parse: Any, shape: Any = str) -> PlainValidator:
    return PlainValidator(parse, json_schema_input_type=shape)


def _one_of(how: str, *keys: str) -> dict[str, Any]:
    """For schemas: a block that must have one of some keys."""
    return {how: [{"required": [key]} for key in keys]}


Name = Annotated[str, _plain(parsers.name, schema_patterns.NAME)]
Text = Annotated[str, _plain(parsers.text, schema_patterns.NAME)]
Slug = Annotated[str, _plain(parsers.slug, schema_patterns.SLUG)]
Flag = Annotated[bool, _plain(parsers.flag, bool)]
Duration = Annotated[float, _plain(time_parsers.duration, schema_patterns.LENGTH)]
TimeOfDay = Annotated[int, _plain(time_parsers.time_of_day, schema_patterns.TIME)]
Host = Annotated[str, _plain(address_parsers.host, schema_patterns.HOST)]
EvidencePattern = Annotated[str, _plain(address_parsers.evidence, schema_patterns.EVIDENCE)]
PathPattern = Annotated[str, _plain(address_parsers.path, schema_patterns.PATH)]
RoleName = Annotated[
    str, _plain(parsers.name, schema_patterns.NAME), AfterValidator(checks.known_role)
]
TargetName = Annotated[
    str, _plain(parsers.name, schema_patterns.TARGET), AfterValidator(checks.known_target)
]
GroupMember = Annotated[
    str,
    _plain(parsers.name, schema_patterns.SLUG),
    AfterValidator(checks.whole_platform),
    AfterValidator(checks.known_target),
]
Limits = Annotated[
    list[Annotated[Limit, _plain(time_parsers.limit, schema_patterns.LIMIT)]],
    BeforeValidator(checks.some_or_one),
]
Days = Annotated[
    list[Annotated[frozenset[int], _plain(time_parsers.days, schema_patterns.DAYS)]],
    BeforeValidator(checks.some_or_one),
]
Between = Annotated[
    list[Annotated[tuple[int, int], _plain(time_parsers.between, schema_patterns.BETWEEN)]],
    BeforeValidator(checks.some_or_one),
]
Dates = Annotated[
    list[Annotated[tuple[date, date], _plain(time_parsers.dates, schema_patterns.DATES)]],
    BeforeValidator(checks.some_or_one),
]
Calendars = Annotated[
    list[
        Annotated[
            str,
            _plain(parsers.name, schema_patterns.SLUG),
            AfterValidator(calendar_checks.known_calendar),
        ]
    ],
    BeforeValidator(checks.some_or_one),
]
CalendarItems = Annotated[
    list[Annotated[Calendar, _plain(calendar_checks.item, schema_patterns.CALENDAR_ITEM)]],
    BeforeValidator(calendar_checks.one_or_more),
]
Some = BeforeValidator(checks.some)
Maybe = BeforeValidator(checks.any_list)
Given = BeforeValidator(parsers.given)
Keyed = BeforeValidator(checks.keyed)


class Strict(BaseModel):
    """A block of keys: a key that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _conditions(when: WhenModel | None) -> WhenModel | None:
    """Refuses a condition without parts: it would always hold, and its `not` never."""
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
    then: Annotated[Consequence, _plain(checks.consequence, schema_patterns.THEN)]
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
            raise BadValue(
                Code.MISSING_KEY, "this override applies to nobody", "add users or roles"
            )
        return self


class AllowanceModel(Strict):
    """One entry of `allowances:`."""

    limit: Limits
    title: Name = ""
    warn_at: Duration = 0.0
    carry_over: Duration = 0.0
    overrides: Annotated[list[OverrideModel], Maybe] = []


class ReloadModel(Strict):
    """`reload:` what is required before changed rules come into force."""

    require_tests: Flag = False


class PrivacyModel(Strict):
    """`privacy:` how people are stored."""

    pseudonyms: Flag = False


class NoticeModel(Strict):
    """One entry of `notice:` a written policy, and who is asked about it."""

    file: Annotated[str, _plain(notice_checks.file, schema_patterns.NOTICE_FILE)]
    ask: Annotated[str, _plain(checks.choice(*AskWhen), AskWhen)] = AskWhen.BEFORE_FIRST_USE
    grace: Duration = 0.0
    roles: Annotated[list[RoleName] | None, Some] = None
    again_after: Annotated[
        float | None, _plain(notice_checks.again_after, schema_patterns.YEARS_OR_LENGTH)
    ] = None


class UrgentModel(Strict):
    """`urgent:` minutes that people may take at once, without waiting for an answer."""

    minutes: Annotated[int, _plain(checks.whole(MOST_MINUTES), schema_patterns.MINUTES)]
    times: Annotated[int, _plain(checks.whole(MOST_TIMES), schema_patterns.TIMES)] = 1
    per: Annotated[str, _plain(checks.choice(*CALENDAR), Literal[tuple(CALENDAR)])] = Period.DAY
    roles: Annotated[list[RoleName] | None, Some] = None


Languages = Annotated[
    list[Annotated[str, _plain(notice_checks.language, schema_patterns.LANGUAGE)]],
    BeforeValidator(checks.some_or_one),
]


PageLanguages = Annotated[
    list[Annotated[str, _plain(notice_checks.page_language, Literal[PAGE_LANGUAGES])]],
    BeforeValidator(checks.some_or_one),
]


class OfficeModel(Strict):
    """`office:` what pages call the office, and in which languages they are."""

    name: Name = ""
    contact: Text = ""
    languages: PageLanguages = ["en"]


class FrontMatterModel(Strict):
    """What stands at the beginning of a written policy, between two lines of `---`."""

    version: Annotated[Version, _plain(notice_checks.version, schema_patterns.NOTICE_VERSION)]
    title: Name | None = None
    owner: Text = ""
    contact: Text = ""
    languages: Languages = ["en"]
    effective: Annotated[date | None, _plain(notice_checks.day, schema_patterns.DATE)] = None
    summary: Annotated[list[Text], Maybe] = []
    changes: Text = ""


class TranslationModel(Strict):
    """The same for a translation. `version`: of the first file when it was translated. Its owner
    and contact are those of the first file where it has none of its own."""

    version: Annotated[
        Version | None, _plain(notice_checks.version, schema_patterns.NOTICE_VERSION)
    ] = None
    title: Name | None = None
    owner: Text = ""
    contact: Text = ""
    summary: Annotated[list[Text], Maybe] = []
    changes: Text = ""


class PolicyModel(Strict):
    """What decides: usually `policy.yaml`."""

    version: Annotated[int, _plain(parsers.version, Literal[1])]
    timezone: Annotated[ZoneInfo, _plain(time_parsers.zone, schema_patterns.ZONE)]
    day_starts: TimeOfDay = 0
    week_starts: Annotated[int, _plain(time_parsers.weekday, schema_patterns.WEEKDAY)] = 0
    platform_groups: Annotated[
        dict[Slug, Annotated[list[GroupMember], BeforeValidator(checks.group_list)]], Keyed
    ] = {}
    calendars: Annotated[dict[Slug, CalendarItems], Keyed] = {}
    allowances: Annotated[dict[Name, AllowanceModel], Keyed] = {}
    rules: Annotated[list[RuleModel], Maybe] = []
    otherwise: Annotated[
        str, _plain(checks.choice("allow", "block"), Literal["allow", "block"])
    ] = "allow"
    unidentified: Annotated[
        str | None, _plain(checks.unidentified, schema_patterns.UNIDENTIFIED)
    ] = "guest"
    on_failure: Annotated[str, _plain(checks.choice(*OnFailure), OnFailure)] = OnFailure.LAST_KNOWN
    decrypt: Annotated[str, _plain(checks.choice(*Decrypt), Decrypt)] = Decrypt.NEEDED
    embeds: Annotated[str, _plain(checks.choice(*Embeds), Embeds)] = Embeds.MEDIA
    metering: Annotated[
        dict[str, Any], BeforeValidator(checks.keyed, schema_patterns.METERING)
    ] = {}
    retention: Annotated[float, _plain(time_parsers.retention, schema_patterns.LENGTH)] = (
        90 * 86_400.0
    )
    privacy: Annotated[PrivacyModel, Keyed] = PrivacyModel()
    mode: Annotated[str, _plain(checks.choice(*Mode), Mode)] = Mode.ENFORCE
    notice: Annotated[list[NoticeModel], BeforeValidator(notice_checks.one_or_more)] = []
    office: Annotated[OfficeModel, Keyed] = OfficeModel()
    urgent: Annotated[UrgentModel | None, Given] = None
    reload: Annotated[ReloadModel, Keyed] = ReloadModel()


class DutyModel(Strict):
    """A member with times: a person who has a role while a condition holds, or everybody in a file
    of shifts."""

    model_config = ConfigDict(json_schema_extra=_one_of("oneOf", "user", "ics"))

    user: Name | None = None
    ics: Annotated[Feed | None, _plain(calendar_checks.feed, schema_patterns.ICS)] = None
    names: Annotated[str, _plain(checks.choice("full", "short"), Literal["full", "short"])] = "full"
    when: Annotated[WhenModel | None, Given, AfterValidator(_conditions)] = None

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if (self.user is None) is (self.ics is None):
            hint = "write {user: carl, when: {days: sat-sun}} or {ics: shifts.ics}"
            raise BadValue(
                Code.MISSING_KEY, "this member has neither a user nor a calendar file", hint
            )
        return self


Member = Annotated[
    Annotated[Name, Tag("[name]")] | Annotated[DutyModel, Tag("[block]")],
    Discriminator(calendar_checks.who),
]


class RoleModel(Strict):
    """One entry of `roles:`."""

    members: Annotated[list[Member], Maybe] = []


class PeopleModel(Strict):
    """Who is who: usually `people.yaml`."""

    default_role: Name = "staff"
    roles: Annotated[dict[Name, Annotated[RoleModel, Keyed]], Keyed] = {}
    devices: Annotated[
        dict[str, Annotated[DeviceUser, _plain(checks.device_user, schema_patterns.DEVICE_USER)]],
        Keyed,
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
    embeds: Annotated[list[EvidencePattern], Maybe] = []
    players: Annotated[list[EvidencePattern], Maybe] = []
    background: Annotated[list[EvidencePattern], Maybe] = []
    excludes: Annotated[list[Host], Maybe] = []
    inspect: Flag | None = None
    operator: Slug | None = None
    replace: Flag = False
