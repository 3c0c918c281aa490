"""The tables of `allowance simulate`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console

from proxy_addon.cli.tables import PlainTable, numbers
from proxy_addon.core.intervals import measure
from proxy_addon.core.types import Activity
from proxy_addon.simulate.compare import PersonComparison, SimulatedUse
from proxy_addon.simulate.hours import by_hour
from proxy_addon.simulate.result import PersonResult, Result

_IGNORED = (Activity.EMBED, Activity.BACKGROUND, Activity.PREFETCH)


def clock_of(seconds: float) -> str:
    """Seconds as `h:mm:ss`."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def print_result(console: Console, result: Result, zone: ZoneInfo, *, hours: bool) -> None:
    """For each person: time by platform, time by allowance and when it ran out, what cost
    nothing."""
    if not result.users:
        console.print("Nobody was on a limited platform.")
        return
    table = PlainTable(
        "User",
        "Platform",
        numbers("Used"),
        "Allowance",
        numbers("Spent"),
        "Ran out",
        numbers("Blocked"),
        numbers("Cost nothing"),
    )
    for name in sorted(result.users):
        _add_person(table, name, result.users[name], zone)
    console.print(table)
    _print_estimated(console, result)
    if hours:
        _print_hours(console, result, zone)


def _print_estimated(console: Console, result: Result) -> None:
    """A line for each person whose tunnels say no more than how many bytes they carried."""
    for name in sorted(result.users):
        tunnels = result.users[name].estimated
        if tunnels.number:
            subject = "1 tunnel is" if tunnels.number == 1 else f"{tunnels.number:,} tunnels are"
            of = f" of {clock_of(tunnels.open)}" if tunnels.open else ""
            console.print(
                f"{name}: {subject} estimated from bytes: {clock_of(tunnels.used)}{of} was use; "
                "a log has one total for each tunnel.",
                highlight=False,
            )


def _add_person(table: PlainTable, name: str, person: PersonResult, zone: ZoneInfo) -> None:
    platforms = [(p, clock_of(measure(union))) for p, union in person.by_platform().items()]
    spent = {name: measure(union) for name, union in person.by_allowance().items()}
    allowances = [
        (a, clock_of(spent.get(a, 0.0)), _when(person.exhausted.get(a), zone))
        for a in sorted(spent.keys() | person.exhausted.keys())
    ]
    ignored = sum(person.ignored.get(activity, 0) for activity in _IGNORED)
    for i in range(max(1, len(platforms), len(allowances))):
        platform, used = platforms[i] if i < len(platforms) else ("", "")
        allowance = allowances[i] if i < len(allowances) else ("", "", "")
        counts = (f"{person.blocked:,}", f"{ignored:,}") if i == 0 else ("", "")
        table.add(name if i == 0 else "", platform, used, *allowance, *counts)
    table.add_section()


def _when(at: float | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S}"


def _print_hours(console: Console, result: Result, zone: ZoneInfo) -> None:
    table = PlainTable("Hour", "User", "Platform", "Used", title="By hour")
    rows = [
        (hour, name, platform, seconds)
        for name, person in result.users.items()
        for hour, found in by_hour(person, zone).items()
        for platform, seconds in found.items()
    ]
    for hour, name, platform, seconds in sorted(rows):
        table.add(f"{hour[:10]} {hour[11:16]}", name, platform, clock_of(seconds))
    console.print(table)


def print_changes(console: Console, changes: list[PersonComparison], zone: ZoneInfo) -> None:
    """Who would gain or lose how much, and who would have run out when."""
    if not changes:
        console.print("The other rules would change nothing for anybody.")
        return
    table = PlainTable(
        "User",
        "Used now",
        "Used then",
        "Difference",
        "Ran out now",
        "Ran out then",
        "Blocked now",
        "then",
        title="Under the other rules",
    )
    for change in changes:
        sign = "+" if change.gained > 0 else "-" if change.gained < 0 else ""
        table.add(
            change.user,
            clock_of(change.now.used),
            clock_of(change.then.used),
            f"{sign}{clock_of(abs(change.gained))}",
            _ran_out(change.now, zone),
            _ran_out(change.then, zone),
            f"{change.now.blocked:,}",
            f"{change.then.blocked:,}",
        )
    console.print(table)


def _ran_out(side: SimulatedUse, zone: ZoneInfo) -> str:
    return "\n".join(f"{name} {_when(at, zone)}" for name, at in sorted(side.exhausted.items()))
