"""The rules in force: one reference, swapped whole. A bad edit changes nothing.

`attempt` is what watchers, signals and people call: it reads the folder, validates and compiles it,
runs its tests when the policy wants that, and swaps; whatever goes wrong on the way, the old rules
stay in force and the answer says why. It blocks on disk and processor, so it is called away from
the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import structlog

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules.folder import Reading
from proxy_addon.rules.last_good import Kept, LastGood

log = structlog.get_logger("allowance.rules")

MOST_LOGGED = (
    100  # problems of one reload; a file that is not a rule file at all may have tens of thousands
)

type Subscriber = Callable[[CompiledPolicy], None]
type RuleTests = Callable[[Path, RuleSet], Sequence[str]]
"""Runs the tests of a rules folder against rules that were read from it: one line for each that
fails."""


class RuleTestsFailed(Exception):
    """The policy requires that the rules pass their tests, and they do not. One line for each."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__("\n".join(failures))
        self.failures = tuple(failures)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of reading the rules: `digest` of the rules in force, and one line for each
    problem.

    `places` says the same without words from the files, which may name people.
    """

    changed: bool
    digest: str
    problems: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when the rules in force are those of the folder."""
        return not self.problems


class LiveRules:
    """Holds the rule set of a folder. `current` may be read from any thread, and never blocks."""

    def __init__(
        self,
        folder: Path,
        *,
        tests: RuleTests | None = None,
        last_good: LastGood | None = None,
        keeps: bool = True,
    ) -> None:
        """Without `tests` a policy that requires them is refused. `keeps`: this process writes
        `last_good`."""
        self.folder = folder
        self.kept: Kept | None = None  # what we began with, when the folder was broken
        self.outcome = Outcome(False, "")
        self._tests = tests
        self._last_good = last_good
        self._keeps = keeps
        self._reading: Reading | None = None  # of the rules in force
        self._current: RuleSet | None = None
        self._subscribers: list[Subscriber] = []
        self._one_at_a_time = Lock()

    @property
    def current(self) -> RuleSet:
        """The rule set in force. RuntimeError before the first `load`."""
        if self._current is None:
            raise RuntimeError("the rules have not been loaded yet")
        return self._current

    def load(self, *, strict: bool = True) -> RuleSet:
        """Read the folder for the first time; a no-op for the same bytes. Raises RuleErrors,
        RuleTestsFailed.

        Not `strict`: rules that were in force before are taken in place of broken ones, where they
        were kept.
        """
        try:
            self.reload()
        except (RuleErrors, RuleTestsFailed) as error:
            if strict or self._current is not None or not self._fall_back():
                raise
            self._keep_old(error)
        return self.current

    def attempt(self) -> Outcome:
        """Do what the folder says now, or say why not. Never raises; problems are logged, one line
        each."""
        try:
            changed = self.reload()
        except Exception as error:
            return self._keep_old(error)
        if changed:
            log.info(
                "rules changed", digest=self.current.digest[:12], rules=len(self.current.rules)
            )
        elif not self.outcome.ok:
            log.info("the rules are right again, as they were", digest=self.current.digest[:12])
        self.outcome = Outcome(changed, self.current.digest)
        self.keep()
        return self.outcome

    def reload(self) -> bool:
        """True when other rules are in force now. Raises RuleErrors or RuleTestsFailed; the old
        ones stay then.

        Subscribers are called in this thread, after the swap, in the order in which they came.
        """
        with self._one_at_a_time:
            reading = rules_folder.read(self.folder)
            if (
                self._current is not None
                and reading.digest == self._current.digest
                and not reading.failed
            ):
                return False
            rule_set = rules_folder.rule_set(reading)
            if not self._known_good(reading):
                self._test(rule_set)
            compiled = CompiledPolicy.of(rule_set) if self._subscribers else None
            self._current, self._reading = rule_set, reading
            if compiled is not None:
                for subscriber in tuple(self._subscribers):
                    subscriber(compiled)
            return True

    def keep(self) -> None:
        """Keep the rules in force for a restart. A disk that does not take them is no reason to
        stop."""
        if self._last_good is None or self._reading is None or not self._keeps:
            return
        try:
            self._last_good.keep(self._reading)
        except OSError as error:
            log.warning("the last good rules cannot be kept", error=str(error))

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with what was prepared of each rule set that comes into force from now
        on."""
        self._subscribers.append(subscriber)

    def _known_good(self, reading: Reading) -> bool:
        """At a start: these very files have been in force before, so their tests have passed."""
        kept = (
            self._last_good.find()
            if self._last_good is not None and self._current is None
            else None
        )
        return kept is not None and kept.reading.digest == reading.digest

    def _test(self, rules: RuleSet) -> None:
        if not rules.require_tests:
            return
        failures: Sequence[str] = ("the policy requires tests, and nothing here can run them",)
        if self._tests is not None:
            failures = self._tests(self.folder, rules)
        if failures:
            raise RuleTestsFailed(failures)

    def _fall_back(self) -> bool:
        kept = self._last_good.find() if self._last_good is not None else None
        if kept is None:
            return False
        try:
            self._current = rules_folder.rule_set(kept.reading)
        except RuleErrors as error:
            problem = str(error.problems[0]) if error.problems else str(error)
            log.warning("the last good rules cannot be used", problem=problem)
            return False
        self.kept = kept
        return True

    def _keep_old(self, error: Exception) -> Outcome:
        problems, places = _lines_of(error)
        for problem in problems[:MOST_LOGGED]:
            log.error("rules problem", problem=problem)
        if len(problems) > MOST_LOGGED:
            more = f"and {len(problems) - MOST_LOGGED} more; `allowance rules check` shows them"
            log.error("rules problem", problem=more)
        digest = self.current.digest
        log.error("the rules were not changed, the old ones stay in force", digest=digest[:12])
        self.outcome = Outcome(False, digest, problems, places)
        return self.outcome


def _lines_of(error: Exception) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of a failure, and the same without words from the files."""
    if isinstance(error, RuleErrors):
        places = (f"{each.file}:{each.line}:{each.column}: {each.code}" for each in error.problems)
        return tuple(map(str, error.problems)), tuple(places)
    if isinstance(error, RuleTestsFailed):
        return error.failures, (f"{len(error.failures)} failed in the tests of the rules",)
    log.error("the rules could not be read", exc_info=error)
    line = f"the rules could not be read: {type(error).__name__}; this is a bug, please report it"
    return (line,), (line,)
