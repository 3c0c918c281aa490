"""The administrators' pages about the written policy as their templates need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from proxy_addon.core.notices.notice import AskWhen, Notice
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.ledger.time_requests import LONGEST
from proxy_addon.presentation import durations as words
from proxy_addon.presentation import languages
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import ngettext
from proxy_addon.presentation.notice_changes import ChangedSection, changes
from proxy_addon.presentation.notice_reminder import address
from proxy_addon.presentation.spoken_rules import listed
from proxy_addon.report.notice_reminders import reminder_for
from proxy_addon.report.notice_status import NoticeStatus, Reader, Stage
from proxy_addon.report.notice_texts import SHORT, PolicyText
from proxy_addon.web.admin_policy_service import Overview


class RoleShare(NamedTuple):
    """How many people of a role have read it; `share` is 0 to 100."""

    role: str
    have: int
    people: int
    share: float


class OtherNotice(NamedTuple):
    """Another notice in force, and how many have read it."""

    name: str
    have: int
    people: int


class VersionRow(NamedTuple):
    """A text. `digest`: empty where the version tells which it is; `compare`: the query of the page
    that compares it with the one before it."""

    version: str
    digest: str
    since: str
    confirmed: int
    in_force: bool
    note: str
    compare: str


class ReaderRow(NamedTuple):
    """Somebody who has not read it."""

    name: str
    roles: str
    last: str
    state: str
    is_overdue: bool


class PolicyAdmin(NamedTuple):
    """The page about one notice. `heading`: how many have read it; `stages`: how far the others
    are; `names`: they, where they may be named."""

    notice: str
    title: str
    heading: str
    facts: tuple[str, ...]
    share: float
    people: int
    waiting: int
    stages: tuple[str, ...]
    roles: tuple[RoleShare, ...]
    others: tuple[OtherNotice, ...]
    versions: tuple[VersionRow, ...]
    token: str
    names: tuple[ReaderRow, ...] | None = None
    problem: str = ""
    reason: str = ""
    longest: int = LONGEST


class ReminderText(NamedTuple):
    """A reminder in one language. `mail`: a link that begins an e-mail with it; `rows`: of the
    field that shows it."""

    language: str
    code: str
    subject: str
    text: str
    mail: str
    rows: int


class Remind(NamedTuple):
    """The page with reminders for one notice."""

    notice: str
    heading: str
    waiting: int
    address: str
    texts: tuple[ReminderText, ...]
    token: str
    problem: str = ""
    reason: str = ""
    longest: int = LONGEST


class ComparedLanguage(NamedTuple):
    """What changed in one language; nothing where there are no sections."""

    name: str
    code: str
    sections: tuple[ChangedSection, ...]


class Compare(NamedTuple):
    """The page that compares two texts."""

    notice: str
    title: str
    old: str
    new: str
    languages: tuple[ComparedLanguage, ...]


def policy_admin(
    overview: Overview,
    status: NoticeStatus,
    rules: RuleSet,
    now: float,
    token: str,
    *,
    names: bool = False,
) -> PolicyAdmin:
    """The page about the notice of `status`; with `names` those who have not read it."""
    notice, people = status.notice, len(status.readers)
    own = [each for each in overview.texts if each.notice == notice.name]
    return PolicyAdmin(
        notice=notice.name,
        title=notice.text((languages.spoken(),)).title,
        heading=_heading(status),
        facts=_facts(notice),
        share=_share(status.acknowledged, people),
        people=people,
        waiting=len(status.waiting),
        stages=_stages(status, now, rules.zone),
        roles=tuple(
            RoleShare(role, have, all_, _share(have, all_))
            for role, (have, all_) in status.by_role.items()
        ),
        others=tuple(
            OtherNotice(each.notice.name, each.acknowledged, len(each.readers))
            for each in overview.statuses
            if each.notice.name != notice.name
        ),
        versions=tuple(_versions(own, overview, rules.zone)),
        token=token,
        names=tuple(_person(each, now, rules.zone) for each in status.waiting) if names else None,
    )


def remind(status: NoticeStatus, rules: RuleSet, now: float, token: str) -> Remind:
    """The page with a reminder in each language of the office in which the policy is there."""
    notice, waits = status.notice, len(status.waiting)
    offered = [each for each in rules.office.languages if each in languages.LANGUAGES]
    codes = [each for each in offered if each in notice.texts] or offered or ["en"]
    heading = ngettext("Remind %(n)d person", "Remind %(n)d people", waits) % {"n": waits}
    return Remind(
        notice.name,
        heading if waits else _heading(status),
        waits,
        address(notice),
        tuple(_reminder(notice, code, rules, now) for code in codes) if waits else (),
        token,
    )


def compare(old: PolicyText, new: PolicyText, title: str) -> Compare:
    """What was taken out and put in between two texts; values of the rules as they are written."""
    return Compare(
        new.notice,
        title,
        old.version,
        new.version,
        tuple(
            ComparedLanguage(
                _language_name(code),
                code,
                changes(old.texts.get(code, ""), new.texts.get(code, ""), _as_written),
            )
            for code in dict.fromkeys((*new.texts, *old.texts))
        ),
    )


def _heading(status: NoticeStatus) -> str:
    values = {
        "n": len(status.readers),
        "have": status.acknowledged,
        "version": status.notice.version,
    }
    if not status.readers:
        return _("Version %(version)s: nobody has to read it yet") % values
    if not status.waiting:
        return (
            ngettext(
                "%(n)d person has read version %(version)s",
                "All %(n)d have read version %(version)s",
                len(status.readers),
            )
            % values
        )
    return (
        ngettext(
            "%(have)d of %(n)d has read version %(version)s",
            "%(have)d of %(n)d have read version %(version)s",
            len(status.readers),
        )
        % values
    )


def _facts(notice: Notice) -> tuple[str, ...]:
    """For whom it is, and how people are asked."""
    who = (
        _("for %(roles)s") % {"roles": listed(sorted(notice.roles))}
        if notice.roles
        else _("for everybody")
    )
    asked = {
        AskWhen.BEFORE_FIRST_USE: _("to be confirmed before the first use"),
        AskWhen.SHOWN: _("shown once for each version"),
        AskWhen.OFF: _("nobody is asked"),
    }
    return (who, asked[notice.ask])


def _stages(status: NoticeStatus, now: float, zone: ZoneInfo) -> tuple[str, ...]:
    """How far those are who have not read it, in sentences."""
    not_met, grace, overdue = (
        len(status.at(stage)) for stage in (Stage.NOT_MET, Stage.GRACE, Stage.OVERDUE)
    )
    found = []
    if overdue:
        found.append(
            ngettext(
                "%(n)d has no time left: limited platforms are closed until it is read.",
                "%(n)d have no time left: limited platforms are closed until it is read.",
                overdue,
            )
            % {"n": overdue}
        )
    if grace and status.latest_end is not None:
        found.append(
            ngettext(
                "%(n)d has met it and can put it off; the time ends %(when)s.",
                "%(n)d have met it and can put it off; the last of these times ends %(when)s.",
                grace,
            )
            % {"n": grace, "when": words.moment(status.latest_end, now, zone)}
        )
    if not_met:
        found.append(
            ngettext("%(n)d has not met it yet.", "%(n)d have not met it yet.", not_met)
            % {"n": not_met}
        )
    return tuple(found)


def _share(have: int, people: int) -> float:
    return round(100.0 * have / people, 2) if people else 0.0


def _versions(
    texts: Sequence[PolicyText], overview: Overview, zone: ZoneInfo
) -> Iterator[VersionRow]:
    """The texts of one notice, each with a link to what changed against the one before."""
    times = Counter(each.version for each in texts)
    for number, each in enumerate(texts):
        before = texts[number + 1] if number + 1 < len(texts) else None
        yield VersionRow(
            each.version,
            each.digest[:SHORT] if times[each.version] > 1 else "",
            "" if each.since is None else words.short_day(each.since, zone),
            overview.confirmed.get(each.digest, 0),
            each.in_force,
            _note(each, before),
            ""
            if before is None
            else urlencode({"notice": each.notice, "old": before.digest, "new": each.digest}),
        )


def _note(text: PolicyText, before: PolicyText | None) -> str:
    """Whether people had to read it again."""
    if before is None:
        return _("the first that is kept")
    if text.order.major > before.order.major:
        return _("everybody is asked again")
    return _("nobody is asked again")


def _person(reader: Reader, now: float, zone: ZoneInfo) -> ReaderRow:
    last = (
        _("none yet")
        if reader.read is None
        else _("version %(version)s, %(day)s")
        % {"version": reader.read.version, "day": words.short_day(reader.read.at, zone)}
    )
    roles, state = ", ".join(reader.roles), _state(reader, now, zone)
    return ReaderRow(reader.name, roles, last, state, reader.stage is Stage.OVERDUE)


def _state(reader: Reader, now: float, zone: ZoneInfo) -> str:
    if reader.stage is Stage.OVERDUE:
        return _("no time left")
    if reader.stage is Stage.GRACE and reader.until is not None:
        return _("has time: it ends %(when)s") % {"when": words.moment(reader.until, now, zone)}
    return _("has not met it yet")


def _reminder(notice: Notice, code: str, rules: RuleSet, now: float) -> ReminderText:
    with languages.speaking(code):
        made = reminder_for(notice, None, rules, now)
    query = urlencode({"subject": made.subject, "body": made.text}, quote_via=quote)
    lines = made.text.count("\n") + 1 + sum(len(line) // 60 for line in made.text.splitlines())
    return ReminderText(
        _language_name(code), code, made.subject, made.text, f"mailto:?{query}", lines
    )


def _language_name(code: str) -> str:
    """What a language calls itself; the code where that is not known."""
    return languages.name_of(code) if code in languages.LANGUAGES else code


def _as_written(name: str, detail: str) -> str:
    """A value of the rules in a text that nobody reads in particular."""
    return f"{{{{ {name}.{detail} }}}}" if detail else f"{{{{ {name} }}}}"
