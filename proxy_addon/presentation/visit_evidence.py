"""Why a visit was charged: what opened, extended and closed it, for programs and in plain words.

For `allowance usage --explain` and for people's own pages. Kinds and times; the ledger stores
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypedDict
from zoneinfo import ZoneInfo

from proxy_addon.core.metering import evidence as codes
from proxy_addon.core.types import EvidenceSummary, Extension, Visit
from proxy_addon.presentation import rule_text
from proxy_addon.presentation.durations import duration, iso

NOT_RECORDED: Final = "Not recorded."
SILENCE: Final = "silence"
_SHOWN_FROM: Final = 2.0  # seconds; what opened a visit and ended sooner is not shown again


class Opened(TypedDict):
    """The code of the evidence, and an ISO instant."""

    by: str
    at: str


class Extended(TypedDict):
    """The same with the last instant, and how many times; 0 for what opened the visit and went
    on."""

    by: str
    first: str
    last: str
    times: int


class Closed(TypedDict):
    """Why, and an ISO instant."""

    why: str
    at: str


class EvidenceLine(TypedDict):
    """The evidence of a visit; `closed` is null while it goes on, `given_back` are seconds."""

    opened: Opened
    extended: list[Extended]
    closed: Closed | None
    given_back: float


# By code: what opened a visit; what extended it once; what extended it several times.
_WORDS: Final = {
    "page-opened": ("by opening a page", "a page opened", "{} pages opened"),
    "page-action": ("by scrolling or clicking", "a scroll or click", "{} scrolls or clicks"),
    "app-action": ("by using the app", "an action in the app", "{} actions in the app"),
    "message-sent": ("by sending a message", "a message sent", "{} messages sent"),
    "media-played": ("by playing a video or sound", "a video or sound", "{} videos or sounds"),
    "media-stream": ("by a running stream", "a running stream", "{} running streams"),
    "busy-tunnel": (
        "by an app that was busy",
        "an app that was busy",
        "an app that was busy {} times",
    ),
    codes.ESTIMATED: (
        "by a busy connection in free time, which was not opened",
        "a busy connection in free time",
        "a connection in free time that was busy {} times",
    ),
    codes.RULE_CHANGED: ("when the rule changed", "", ""),
}
_ENDS: Final = {
    codes.TIME_UP: "time was up",
    codes.RULE_CHANGED: "the rule changed",
    codes.SECTION_CHANGED: "another part of the platform was opened",
    codes.GIVEN_BACK: "what came later was a page refreshing itself",
    codes.CLOCK_SET: "the clock of the proxy was set",
}


def data(visit: Visit, now: float, zone: ZoneInfo) -> EvidenceLine | None:
    """For programs; None where it was not recorded."""
    found = visit.evidence
    if found is None:
        return None
    why = SILENCE if found.closed is None else found.closed[0]
    return {
        "opened": {"by": found.opened[0], "at": iso(found.opened[1], zone)},
        "extended": [
            {
                "by": line.by,
                "first": iso(line.first, zone),
                "last": iso(line.last, zone),
                "times": line.times,
            }
            for line in found.extended
            if _is_shown(line)
        ],
        "closed": None if visit.end > now else {"why": why, "at": iso(visit.end, zone)},
        "given_back": round(found.given_back, 3),
    }


def sentences(visit: Visit, now: float, zone: ZoneInfo) -> tuple[str, ...]:
    """For people: what opened it, what extended it, what closed it, what was given back."""
    if visit.evidence is None:
        return (NOT_RECORDED,)
    return tuple(_sentences(visit, visit.evidence, now, zone))


def _sentences(visit: Visit, found: EvidenceSummary, now: float, zone: ZoneInfo) -> Iterator[str]:
    code, at = found.opened
    yield f"Opened {_second(at, zone)} {_words(code)[0]}."
    lines = [_extension(line, zone) for line in found.extended if _is_shown(line)]
    if lines:
        yield f"Extended by {rule_text.listed(lines)}."
    if visit.end > now:
        yield "Still open."
    else:
        yield f"Closed {_second(visit.end, zone)}{_closed(visit, found)}."
    if found.given_back > 0:
        yield f"{_capital(duration(found.given_back))} given back: a page refreshed itself."


def _is_shown(line: Extension) -> bool:
    return line.times > 0 or line.last - line.first >= _SHOWN_FROM


def _extension(line: Extension, zone: ZoneInfo) -> str:
    first, last = _second(line.first, zone), _second(line.last, zone)
    if line.times == 0:
        return f"more of the same until {last}"
    opened, once, often = _words(line.by)
    if line.times > 1:
        what = often.format(line.times)
    else:
        what = opened.removeprefix("by ") if line.last - line.first >= _SHOWN_FROM else once
    return f"{what} at {first}" if first == last else f"{what} from {first} to {last}"


def _closed(visit: Visit, found: EvidenceSummary) -> str:
    if found.closed is not None:
        why = found.closed[0]
        return f": {_ENDS.get(why, _plain(why))}"
    after = visit.end - max((line.last for line in found.extended), default=found.opened[1])
    return (
        f": nothing more came in the {duration(after)} before"
        if after > 0
        else ": nothing more came"
    )


def _words(code: str) -> tuple[str, str, str]:
    """Also for a code that a newer version wrote."""
    plain = _plain(code)
    return _WORDS.get(code, (f"by {plain}", plain, f"{plain}, {{}} times"))


def _plain(code: str) -> str:
    return code.replace("-", " ").replace("{", "").replace("}", "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _second(instant: float, zone: ZoneInfo) -> str:
    """The wall clock to the second: "09:12:05"."""
    return iso(instant, zone)[11:19]
