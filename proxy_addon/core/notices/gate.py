"""Who has to read a written policy before going on: pure rules of confirmations and grace times."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto
from math import inf
from typing import NamedTuple

from proxy_addon.core.notices.notice import AskWhen, Notice, Version


class Confirmation(NamedTuple):
    """Somebody has confirmed a version of a notice, at an instant."""

    notice: str
    version: Version
    digest: str
    at: float


class Meeting(NamedTuple):
    """Somebody has met a version of a notice: `first` is when, `later` the instant before which
    they are not asked again, because they put it off or because it has only been shown."""

    notice: str
    major: int
    first: float
    later: float = 0.0


class ConfirmationInForce(NamedTuple):
    """Which confirmations still count for a notice: those of this major version or a later one,
    made at the instant `since` or later."""

    notice: str
    major: int
    since: float


class Need(Enum):
    """What a person has to do about a notice now."""

    NOTHING = auto()
    SHOWN = auto()  # it is shown once, nothing has to be confirmed
    ASKED = auto()  # it has to be confirmed; until the grace time ends it can be put off
    PUT_OFF = auto()  # it has been put off, and the grace time has not ended
    DUE = auto()  # it has to be confirmed, at once


class Standing(NamedTuple):
    """What is needed, and the instant at which the grace time ends; None where nothing ends."""

    need: Need
    until: float | None = None


_NOTHING = Standing(Need.NOTHING)


def in_force(notice: Notice, confirmations: Iterable[Confirmation], now: float) -> bool:
    """Whether one of these confirmations still counts for this version of the notice."""
    return now < lasts_until(notice, confirmations)


def lasts_until(notice: Notice, confirmations: Iterable[Confirmation]) -> float:
    """The instant at which the last of the confirmations that count for this version ends;
    infinite: never, minus infinite: there is none."""
    return max(
        (
            inf if notice.again_after is None else each.at + notice.again_after
            for each in confirmations
            if each.notice == notice.name and each.version.covers(notice.version)
        ),
        default=-inf,
    )


def in_force_since(notices: Iterable[Notice], now: float) -> tuple[ConfirmationInForce, ...]:
    """Which confirmations of these notices outlive the retention of usage. A notice that nobody is
    asked about at present keeps its own: who has read it need not read it again."""
    return tuple(
        ConfirmationInForce(
            each.name,
            each.version.major,
            -inf if each.again_after is None else now - each.again_after,
        )
        for each in notices
    )


def standing(
    notice: Notice,
    confirmations: Iterable[Confirmation],
    met: Meeting | None,
    now: float,
    *,
    signed_in: bool,
) -> Standing:
    """Where somebody stands with a notice. `met`: their first meeting with this version, None
    before it. Who has not signed in is shown it, and asked for nothing: nobody knows who would
    confirm."""
    confirmations = tuple(confirmations)
    if notice.ask is AskWhen.OFF or in_force(notice, confirmations, now):
        return _NOTHING
    if notice.ask is AskWhen.SHOWN or not signed_in:
        return _NOTHING if met is not None and met.later > now else Standing(Need.SHOWN)
    ends = _grace_ends(notice, confirmations, met, now)
    if now >= ends:
        return Standing(Need.DUE)
    if met is not None and now < met.later:
        return Standing(Need.PUT_OFF, ends)
    return Standing(Need.ASKED, ends)


def due_by(
    notice: Notice, confirmations: Iterable[Confirmation], met: Meeting | None, now: float
) -> float:
    """The earliest instant at which somebody who has signed in may have to confirm it at once; it
    may have passed. Who has not met it yet could do so at any moment."""
    if notice.ask is not AskWhen.BEFORE_FIRST_USE:
        return inf
    return _grace_ends(notice, confirmations, met, now)


def _grace_ends(
    notice: Notice, confirmations: Iterable[Confirmation], met: Meeting | None, now: float
) -> float:
    """When the grace time ends: it begins with the first meeting, and again when a confirmation has
    ended that has to be repeated."""
    begins = now if met is None else met.first
    return max(begins, lasts_until(notice, confirmations)) + notice.grace


def put_off(met: Meeting, now: float, next_day: Callable[[float], float]) -> Meeting:
    """The meeting after "later": not asked again before the next day begins."""
    return met._replace(later=next_day(now))
