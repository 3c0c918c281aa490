"""How the office uses its minutes."""

# ruff: noqa: E501 - a table of texts

from __future__ import annotations

from dashboards.grafana.panels import Board, Panel
from dashboards.grafana.queries import (
    CHARGED,
    FREE,
    POLICY_PEOPLE,
    POLICY_READ,
    RANGE,
    SEEN,
    in_range,
    or_zero,
    per_second,
)

OFFICE = Board(
    "allowance-office",
    "Office overview",
    "How the office uses its social media time. No panel shows a person.",
    (
        (
            "In this time",
            (
                Panel(
                    "People active",
                    "short",
                    "People with an activity in the last five minutes.",
                    "Nothing by itself. Zero in working hours means that nobody's traffic comes here: see Proxy health.",
                    {"people": "sum(allowance_active_people{$own})"},
                    "stat",
                    6,
                ),
                Panel(
                    "Charged attention",
                    "s",
                    "Attention that took minutes from an allowance.",
                    "Compare with the week before when you change a limit.",
                    {"charged": f"sum(increase({CHARGED}[{RANGE}]))"},
                    "stat",
                    6,
                ),
                Panel(
                    "Free of charge",
                    "percentunit",
                    "Share of the attention that cost no minutes.",
                    "When it falls, look whether a platform that people need for work has lost its `allow` rule.",
                    {
                        "free": f"(sum(increase({FREE}[{RANGE}])) or vector(0)) / sum(increase({SEEN}[{RANGE}]))"
                    },
                    "stat",
                    6,
                    most=1,
                ),
                Panel(
                    "Allowances run out",
                    "short",
                    "How often somebody's allowance came to its end.",
                    "Many in the morning: the limit is too tight for the office, or a role lacks its own.",
                    {"times": or_zero(in_range("allowance_exhausted_total"))},
                    "stat",
                    6,
                    whole=True,
                ),
            ),
        ),
        (
            "Attention",
            (
                Panel(
                    "By platform",
                    "short",
                    "People who look at a platform at the same moment, on average.",
                    "A platform that grows beside the usual ones may need a rule of its own.",
                    {"{{platform}}": per_second("allowance_attention_seconds_total", "platform")},
                    stacked=True,
                ),
                Panel(
                    "By role",
                    "short",
                    "The same, by the first role of each person.",
                    "A role that needs much more than others may do so for its work: ask, then write a rule.",
                    {"{{role}}": per_second("allowance_attention_seconds_total", "role")},
                    stacked=True,
                ),
                Panel(
                    "Free against charged",
                    "short",
                    "The same, by the allowance that pays; `free` is not charged.",
                    "If nearly all is free, the rules limit little; if nothing is, look at rules for work.",
                    {"{{allowance}}": per_second("allowance_attention_seconds_total", "allowance")},
                    stacked=True,
                ),
                Panel(
                    "Most used platforms",
                    "s",
                    "Attention in the time that is shown, ten platforms at most.",
                    "Take the first ones when you decide what an allowance should cover.",
                    {"{{platform}}": f"topk(10, sum by (platform) (increase({SEEN}[{RANGE}])))"},
                    "bargauge",
                ),
                Panel(
                    "Verdicts",
                    "reqps",
                    "Requests to limited platforms: let through free, charged, stopped, or only "
                    "counted as stopped (would_block).",
                    "Mostly `block` means that apps ask again and again: look at the reasons.",
                    {"{{verdict}}": per_second("allowance_requests_total", "verdict")},
                    stacked=True,
                ),
                Panel(
                    "Why requests were stopped",
                    "reqps",
                    "Stopped requests by the reason code that people see.",
                    "`unidentified`: sign-in or the device map is incomplete. `unavailable`: see Proxy health.",
                    {
                        "{{reason}}": per_second(
                            "allowance_requests_total", "reason", extra=', verdict="block"'
                        )
                    },
                    stacked=True,
                ),
            ),
        ),
        (
            "At the limit",
            (
                Panel(
                    "Run out, by role",
                    "short",
                    "Allowances that came to their end in the time that is shown.",
                    "One role far ahead of the others: talk to that team before you change the number.",
                    {
                        "{{role}}: {{allowance}}": in_range(
                            "allowance_exhausted_total", "role", "allowance"
                        )
                    },
                    "bargauge",
                    8,
                    whole=True,
                ),
                Panel(
                    "Heads-ups shown",
                    "short",
                    "Pages that said that time is nearly up, by allowance.",
                    "Far fewer than run-outs: people are cut without a warning; raise `warn_at`.",
                    {"{{allowance}}": in_range("allowance_notices_total", "allowance")},
                    "bargauge",
                    8,
                    whole=True,
                ),
                Panel(
                    "Requests for more",
                    "short",
                    "Requests for more minutes: asked on people's own pages, granted or "
                    "refused on the admin page. What is decided on the command line counts as asked only.",
                    "Many asked and few answered: somebody waits. Many granted: the limit is too tight for the work.",
                    {"{{outcome}}": in_range("allowance_time_requests_total", "outcome")},
                    "bargauge",
                    8,
                    whole=True,
                ),
            ),
        ),
        (
            "The written policy",
            (
                Panel(
                    "Written policy: people who have read it",
                    "short",
                    "People who have read the version in force of each written policy, and how many it is for.",
                    "Fewer than it is for, days after a new version: remind them on the page Policy of the administration.",
                    {
                        "{{notice}} {{version}}: have read it": POLICY_READ,
                        "{{notice}} {{version}}: it is for": POLICY_PEOPLE,
                    },
                    "bargauge",
                    12,
                    whole=True,
                ),
            ),
        ),
    ),
)
