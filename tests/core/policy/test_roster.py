"""Duty rotas: who has which role at an instant, and what that does to decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core import conditions
from proxy_addon.core.policy.engine import Engine, StaticUsage
from proxy_addon.core.policy.roster import Roster
from proxy_addon.core.ruleset import Calendar, Duty, People, Rule, RuleSet, Then, When
from proxy_addon.core.types import Interval, Person, Reason, Target, Verdict
from tests.core.policies import SAMPLE, H, M, at, targets, visits

quick = settings(max_examples=60, deadline=None)
NOBODY = StaticUsage()
WEEKEND = When(days=frozenset({5, 6}))


def office(**duties: tuple[Duty, ...]) -> RuleSet:
    """The sample with a rota; `care` opens X whenever somebody has it."""
    rules = (
        Rule("Care answers", Then.ALLOW, roles=frozenset({"care"}), targets=targets("x")),
        *SAMPLE.rules,
    )
    people = People("staff", {"staff": (), "care": ("cora",), "lead": ("carl",)}, (), duties)
    return replace(SAMPLE, people=people, rules=rules)


def shift(*hours: str) -> When:
    """`shift("09:00-17:00")` on the Monday of the samples."""
    return When(calendar=Calendar(("shifts",), (), visits(*hours)))


def test_members_always_have_their_role_and_others_when_on_duty() -> None:
    """On a Monday Carl leads; on a Saturday he is in care as well."""
    roster = Roster(office(care=(Duty(("Carl",), WEEKEND),)))
    assert roster.person("carl", at("10:00")) == Person("carl", ("lead",), True)
    assert roster.person("carl", at("2026-11-07 10:00")) == Person("carl", ("care", "lead"), True)
    assert roster.person("cora", at("10:00")) == Person("cora", ("care",), False)
    assert roster.person("dora", at("10:00")) == Person("dora", ("staff",), False)


def test_off_duty_somebody_with_no_other_role_has_the_default_one() -> None:
    """A shift is all that Emil has."""
    roster = Roster(office(care=(Duty(("emil",), shift("09:00-17:00")),)))
    assert roster.roles("emil", at("08:59")).names == ("staff",)
    assert roster.roles("emil", at("09:00")).names == ("care",)
    assert roster.roles("emil", at("17:00")).names == ("staff",)


def test_a_pattern_may_be_on_duty() -> None:
    """Everybody of a team, by the night."""
    night = When(between=((22 * 3600, 6 * 3600),))
    roster = Roster(office(care=(Duty(("*@night.example",), night),)))
    assert roster.roles("zoe@night.example", at("23:00")).names == ("care",)
    assert roster.roles("zoe@night.example", at("12:00")).names == ("staff",)


def test_a_role_that_only_a_rota_gives_exists() -> None:
    """A role without any member is had by whoever is on duty."""
    roster = Roster(office(helpers=(Duty(("emil",), WEEKEND),)))
    assert roster.roles("emil", at("2026-11-08 10:00")).names == ("helpers",)


def test_what_is_remembered_is_forgotten_in_time_in_both_directions() -> None:
    """Asked forward and backward over a change, the answer is that of the instant."""
    roster = Roster(office(care=(Duty(("emil",), shift("09:00-17:00")),)))
    for moment, role in (
        ("12:00", "care"),
        ("18:00", "staff"),
        ("12:00", "care"),
        ("08:00", "staff"),
    ):
        assert roster.roles("emil", at(moment)).names == (role,)


def test_a_decision_says_when_the_shift_ends() -> None:
    """Free while on duty, and until names the end of it."""
    engine = Engine(office(care=(Duty(("emil",), shift("09:00-17:00")),)))
    emil = engine.person("emil", at("10:00"))
    decision = engine.decide(emil, Target("x"), NOBODY, at("10:00"))
    assert (decision.verdict, decision.rule) == (Verdict.ALLOW, "Care answers")
    assert decision.until == at("17:00") == engine.match(emil, Target("x"), at("10:00")).until


def test_somebody_asked_for_earlier_is_judged_by_the_roles_of_now() -> None:
    """What runs keeps its person; the end of the shift ends it all the same."""
    engine = Engine(office(care=(Duty(("emil",), shift("09:00-17:00")),)))
    emil = engine.person("emil", at("10:00"))
    used_up = StaticUsage({"daily-social": visits("07:00-07:20")})
    assert not engine.decide(emil, Target("x"), used_up, at("16:59")).blocks
    assert engine.decide(emil, Target("x"), used_up, at("17:00")).reason is Reason.EXHAUSTED
    assert engine.balance(emil, "daily-social", used_up, at("12:00")).limit == 45 * M
    assert engine.balance(emil, "daily-social", used_up, at("18:00")).limit == 15 * M


def test_an_exhausted_allowance_may_have_time_again_when_a_shift_begins() -> None:
    """The care team has more; until names its beginning and not midnight."""
    engine = Engine(office(care=(Duty(("emil",), shift("14:00-17:00")),)))
    emil = engine.person("emil", at("13:40"))
    used_up = StaticUsage({"daily-social": visits("07:00-07:20")})
    decision = engine.decide(emil, Target("facebook"), used_up, at("13:40"))
    assert (decision.reason, decision.until) == (Reason.EXHAUSTED, at("14:00"))
    assert engine.decide(emil, Target("facebook"), used_up, at("14:00")).left == 25 * M


def test_a_role_on_which_nothing_turns_changes_no_answer() -> None:
    """The answer is announced to change only where it may."""
    engine = Engine(office(admin=(Duty(("emil",), shift("09:00-17:00")),)))
    emil = engine.person("emil", at("15:00"))
    assert engine.match(emil, Target("medium"), at("15:00")).until is None
    assert engine.match(emil, Target("x"), at("15:00")).until == at("2026-11-03 12:00")


def test_roles_that_a_device_gives_are_left_alone() -> None:
    """A person with roles of their own is not looked up in the rota."""
    engine = Engine(office(care=(Duty(("emil",), shift("09:00-17:00")),)))
    guest = Person("emil", ("guest",))
    assert engine.decide(guest, Target("x"), NOBODY, at("10:00")).verdict is Verdict.SPEND


def test_a_change_at_the_end_of_the_horizon_is_not_announced() -> None:
    """Nothing is known 370 days ahead; a second later that day is within sight."""
    day, begins = date(2027, 11, 7), at("2027-11-07 00:00")
    rota = office(care=(Duty(("emil",), When(dates=((day, day),))),))
    engine = Engine(replace(rota, rules=rota.rules[:1]))
    now = begins - conditions.HORIZON
    emil = engine.person("emil", now)
    assert engine.match(emil, Target("x"), now).until is None
    assert engine.match(emil, Target("x"), now + 1).until == begins


starts = st.integers(0, 9 * 24 * 12).map(lambda five: at("2026-10-23 00:00") + five * 5 * M)
hours = st.lists(
    st.builds(
        lambda start, length: Interval(start, start + length * 5 * M), starts, st.integers(1, 200)
    ),
    min_size=1,
    max_size=4,
)
days = st.lists(
    st.integers(22, 31).map(lambda day: (date(2026, 10, day), date(2026, 10, day))), max_size=2
)


@quick
@given(hours, days, st.none() | st.frozensets(st.integers(0, 6), min_size=1, max_size=6), starts)
def test_a_rota_change_flips_the_decision_exactly_at_its_instant(
    some_hours: list[Interval],
    some_days: list[tuple[date, date]],
    weekdays: frozenset[int] | None,
    now: float,
) -> None:
    """Over the night in which clocks are put back: the answer holds until `until`, and not one
    second longer."""
    from proxy_addon.core.intervals import normalise
    from proxy_addon.core.rules.calendars import joined

    when = When(days=weekdays, calendar=Calendar(("s",), joined(some_days), normalise(some_hours)))
    rs = replace(
        office(care=(Duty(("emil",), when),)), rules=office().rules[:1], otherwise=Then.BLOCK
    )
    engine = Engine(rs)
    emil = engine.person("emil", now)
    decision = engine.decide(emil, Target("x"), NOBODY, now)
    assert decision.blocks is not conditions.fits(when, rs, now)
    if decision.until is None:
        assert all(
            engine.decide(emil, Target("x"), NOBODY, now + step * H).blocks is decision.blocks
            for step in range(1, 24 * 12)
        )
        return
    before, after = (
        engine.decide(emil, Target("x"), NOBODY, instant)
        for instant in (decision.until - 1, decision.until)
    )
    assert before.blocks is decision.blocks is not after.blocks
    steps = [now + i * 5 * M for i in range(int((decision.until - now) // (5 * M)) + 1)]
    assert all(
        Engine(rs).person("emil", step).roles == emil.roles
        for step in steps[:: max(1, len(steps) // 40)]
        if step < decision.until
    )
