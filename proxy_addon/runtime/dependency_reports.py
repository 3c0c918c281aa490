"""The dependencies that every proxy process has, for `/statusz`."""

from __future__ import annotations

from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.presentation.durations import count
from proxy_addon.proxy.ca_change import NextCa
from proxy_addon.rules.active import LiveRules
from proxy_addon.system.clock import SystemClock
from proxy_addon.system.dependencies import DependencyReport, Json, iso


def ledger_report(state: WriterState, place: str) -> DependencyReport:
    """How the ledger is doing, and what waits for it. `place`: the database as messages name it,
    with its user, which is left out here."""
    counts = {
        "pending": state.pending,
        "journal_visits": state.journal_visits,
        "journal_bytes": state.journal_bytes,
        "journal_dropped": state.journal_dropped,
        "refused": state.refused,
        "lost": state.dropped,
    }
    message = "" if state.up else without_driver_words(state.message or "down", place)
    if state.refused:
        message = f"{message}; {refusals(state.refused)}".removeprefix("; ")
    if state.journal_message is not None:
        message = f"{message}; the journal cannot be written".removeprefix("; ")
    ok = state.up and not state.refused and state.journal_message is None
    return DependencyReport(ok, message, state.away_since, counts)


def rules_report(live: LiveRules, since: float) -> DependencyReport:
    """Which rules are in force since when, and where those of the folder are wrong. Without words
    from the files, which may name people."""
    rules, outcome = live.current, live.outcome
    message = "" if outcome.ok else "the rules folder is wrong: the rules before are in force"
    facts: dict[str, Json] = {
        "digest": rules.digest[:12],
        "rules": len(rules.rules),
        "problems": list(outcome.places[:20]),
    }
    return DependencyReport(outcome.ok, message, since, facts=facts)


def ca_report(expires: float, following: NextCa, now: float, problem: str = "") -> DependencyReport:
    """When the CA certificate ends (`expires`, an instant), and that of the CA that stands
    ready. `problem`: why its files cannot be read, where a copy is used."""
    message = f"a copy of the CA is used: {problem}" if problem else ""
    if now >= expires:
        message = "; ".join(filter(None, (message, "the CA certificate has expired")))
    if following.problem:
        message = "; ".join(filter(None, (message, "the next CA cannot be used")))
    facts: dict[str, Json] = {"expires": iso(expires)}
    if following.pem:
        facts["next"] = {"expires": iso(following.expires)}
    return DependencyReport(not message, message, facts=facts)


def clock_report(clock: SystemClock, offset: float) -> DependencyReport:
    """What time it is here, and how often the wall clock was set since the start. `offset`: the
    seconds that the clock of the ledger's server is ahead of this host's."""
    facts: dict[str, Json] = {
        "now": iso(clock.now()),
        "steps": clock.steps,
        "offset_seconds": round(offset, 3),
    }
    return DependencyReport(facts=facts)


def log_report(dropped: int, full: bool) -> DependencyReport:
    """Whether lines of the log are being dropped, and how many were since the start."""
    message = "lines are dropped: nobody reads the log, or its disk is full" if full else ""
    return DependencyReport(not full, message, counts={"dropped": dropped})


def refusals(visits: int) -> str:
    """What is said of visits that the ledger refuses while it takes others."""
    return f"the database refuses {count(visits, 'visit')}, kept in the journal and tried again"


def without_driver_words(message: str, place: str) -> str:
    """A message of the ledger without what may name a user: the place, and the driver's own words,
    which stand in parentheses at the end."""
    return message.replace(place, "the database").partition(" (")[0]
