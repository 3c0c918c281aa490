"""`allowance rules explain`: what somebody would be answered, and everything that led to it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from proxy_addon.cli.common import AsJson, Config, Database, Rules, Web, exit_with, print_json
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.ledger_access import ledger_if_any
from proxy_addon.cli.tables import PlainConsole, PlainTable
from proxy_addon.config import dates
from proxy_addon.config.dates import BadDateError
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.catalogue import Catalogue
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.time_parsers import duration as seconds_of
from proxy_addon.core.types import Person
from proxy_addon.presentation.durations import clock, day, duration, moment
from proxy_addon.presentation.rule_text import amount
from proxy_addon.rules import explanation
from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules.explanation import NOTHING, Explanation, Used
from proxy_addon.rules.lookup import address_of, person_of
from proxy_addon.system.clock import SystemClock

User = Annotated[
    str, typer.Option("--user", help="The name as the rule files write it, or ip:ADDRESS.")
]
Url = Annotated[
    str, typer.Option("--url", help="What they open, such as https://www.linkedin.com/feed/")
]
At = Annotated[str | None, typer.Option("--at", metavar="ISO", help="When. Default: now")]
Spent = Annotated[
    list[str] | None,
    typer.Option("--spent", metavar="A=TIME", help="Take this as spent, such as daily-social=12m."),
]
Live = Annotated[
    bool, typer.Option("--live", help="Ask the running proxy, with the minutes it knows of.")
]

ANSWER_SECONDS = 5.0
_EMBEDS = {
    (
        "part",
        "media",
    ): "On another site's page it costs nothing, and passes when the time is used up.",
    ("player", "media"): (
        "On another site's page a film that plays in it is charged like one on the platform, and "
        "refused when the time is used up."
    ),
    ("part", "free"): "On another site's page it costs nothing.",
    ("player", "free"): "On another site's page it costs nothing, and neither do films in it.",
}
_WORDS = {"allow": "allowed", "spend": "allowed, and charged", "block": "blocked"}
_WHY = {
    "not-limited": "no rule limits this",
    "otherwise": "no rule fits, so the policy's `otherwise` decides",
    "unidentified": "the policy wants to know first who this is",
    "unavailable": "balances cannot be read",
}


def explain(
    user: User,
    url: Url,
    at: At = None,
    spent: Spent = None,
    live: Live = False,
    web: Web = None,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Explain which answer a person gets for a URL: which rule decides, and why not another."""
    if live and (at is not None or spent):
        exit_with(
            "--live: the running proxy knows the time and what was spent; leave out --at and --spent"
        )
    if live:
        found = _ask(web, rules, config, user, url)
    else:
        found = _explained(user, url, at, spent or [], rules, database, config)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _explained(
    user: str,
    url: str,
    at: str | None,
    spent: list[str],
    rules: Path | None,
    database: str | None,
    config: Path | None,
) -> dict[str, Any]:
    """From the rule files, with the amounts of --spent, or with what the ledger knows."""
    with one_line_errors():
        settings = load_settings({"rules": rules, "database": database}, config)
        engine = Engine(rules_folder.load(settings.rules))
    now = _instant(at, engine.rule_set.zone)
    catalogue = Catalogue(engine.rule_set.platforms)
    try:
        person = _person(engine, user, now)
        address_of(catalogue, url)  # what is typed is checked before a ledger is opened
        if spent:
            used = Used(explanation.taken_as_spent(engine, person, _amounts(spent), now))
        else:
            used = _known(engine, settings, person, now)
        found: Explanation = explanation.explain(engine, catalogue, user, url, used, now)
    except ValueError as error:
        exit_with(str(error))
    return explanation.data(found, engine.rule_set.zone)


def _known(engine: Engine, settings: Settings, person: Person | None, now: float) -> Used:
    """What the ledger knows of somebody; nothing was used where there is no ledger yet, and none is
    made."""
    with one_line_errors(), ledger_if_any(engine.rule_set, settings) as ledger:
        if person is None or ledger is None:
            return NOTHING
        since = engine.needed_since(now)
        visits = ledger.visits(since, person=person.name)
        return explanation.used_by(visits, ledger.grants(since, person=person.name))


def _person(engine: Engine, user: str, now: float) -> Person | None:
    try:
        return person_of(engine, user, now)
    except ValueError as error:
        shown = (
            "" if user.startswith("ip:") else f"{user!r}: "
        )  # of an address the error has it already
        raise ValueError(f"--user: {shown}{error}") from None


def _instant(text: str | None, zone: ZoneInfo) -> float:
    if text is None:
        return SystemClock().now()
    try:
        return dates.instant(text, zone)
    except BadDateError as error:
        exit_with(f"--at: {error}")


def _amounts(spent: list[str]) -> Mapping[str, float]:
    amounts: dict[str, float] = {}
    for text in spent:
        name, equals, amount = text.rpartition("=")
        if not equals:
            exit_with(
                f"--spent: {text!r} is not an allowance and a time; write it as daily-social=12m"
            )
        try:
            amounts[name.strip()] = seconds_of(amount)
        except BadValue as error:
            exit_with(f"--spent: {error.message}; {error.hint}")
    return amounts


def _ask(
    web: str | None, rules: Path | None, config: Path | None, user: str, url: str
) -> dict[str, Any]:
    """The running proxy's answer."""
    with one_line_errors():
        where = load_settings({"rules": rules, "web": web}, config).web.from_here
    wanted = f"http://{where}/api/explain?{urlencode({'user': user, 'url': url})}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(wanted, timeout=ANSWER_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        exit_with(f"--live: {_detail(error)}")
    except OSError as error:
        reason = getattr(error, "reason", error)
        why = getattr(reason, "strerror", None) or reason
        remedy = "start it with `allowance run`, or name its web port with --web HOST:PORT"
        exit_with(f"--live: the proxy does not answer on {where} (--web): {why}; {remedy}")
    except ValueError:
        exit_with(
            f"--live: what answers on {where} (--web) is not our proxy; name its web port with --web"
        )


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the proxy answers {error.code} {error.reason}; is it this version?"


def _print(found: Mapping[str, Any]) -> None:
    console = PlainConsole(highlight=False)
    for line in _sentences(found):
        console.print(line)
    if found["walk"]:
        table = PlainTable("Rule", "Fits", "Why", title="The rules from the top")
        for step in found["walk"]:
            table.add(step["rule"], "yes" if step["fits"] else "no", step["why"])
        console.print(table)


def _sentences(found: Mapping[str, Any]) -> Iterator[str]:
    """The decision and what led to it, for reading aloud."""
    zone = ZoneInfo(found["timezone"])
    at = datetime.fromisoformat(found["at"]).astimezone(zone)
    roles = f" ({escape(', '.join(found['roles']))})" if found["roles"] else ""
    place = f"{found['platform']}/{found['section']}" if found["section"] else found["platform"]
    when = f"{day(at.timestamp(), zone)} at {clock(at)}"
    yield f"[bold]{escape(found['user'])}[/bold]{roles} opens {escape(found['url'])} on {when}."
    if not found["known"] and found["roles"]:
        yield "No file names this user, so the default role holds."
    yield f"This is {escape(place)}." if place else "This is not a platform that we know."
    yield f"[bold]{_WORDS[found['verdict']].capitalize()}[/bold]: {escape(_because(found))}."
    if found["would"] == "block":
        yield "The rule is only observed: enforced, it would block."
    if found.get("embed") is not None:
        yield _EMBEDS[found["embed"], found["embeds"]]
    yield from _allowance(found)
    if found["until"] is not None:
        until = datetime.fromisoformat(found["until"]).timestamp()
        yield f"The answer may change {moment(until, at.timestamp(), zone)}."


def _because(found: Mapping[str, Any]) -> str:
    if found["rule"] is None:
        return _WHY.get(str(found["reason"]), str(found["reason"]))
    by = f'by the rule "{found["rule"]}"'
    return (
        f"{by}, because {found['allowance']} is used up" if found["reason"] == "exhausted" else by
    )


def _allowance(found: Mapping[str, Any]) -> Iterator[str]:
    """Which limits hold, how they stand, and what used them up."""
    if found["allowance"] is None:
        return
    name = escape(found["allowance"])
    whose = (
        f"the override for {escape(found['override'])}" if found["override"] else "its own limits"
    )
    yield f"{name}: {whose}; {duration(found['left'] or 0.0)} left."
    for limit in found["limits"]:
        more = "".join(
            f", {amount(limit[key])} {key}" for key in ("granted", "carried") if limit[key]
        )
        yield f"  {limit['limit']}: {amount(limit['spent'])} spent{more}, {amount(limit['left'])} left"
    if found["spent_by"]:
        parts = [f"{platform} {amount(seconds)}" for platform, seconds in found["spent_by"].items()]
        yield f"  spent on {escape(', '.join(parts))}"
