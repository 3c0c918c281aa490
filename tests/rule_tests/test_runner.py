"""Tests of rules run through the real engine: what is charged, when it runs out, and what does not
count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Duty, When
from proxy_addon.presentation.rule_text import length
from proxy_addon.rule_tests.loader import read_bytes
from proxy_addon.rule_tests.report import lines
from proxy_addon.rule_tests.runner import run_folder, run_plans
from tests.rule_tests.office import POLICY, machine, one_test, passes, run, write

X = 'user: dora, opens: "https://x.example/"'


@pytest.mark.parametrize("seconds", [1, 5, 10, 11, 59, 60, 61, 119, 120, 121, 600, 899])
def test_a_visit_is_charged_what_it_lasts(seconds: int) -> None:
    """To the second, shorter than the tail of the clock or longer than a page is read."""
    passes(f"""
        - {{at: 09:00, user: dora, visits: {{platform: x, for: {seconds}s}}}}
        - {{at: 10:00, {X}, expect: {{verdict: spend, left: {900 - seconds}s}}}}
    """)


def test_a_visit_is_charged_as_it_goes_on() -> None:
    """What is left is exact in the middle of a visit as well."""
    passes(f"""
        - {{at: 09:00, user: dora, visits: {{platform: x, for: 10m}}}}
        - {{at: "09:00:01", {X}, expect: {{left: 14m59s}}}}
        - {{at: "09:03:33", {X}, expect: {{left: 11m27s}}}}
        - {{at: "09:10", {X}, expect: {{left: 5m}}}}
        - {{at: "09:10:30", {X}, expect: {{left: 5m}}}}
    """)


def test_looking_costs_nothing() -> None:
    """`opens` asks what would be answered, as often as one likes."""
    passes(f"""
        - {{at: 09:00, {X}, expect: {{left: 15m}}}}
        - {{at: 09:01, {X}, expect: {{left: 15m}}}}
        - {{at: 09:30, {X}, expect: {{left: 15m}}}}
    """)


def test_time_is_up_to_the_second() -> None:
    """A visit ends where the allowance does; nothing is charged beyond it, so a grant is there
    whole."""
    passes(f"""
        - {{at: 09:00, user: dora, visits: {{platform: x, for: 1h}}}}
        - {{at: "09:14:59", {X}, expect: {{verdict: spend, left: 1s}}}}
        - {{at: "09:15:00", {X}, expect: {{verdict: block, reason: exhausted, left: 0}}}}
        - {{at: "10:30", user: dora, grant: {{allowance: daily, for: 5m}}}}
        - {{at: "10:30", {X}, expect: {{verdict: spend, left: 5m}}}}
    """)


def test_a_grant_in_the_middle_of_a_visit_lets_it_go_on() -> None:
    """Somebody who was cut off goes on at once."""
    passes(f"""
        - {{at: 09:00, user: dora, visits: {{platform: x, for: 1h}}}}
        - {{at: 09:20, user: dora, grant: {{allowance: daily, for: 10m}}}}
        - {{at: 09:25, {X}, expect: {{verdict: spend, left: 5m}}}}
        - {{at: 09:31, {X}, expect: {{verdict: block, until: 2026-11-03 00:00}}}}
    """)


def test_visits_that_overlap_cost_once() -> None:
    """Two platforms, or two devices on one; the one that goes on longer is charged to its end."""
    passes(f"""
        - {{at: 09:00, user: dora, visits: {{platform: x, for: 4m}}}}
        - {{at: 09:01, user: dora, visits: {{platform: x, for: 5m}}}}
        - {{at: 09:02, user: dora, visits: {{platform: linkedin, for: 5m}}}}
        - {{at: 09:05, {X}, expect: {{left: 10m}}}}
        - {{at: 09:30, {X}, expect: {{left: 8m}}}}
    """)


def test_people_do_not_share_minutes() -> None:
    """Roles come from the test, from the rules, or from the device."""
    passes("""
        - {at: 09:00, user: dora, visits: {platform: x, for: 15m}}
        - {at: 09:20, user: dora, opens: "https://x.example/", expect: {verdict: block}}
        - {at: 09:20, user: carl, opens: "https://x.example/", expect: {verdict: spend, left: 45m}}
        - {at: 09:20, user: eve, opens: "https://x.example/", expect: {verdict: spend, left: 15m}}
        - {at: 09:20, user: "ip:10.0.0.8", opens: "https://x.example/", expect: {left: 45m}}
        - {at: 09:20, user: "ip:10.0.0.9", opens: "https://x.example/", expect: {left: 5m, allowance: hourly}}
    """)


def test_a_device_of_somebody_spends_their_minutes() -> None:
    """The address stands for the user."""
    passes("""
        - {at: 09:00, user: "ip:10.0.0.7", visits: {platform: x, for: 6m}}
        - {at: 09:20, user: reception, opens: "https://x.example/", expect: {left: 9m}}
    """)


def test_who_is_refused() -> None:
    """Where the policy wants to know who asks, an address is asked to sign in, and is charged
    nothing."""
    passes(
        """
        - {at: 09:00, user: "ip:10.0.0.9", visits: {platform: x, for: 6m}}
        - {at: 09:00, user: "ip:10.0.0.9", grant: {allowance: daily, for: 6m}}
        - {at: 09:20, user: "ip:10.0.0.9", opens: "https://x.example/", expect: {reason: unidentified}}
        - {at: 09:20, user: "ip:10.0.0.9", opens: "https://news.example/", expect: {verdict: allow}}
        """,
        policy=POLICY + "unidentified: refuse\n",
    )


def test_a_stretch_is_split_where_the_rule_changes() -> None:
    """Lunch is free to the second, at both ends."""
    passes(
        f"""
        - {{at: "11:57", user: dora, visits: {{platform: x, for: 2h}}}}
        - {{at: "12:00", {X}, expect: {{verdict: allow, rule: Lunch, until: "13:30"}}}}
        - {{at: "13:30", {X}, expect: {{verdict: spend, left: 12m}}}}
        - {{at: "13:41", {X}, expect: {{verdict: spend, left: 1m}}}}
        - {{at: "13:42", {X}, expect: {{verdict: block}}}}
        """,
        start="2026-11-02 11:57",
    )


def test_a_rule_that_begins_to_block_ends_a_visit() -> None:
    """What was charged until then is exact; in the morning it may go on."""
    passes(
        f"""
        - {{at: "21:53", user: dora, visits: {{platform: x, for: 10h}}}}
        - {{at: "22:00", {X}, expect: {{verdict: block, reason: blocked, until: 2026-11-03 06:00}}}}
        - {{at: "22:30", user: dora, opens: "https://linkedin.example/", expect: {{verdict: spend, left: 8m}}}}
        - {{at: 2026-11-03 06:05, {X}, expect: {{verdict: spend, left: 10m}}}}
        """,
        start="2026-11-02 21:53",
    )


def test_midnight_in_the_middle_of_a_visit() -> None:
    """Each day pays its own part."""
    passes(
        """
        - {at: "23:50", user: dora, visits: {platform: linkedin, for: 15m}}
        - {at: "23:59", user: dora, opens: "https://linkedin.example/", expect: {left: 6m}}
        - {at: 2026-11-03 00:10, user: dora, opens: "https://linkedin.example/", expect: {left: 10m}}
        """,
        start="2026-11-02 23:50",
    )


def test_a_rolling_limit_comes_back_while_somebody_waits() -> None:
    """The visit stops, and goes on when the oldest use has left the hour."""
    passes(
        f"""
        - {{at: "09:00", user: dora, visits: {{platform: x, for: 70m}}}}
        - {{at: "09:06", {X}, expect: {{verdict: block, until: "10:00"}}}}
        - {{at: "10:04", {X}, expect: {{verdict: spend}}}}
        """,
        people="{dora: [guest]}",
    )


def test_a_restart_loses_nothing() -> None:
    """In the middle of a visit, more than once, and with a grant; the new proxy knows what was
    written only."""
    passes(f"""
        - {{at: 09:00, user: dora, visits: {{platform: x, for: 10m}}}}
        - {{at: "09:03:03", restart: true}}
        - {{at: "09:03:03", {X}, expect: {{left: 11m57s}}}}
        - {{at: "09:05", user: dora, grant: {{allowance: daily, for: 5m}}}}
        - {{at: "09:09:57", restart: true}}
        - {{at: "09:10", restart: true}}
        - {{at: "09:30", {X}, expect: {{left: 10m}}}}
    """)


def test_what_is_not_limited_costs_nothing() -> None:
    """A platform that no rule limits, a section that is free, and the rest of the web."""
    passes(f"""
        - {{at: 09:00, user: dora, visits: {{platform: medium, for: 1h}}}}
        - {{at: 10:00, user: dora, visits: {{platform: linkedin, section: learning, for: 30m}}}}
        - {{at: 11:00, {X}, expect: {{left: 15m}}}}
        - at: 11:00
          user: dora
          opens: https://medium.example/
          expect: {{reason: not-limited, platform: medium, rule: none}}
        - at: 11:00
          user: dora
          opens: https://news.example/
          expect: {{platform: none, section: none, allowance: none, until: never}}
    """)


def test_a_rule_that_is_only_observed() -> None:
    """It lets through and says what it would do; a long visit under it ends soon enough for a
    test."""
    passes(
        f"""
        - {{at: 09:00, user: dora, visits: {{platform: x, for: 3h}}}}
        - {{at: 09:10, {X}, expect: {{verdict: spend, would: spend, left: 5m}}}}
        - {{at: 09:40, {X}, expect: {{verdict: spend, would: block, reason: exhausted}}}}
        """,
        policy=POLICY.replace("{name: Fifteen,", "{name: Fifteen, mode: observe,"),
    )


def test_a_rota_gives_and_takes_a_role() -> None:
    """Whoever is on duty has the minutes of the role; a visit that goes on has them for as long."""
    rules = machine().rules
    duty = Duty(("dora",), When(between=((9 * 3600, 10 * 3600),)))
    compiled = CompiledPolicy.of(
        replace(rules, people=replace(rules.people, duties={"care": (duty,)}))
    )
    day = f"""
        - {{at: 09:10, user: dora, visits: {{platform: x, for: 2h}}}}
        - {{at: 09:40, {X}, expect: {{verdict: spend, left: 15m, until: 10:00}}}}
        - {{at: 10:30, {X}, expect: {{verdict: block, reason: exhausted}}}}
    """
    tests = read_bytes(one_test(day, people="{}").encode(), "a.yaml", compiled)
    found = run_plans(compiled, tests.plans, tests.problems)
    assert found.ok, "\n".join(lines(found))


def test_differences_name_field_place_and_values() -> None:
    """Each field that is not what was expected, with what was got."""
    found = run(
        one_test(
            f"- {{at: 09:00, {X}, expect: {{verdict: block, left: 10m, rule: Lunch, platform: x}}}}"
        )
    )
    assert not found.ok
    (outcome,) = found.outcomes
    assert [(d.field, d.expected, d.got) for d in outcome.differences] == [
        ("verdict", "block", "spend"),
        ("rule", "Lunch", "Fifteen"),
        ("left", 600.0, 900.0),
    ]
    assert str(outcome.differences[0].place) == "a.yaml:6:9"


def test_a_folder_is_run_against_any_rule_set(tmp_path: Path) -> None:
    """A reload asks the new rules before they come into force."""
    folder = write(
        tmp_path / "rules", tests=one_test(f"- {{at: 09:00, {X}, expect: {{left: 15m}}}}")
    )
    assert run_folder(folder, machine().rules).ok
    stricter = machine(POLICY.replace("limit: 15m per day", "limit: 5m per day"))
    assert not run_folder(folder, stricter.rules).ok


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.integers(1, 700), st.sampled_from(["x", "linkedin"])),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.integers(0, 4000), max_size=3),
)
def test_what_is_left_is_the_limit_without_the_union(
    visits: list[tuple[int, int, str]], restarts: list[int]
) -> None:
    """Whatever overlaps, and however often the proxy restarts."""
    used = {second for start, seconds, _ in visits for second in range(start, start + seconds)}
    left = max(0, 900 - len(used))
    steps = [
        (start, f"user: dora, visits: {{platform: {platform}, for: {seconds}s}}")
        for start, seconds, platform in visits
    ] + [(at, "restart: true") for at in restarts]
    day = [
        f"- {{at: {_clock(at)}, {what}}}" for at, what in sorted(steps, key=lambda step: step[0])
    ]
    day.append(
        f"- {{at: 12:00:00, user: dora, opens: 'https://linkedin.example/', expect: {{left: {length(left)}}}}}"
    )
    policy = POLICY.replace("{name: Lunch,", "{name: Lunch, users: [nobody],")
    passes("\n".join(day), policy=policy)


def _clock(seconds: int) -> str:
    hours, rest = divmod(9 * 3600 + seconds, 3600)
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
