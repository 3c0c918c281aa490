"""From judged activities to visits: one clock for each person and platform, written as ledger rows.

The pure parts are `core/metering/activity.py` (what a request is), `core/metering/polling.py` (is
it periodic) and `core/metering/meter.py` (the clock). This module keeps their states and ends what
runs when time is up; `visit_writer.py` writes the visits. Event loop only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from proxy_addon.core.intervals import difference, normalise
from proxy_addon.core.metering import embeds, giving_back, meter, moving_on, polling
from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.evidence import GIVEN_BACK, MOVED_ON, TIME_UP, SummaryBuilder, closed
from proxy_addon.core.metering.media_types import MEDIA_MIN_BYTES
from proxy_addon.core.metering.meter import PARALLEL_SECTIONS
from proxy_addon.core.metering.pieces import PIECES_NEEDED
from proxy_addon.core.metering.polling import PollingJudgement, Root
from proxy_addon.core.metering.timeline import NEVER, Mark, Timeline
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Then
from proxy_addon.core.types import Activity, Decision, Interval, Person, Reason, Target, Visit
from proxy_addon.metering.platform_state import Load, PlatformState, RulesPeriod
from proxy_addon.metering.provisional_visits import ProvisionalVisits
from proxy_addon.metering.time_left import TimeLeft, overspent
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.metering.visit_writer import VisitWriter
from proxy_addon.observability.interface import Metrics

GIVE_BACK_MEMORY = 2 * 3600.0  # how far back a stretch may still be corrected, seconds
PERIODS_KEPT = 16  # earlier rules that are remembered as long as time under them may be corrected
# bursts that must come soon after each other to open a stretch, where nothing came to look at
WEAK = 2
LARGE_ANSWER = 10_000  # bytes; such an answer may end a long read, as a new request does
DOUBTFUL = 3  # the same where timers ask for the same things
BURST_RESOLUTION = 0.25  # seconds; what one burst loads is not entered more finely than this
CLIP_BYTES = 3_000_000  # a film as short as this may come with what a page loads by itself
PLENTY = 10.0  # seconds left beyond a tail; with less the balance is computed each time
TRIM_ROUNDS = (
    8  # overlapping devices need more than one turn to find the second at which time was up
)


class VisitTracker:
    """The clocks of all people. `sink` takes each new revision of a visit; `new_id` makes ledger
    ids."""

    def __init__(
        self,
        book: UsageBook,
        metrics: Metrics,
        sink: Callable[[Visit], None],
        new_id: Callable[[], str],
        node: str,
    ) -> None:
        self._book = book
        self._metrics = metrics
        self._writer = VisitWriter(book, metrics, sink, new_id, node)
        self.provisional = ProvisionalVisits(self._writer, self._covered_until)
        self._states: dict[tuple[str, str], PlatformState] = {}
        self._platforms: dict[str, list[str]] = {}  # those that each person has a clock on
        self._open: list[tuple[str, str]] = []  # clocks that ran over the last change of rules
        self._ends: dict[
            tuple[str, str], tuple[float, Target]
        ] = {}  # when time is up while a tail still runs

    def state_of(self, person: str, platform: str) -> PlatformState:
        """The state of one person on one platform, made on first sight."""
        key = (person, platform)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = PlatformState()
            self._platforms.setdefault(person, []).append(platform)
        return state

    def enter(self, engine: Engine, person: Person, load: Load) -> Activity:
        """Add one activity that counts. Returns what it turned out to be: a periodic request is
        background."""
        state = self.state_of(person.name, load.target.platform)
        root, needs, novel, follows = None, 1, False, False
        if load.judgement.activity is Activity.MEDIA:
            if embeds.is_charged(load.judgement):
                needs = embeds.needs(state.timeline, state.pages, load.at)
            elif 0 < load.size <= CLIP_BYTES and polling.is_poll_content(state.polling, load.at):
                return Activity.BACKGROUND
            elif 0 < load.size < MEDIA_MIN_BYTES:
                needs = PIECES_NEEDED
        elif not load.certain:
            state.polling, judgement = polling.observe(
                state.polling, load.key, load.at, leads=load.leads, size=load.size
            )
            if judgement.withdrawn:
                self._withdraw(engine, person, load.target.platform, state, judgement)
            if judgement.automatic:
                return Activity.BACKGROUND
            root = judgement.root
            novel = judgement.novel and load.may_be_novel
            novel = novel or load.size >= LARGE_ANSWER
            follows = not load.leads and state.polling.key == polling.CONTENT
            needs = DOUBTFUL if judgement.doubtful else WEAK if load.weak else 1
        else:
            state.polling = polling.person_seen(state.polling, load.at)
            self._moved_on(engine, person, load.target.platform, load.at)
        certain = (
            needs == 1 and not follows and load.judgement.evidence is not Evidence.MESSAGE_SENT
        )
        self._extend(engine, person, state, load, root, needs, novel, follows, certain)
        return load.judgement.activity

    def _moved_on(self, engine: Engine, person: Person, platform: str, at: float) -> None:
        """The person opened a page of `platform`: until then they may have been elsewhere."""
        for other in self._platforms.get(person.name, ()):
            if other == platform:
                continue
            state = self._states[(person.name, other)]
            old = state.timeline
            state.timeline = meter.moved_on(old, at, engine.rule_set.metering)
            if state.timeline.stretches != old.stretches:
                self._writer.write(engine, person, other, state, old, MOVED_ON)
                target = Target(other, state.timeline.stretches[-1].section)
                self._trim(engine, person, target, state, at)

    def observe_poll(self, engine: Engine, person: Person, load: Load) -> None:
        """A request that the catalogue lists as polling was answered with content, which it may
        own."""
        state = self.state_of(person.name, load.target.platform)
        state.polling, judgement = polling.observe_poll(state.polling, load.key, load.at)
        if judgement.withdrawn:
            self._withdraw(engine, person, load.target.platform, state, judgement)

    def _withdraw(
        self,
        engine: Engine,
        person: Person,
        platform: str,
        state: PlatformState,
        judgement: PollingJudgement,
    ) -> None:
        old = state.timeline
        retract = giving_back.retract if judgement.precise else giving_back.retract_some
        state.timeline = retract(old, judgement.withdrawn, engine.rule_set.metering)
        self._writer.write(engine, person, platform, state, old, GIVEN_BACK)

    def stream(self, engine: Engine, person: Person, load: Load) -> None:
        """Bytes flowed from `load.at` to `load.until`: media, whether periodic or not."""
        state = self.state_of(person.name, load.target.platform)
        needs = embeds.needs(state.timeline, state.pages, load.at) if load.weak else 1
        self._extend(engine, person, state, load, needs=needs)

    def _extend(
        self,
        engine: Engine,
        person: Person,
        state: PlatformState,
        load: Load,
        root: Root | None = None,
        needs: int = 1,
        novel: bool = False,
        follows: bool = False,
        certain: bool = False,
    ) -> None:
        old = state.timeline
        if (
            root is not None
            and old.marks
            and old.marks[-1].root == root
            and load.until - old.until <= BURST_RESOLUTION
        ):
            return
        kind = load.judgement.kind or Kind.INTERACTION
        section = load.target.section
        evidence = load.judgement.evidence
        others = self._others(person.name, load.target.platform)
        mark = Mark(
            load.at,
            load.until,
            kind,
            load.key,
            evidence,
            section,
            needs,
            root,
            False,
            novel,
            follows,
            certain,
            apart=moving_on.was_elsewhere(old, others, load.at),
        )
        state.timeline = meter.observe(old, mark, engine.rule_set.metering)
        if mark.at < old.newest:  # as the timeline adds it
            mark = mark._replace(at=old.newest, until=max(old.newest, mark.until))
        self._writer.write(engine, person, load.target.platform, state, old, mark)
        if state.timeline.pending:
            first = state.timeline.pending[0].at
            self.provisional.weak(person, load.target, evidence, first, mark.at)
        self._trim(engine, person, load.target, state, load.until)

    def _covered_until(self, person: str, target: Target) -> float:
        """The instant until which a person is charged for a target, whatever comes."""
        state = self._states.get((person, target.platform))
        stretches = () if state is None else state.timeline.stretches[-PARALLEL_SECTIONS:]
        return max((s.end for s in stretches if s.section == target.section), default=NEVER)

    def pending(self, person: str, platform: str, at: float) -> float:
        """Seconds that a page opened at `at` would charge for the gap before it, here or, until the
        person moved on, elsewhere; 0 when it would not join."""
        others = self._others(person, platform)
        elsewhere = (moving_on.would_charge(timeline, at) for timeline in others)
        return max(self._gap(person, platform, at), *elsewhere, 0.0)

    def _others(self, person: str, platform: str) -> Iterator[Timeline]:
        """The clocks of a person on other platforms."""
        for other in self._platforms.get(person, ()):
            if other != platform:
                yield self._states[(person, other)].timeline

    def _gap(self, person: str, platform: str, at: float) -> float:
        state = self._states.get((person, platform))
        if state is None or not state.timeline.stretches:
            return 0.0
        if at > max(state.timeline.reach, state.timeline.far):
            return 0.0
        return max(0.0, at - state.timeline.stretches[-1].end)

    def stop(
        self, engine: Engine, person: Person, platform: str, at: float, why: str = TIME_UP
    ) -> None:
        """What runs is being ended at the instant `at`; `why` is one of
        `core/metering/evidence.py`."""
        state = self._states.get((person.name, platform))
        if state is not None:
            old = state.timeline
            state.timeline = meter.truncate(state.timeline, at)
            self._writer.write(engine, person, platform, state, old, why)

    def refused(self, person: Person, platform: str, decision: Decision, at: float) -> None:
        """Something that would have gone on with a visit was refused: time was up, that is what
        ended it."""
        state = self._states.get((person.name, platform))
        if decision.reason is not Reason.EXHAUSTED or state is None or at > state.timeline.reach:
            return
        rows = (
            state.rows.get(state.timeline.stretches[-1].serial)
            if state.timeline.stretches
            else None
        )
        if not rows or rows[-1].allowance != decision.allowance:
            return
        row, known = rows[-1], rows[-1].evidence
        if known is not None and known.closed is None:
            ended = closed(known, TIME_UP, row.end)
            rows[-1] = replace(row, rev=row.rev + 1, evidence=ended)
            self._writer.publish(person, rows[-1], 0.0)

    def swapped(self, before: RulesPeriod) -> None:
        """Other rules are in force since `before.until`: what was charged until then stays as it
        is."""
        self._writer.earlier = [*self._writer.earlier, before][-PERIODS_KEPT:]
        self._open = [
            key
            for key, state in self._states.items()
            if state.timeline.stretches and state.timeline.stretches[-1].end > before.until
        ]

    def follow(self, engine: Engine, person: Callable[[str], Person], most: int) -> None:
        """Give the seconds after a change of rules to the new ones; `most` clocks at a time."""
        since = self._writer.earlier[-1].until if self._writer.earlier else float("-inf")
        for name, platform in self._open[:most]:
            state = self._states.get((name, platform))
            if state is None:
                continue
            for stretch in state.timeline.stretches:
                if stretch.end > since:
                    pieces = self._writer.pieces(engine, person(name), platform, stretch)
                    summary = SummaryBuilder(stretch, state.timeline, state.timeline)
                    self._writer.write_pieces(person(name), platform, state, summary, pieces)
        del self._open[:most]

    def run_out(self, engine: Engine, person: Callable[[str], Person], now: float) -> None:
        """End the tails of those whose time is up, at that second."""
        for key in [key for key, (at, _) in self._ends.items() if at <= now]:
            at, target = self._ends.pop(key)
            if key in self._states:
                # Not before `at`: what others used meanwhile elsewhere is cut there, or each would
                # give back for all.
                self._trim(engine, person(key[0]), target, self._states[key], now, at)

    def tracked(self) -> list[tuple[str, str]]:
        """Everybody and each platform that has a clock."""
        return list(self._states)

    def drop(self, person: str) -> None:
        """Forget one person's clocks; what runs on begins a new visit."""
        self.provisional.drop(person)
        for platform in self._platforms.pop(person, []):
            self._states.pop((person, platform), None)

    def settle(self, now: float) -> None:
        """Forget what can no longer be corrected; call now and then."""
        first = now
        for key, state in list(self._states.items()):
            state.timeline = meter.settle(state.timeline, now, GIVE_BACK_MEMORY)
            serials = {s.serial for s in state.timeline.stretches}
            for serial in [s for s in state.rows if s not in serials]:
                del state.rows[serial]
            first = min([first, *(s.start for s in state.timeline.stretches)])
            if not state.timeline.stretches and now - state.timeline.newest > GIVE_BACK_MEMORY * 4:
                self._forget(key)
        self._writer.earlier = [period for period in self._writer.earlier if period.until > first]

    def _forget(self, key: tuple[str, str]) -> None:
        del self._states[key]
        person, platform = key
        platforms = self._platforms[person]
        platforms.remove(platform)
        if not platforms:
            del self._platforms[person]

    def active(self, since: float) -> int:
        """How many people had an activity after the instant `since`."""
        return len(
            {name for (name, _), state in self._states.items() if state.timeline.newest >= since}
        )

    def _trim(
        self,
        engine: Engine,
        person: Person,
        target: Target,
        state: PlatformState,
        now: float,
        floor: float = float("-inf"),
    ) -> None:
        """A gap that is charged after the fact never charges more than there was: end at the last
        second, but not before `floor`."""
        match = engine.match(person, target, now)
        if match.then is not Then.SPEND or match.allowance is None or match.observed:
            return
        old, end = state.timeline, now
        usage = self._book.of(person.name)
        if state.time_left is not None:
            tail = max(0.0, old.stretches[-1].end - now) if old.stretches else 0.0
            left = state.time_left.at_least(engine, person, usage, match.allowance, now)
            if left > tail + PLENTY:
                return
        if self._writer.earlier:
            floor = max(floor, self._writer.earlier[-1].until)  # a lower limit gives nothing back
        for _ in range(TRIM_ROUNDS):
            balance = engine.balance(person, match.allowance, usage, now)
            over = overspent(balance)
            if over <= 0.0:
                break
            end = max(self._last_second(person, match.allowance, state, end, over), min(floor, end))
            state.timeline = meter.truncate(state.timeline, end)
            self._writer.write(engine, person, target.platform, state, old, TIME_UP)
            old = state.timeline
        state.time_left = TimeLeft.seen(engine, person, usage, match.allowance, balance.left, now)
        if (
            balance.left <= 0.0
        ):  # to the moment, with nothing to take back: but the tail would run on
            state.timeline = meter.truncate(old, now)
            self._writer.write(engine, person, target.platform, state, old, TIME_UP)
        if end < now or balance.left <= 0.0:
            self._metrics.exhausted(person, match.allowance, end)
            self._end_elsewhere(person, match.allowance, target.platform, now)
        elif state.timeline.stretches and now + balance.left < state.timeline.stretches[-1].end:
            self._ends[(person.name, target.platform)] = (now + balance.left, target)

    def _end_elsewhere(self, person: Person, allowance: str, platform: str, now: float) -> None:
        """Time is up: tails that run on other platforms, too, end at the next look."""
        for visit in self._book.of(person.name).visits.values():
            if visit.end > now and visit.allowance == allowance and visit.platform != platform:
                self._ends[(person.name, visit.platform)] = (
                    now,
                    Target(visit.platform, visit.section),
                )

    def _last_second(
        self, person: Person, allowance: str, state: PlatformState, end: float, over: float
    ) -> float:
        """Where the open stretch has to end for `over` seconds less: only what nothing else covers
        counts."""
        if not state.timeline.stretches:
            return end - over
        last = state.timeline.stretches[-1]
        own = {row.id for row in state.rows.get(last.serial, ())}
        visits = self._book.of(person.name).visits.values()
        others = normalise(
            Interval(v.start, v.end) for v in visits if v.allowance == allowance and v.id not in own
        )
        for part in reversed(difference((Interval(last.start, max(last.start, end)),), others)):
            if over <= part.end - part.start:
                return part.end - over
            over -= part.end - part.start
        return last.start
