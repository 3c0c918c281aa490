"""Whether the rules are fair: who is stopped, and who asks for more."""

from __future__ import annotations

from dashboards.grafana.panels import Board, Panel
from dashboards.grafana.queries import in_range, per_second, quantile

FAIRNESS = Board(
    "allowance-fairness",
    "Fairness",
    "Whether minutes are right: what costs nothing, what would be stopped, how kindly things end.",
    (
        (
            "What costs nothing",
            (
                Panel(
                    "Ignored activity by kind",
                    "reqps",
                    "Requests that cost no minutes: embeds on other sites, "
                    "background polling, prefetches.",
                    "A kind that falls to zero after an upgrade points at a fault: report it.",
                    {"{{activity}}": per_second("allowance_ignored_total", "activity")},
                    stacked=True,
                ),
                Panel(
                    "Ignored activity by platform",
                    "short",
                    "The same in the time that is shown, ten platforms at most.",
                    "A platform with much use and nothing ignored may lack its `background` paths.",
                    {
                        "{{platform}}": f"topk(10, {in_range('allowance_ignored_total', 'platform')})"
                    },
                    "bargauge",
                    whole=True,
                ),
                Panel(
                    "Given back",
                    "s",
                    "Seconds taken off visits because a machine, not a person, had made them longer.",
                    "A platform that stands out polls in a way we do not know: report it with a recording.",
                    {"{{platform}}": in_range("allowance_given_back_seconds_total", "platform")},
                    "bargauge",
                ),
            ),
        ),
        (
            "Rules that are tried out",
            (
                Panel(
                    "Would be stopped",
                    "reqps",
                    "Requests that a rule with `mode: observe` would have stopped, by role.",
                    "Decide by this whether the rule may be enforced, and tell those roles first.",
                    {
                        "{{role}}": per_second(
                            "allowance_requests_total", "role", extra=', verdict="would_block"'
                        )
                    },
                    width=12,
                ),
                Panel(
                    "Would be stopped, by platform",
                    "short",
                    "The same in the time that is shown.",
                    "A platform that nobody expected here is covered by too wide a rule.",
                    {
                        "{{platform}}": in_range(
                            "allowance_requests_total", "platform", extra=', verdict="would_block"'
                        )
                    },
                    "bargauge",
                    12,
                    whole=True,
                ),
            ),
        ),
        (
            "How things end",
            (
                Panel(
                    "Cut delay",
                    "s",
                    "Seconds from the end of an allowance to the end of what was running.",
                    "Five seconds are promised. Above: runbook, AllowanceCutDelay.",
                    {
                        "half": quantile(0.5, "allowance_cut_delay_seconds"),
                        "19 of 20": quantile(0.95, "allowance_cut_delay_seconds"),
                    },
                    warn=5,
                ),
                Panel(
                    "Cut, by kind",
                    "short",
                    "Downloads and streams, WebSockets and tunnels that were ended.",
                    "Many tunnels: an app keeps knocking after the end; its platform may need `inspect: true`.",
                    {"{{kind}}": in_range("allowance_cut_total", "kind")},
                    "bargauge",
                    whole=True,
                ),
                Panel(
                    "Heads-ups for each run-out",
                    "short",
                    "Warnings shown for each allowance that ran out.",
                    "Below one, some were not warned: raise `warn_at`, or they use apps that show no pages.",
                    {
                        "heads-ups": f"({in_range('allowance_notices_total')} or vector(0)) / "
                        f"clamp_min({in_range('allowance_exhausted_total')} or vector(0), 1)"
                    },
                    "stat",
                ),
            ),
        ),
    ),
)
