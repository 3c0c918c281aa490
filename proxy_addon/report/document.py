"""A report for programs: JSON and CSV. The names here are documented in docs/report.md and stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from proxy_addon.core.ruleset import Allowance
from proxy_addon.presentation import spoken_rules
from proxy_addon.presentation.durations import iso
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.rule_text import spelled_limit
from proxy_addon.report.totals import Report, Sum, Table

COLUMNS: Final = (
    "day",
    "by",
    "name",
    "charged_seconds",
    "free_seconds",
    "people",
    "visits",
    "ran_out",
)
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def table_of(report: Report, by: str) -> Table:
    """The sums by role, platform or person."""
    found = {"platform": report.platforms, "role": report.roles, "person": report.people}[by]
    return found if found is not None else Table()


def rows(report: Report, by: str) -> Iterator[tuple[str | float | int, ...]]:
    """A row for each day and name with time, in order; columns as in `COLUMNS`."""
    for (day, name), found in sorted(table_of(report, by).cells.items()):
        date = report.span.dates[day].isoformat()
        yield (
            date,
            by,
            _harmless(name),
            round(found.charged, 3),
            round(found.free, 3),
            found.people,
            found.visits,
            found.ran_out,
        )


def _harmless(name: str) -> str:
    """A name that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{name}" if name[:1] in _FORMULA else name


def document(report: Report, by: str) -> dict[str, Any]:
    """Everything, for `--json`. Seconds; instants as ISO in the zone of the policy."""
    span, zone = report.span, report.rules.zone
    return {
        "from": iso(span.start, zone),
        "to": iso(span.end, zone),
        "until": iso(span.until, zone),
        "zone": str(zone),
        **_sum(report.whole),
        "by": by,
        "groups": [
            {"name": name, **_sum(found)} for name, found in table_of(report, by).largest_first()
        ],
        "days": [
            {
                "day": date.isoformat(),
                **_sum(found),
                "grants": given.grants,
                "granted_seconds": round(given.seconds, 3),
            }
            for date, found, given in zip(span.dates, report.days, report.given, strict=True)
        ],
        "hours": [
            {"weekday": WEEKDAYS[day], "hour": hour, "seconds": round(seconds, 3)}
            for day in in_order(report)
            for hour, seconds in enumerate(report.hours[day])
            if seconds
        ],
        "allowances": list(_allowances(report)),
        "observed": [
            {
                "rule": name,
                "seconds": round(found.seconds, 3),
                "people": found.people,
                "visits": found.visits,
                "would_stop_seconds": round(found.stopped, 3),
                "would_stop_people": found.stopped_people,
            }
            for name, found in report.observed.items()
        ],
        "notes": notes(report),
    }


def in_order(report: Report) -> list[int]:
    """The weekdays as the policy's weeks have them."""
    first = report.rules.week_starts
    return [(first + number) % 7 for number in range(7)]


def _sum(found: Sum) -> dict[str, float | int]:
    return {
        "charged_seconds": round(found.charged, 3),
        "free_seconds": round(found.free, 3),
        "estimated_seconds": round(found.estimated, 3),
        "people": found.people,
        "visits": found.visits,
        "ran_out": found.ran_out,
    }


def _allowances(report: Report) -> Iterator[dict[str, Any]]:
    for name, found in report.allowances.items():
        allowance = report.rules.allowances.get(name)
        yield {
            "name": name,
            "limit": limits(allowance),
            "observed": observed(report, name),
            "spent_seconds": round(found.spent, 3),
            "people": found.people,
            "ran_out": found.ran_out,
            "ran_out_people": found.ran_out_people,
            "grants": found.grants,
            "granted_seconds": round(found.granted, 3),
            "resets": found.resets,
            "over_limit_seconds": round(found.beyond, 3),
            "over_limit_people": found.beyond_people,
            "days": [
                {
                    "day": report.span.dates[day].isoformat(),
                    "ran_out": one.ran_out,
                    "over_limit_seconds": round(one.seconds, 3),
                    "over_limit_people": one.people,
                }
                for day, one in sorted(found.days.items())
            ],
        }


def observed(report: Report, allowance: str) -> bool:
    """True when a rule that spends the allowance is only tried out."""
    return any(rule.observes for rule in report.rules.rules if rule.allowance == allowance)


def limits(allowance: Allowance | None) -> str:
    """What somebody without an override has: "15 minutes per day"."""
    if allowance is None:
        return "no longer in the rules"
    return " and ".join(map(spelled_limit, allowance.limits))


def notes(report: Report) -> list[str]:
    """What whoever reads the numbers has to know, in the language that is spoken."""
    span, rules = report.span, report.rules
    lines = []
    if not span.whole:
        lines.append(
            _("The period is not over: this is what was used until %(until)s.")
            % {"until": iso(span.until, rules.zone)}
        )
    if span.start < span.until - rules.retention:
        lines.append(
            _("Visits are kept for %(length)s; what is older is gone and not in these sums.")
            % {"length": spoken_rules.length(rules.retention)}
        )
    lines.append(
        _(
            "Each moment of a person is counted once: as charged before free, for the platform that was used first."
        )
    )
    lines.append(
        _(
            "Roles and limits are those of the rules in force now, a rota asked for the time of the visit; somebody "
            "with several roles counts under the first."
        )
    )
    if report.whole.estimated:
        lines.append(
            _(
                "Connections of people who are free at that time are not opened; their time is estimated from the "
                "bytes that passed."
            )
        )
    if rules.pseudonyms:
        lines.append(
            _(
                "Names are pseudonyms. A role is known only of people whose name this host knows; the limits of "
                "anybody else are taken to be those of the default role."
            )
        )
    return lines
