"""What the three boards show. `$own` in a query stands for the proxies that are looked at."""

# ruff: noqa: E501 - a table of texts

from __future__ import annotations

from dashboards.grafana.panels import Board, Panel

RANGE, RATE = "$__range", "$__rate_interval"
SEEN = "allowance_attention_seconds_total{$own}"
CHARGED = 'allowance_attention_seconds_total{$own, allowance!="free"}'
FREE = 'allowance_attention_seconds_total{$own, allowance="free"}'


def per_second(metric: str, *labels: str, extra: str = "") -> str:
    """The rate of a counter, by some labels."""
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"sum{by} (rate({metric}{{$own{extra}}}[{RATE}]))"


def in_range(metric: str, *labels: str, extra: str = "") -> str:
    """How much a counter grew in the time that is shown."""
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"sum{by} (increase({metric}{{$own{extra}}}[{RANGE}]))"


def quantile(share: float, metric: str) -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{{$own}}[{RATE}])))"


def or_zero(expr: str) -> str:
    """Zero where there is nothing to add up."""
    return f"{expr} or vector(0)"


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
    ),
)

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

_YES = ((1.0, "yes", "green"), (0.0, "NO", "red"))

HEALTH = Board(
    "allowance-health",
    "Proxy health",
    "Whether the proxy does its work, and what to look at when it does not.",
    (
        (
            "Now",
            (
                Panel(
                    "Proxies up",
                    "short",
                    "Proxies that Prometheus reaches.",
                    "Runbook, AllowanceDown.",
                    {"up": "sum(up{$own})"},
                    "stat",
                    4,
                ),
                Panel(
                    "Ledger",
                    "none",
                    "Whether every proxy can write to the ledger.",
                    "Runbook, AllowanceLedgerDown.",
                    {"ledger": "min(allowance_ledger_up{$own})"},
                    "stat",
                    4,
                    states=_YES,
                ),
                Panel(
                    "Rules read",
                    "none",
                    "Whether the last edit of the rules could be read everywhere.",
                    "Runbook, AllowanceRulesReloadFailed.",
                    {"rules": "min(allowance_rules_last_reload_ok{$own})"},
                    "stat",
                    4,
                    states=_YES,
                ),
                Panel(
                    "Rules in force for",
                    "s",
                    "Since when the oldest set of rules has been in force.",
                    "Older than your last edit: it has not arrived; compare the digests.",
                    {"age": "time() - min(allowance_rules_loaded_timestamp_seconds{$own})"},
                    "stat",
                    4,
                ),
                Panel(
                    "CA certificate ends in",
                    "s",
                    "Time until the CA of the proxy is no longer valid.",
                    "Runbook, AllowanceCaExpires, a month before.",
                    {"left": "min(allowance_ca_expiry_timestamp_seconds{$own}) - time()"},
                    "stat",
                    4,
                ),
                Panel(
                    "Disk left",
                    "percentunit",
                    "Room where ledger and journal are.",
                    "Runbook, AllowanceDiskFull.",
                    {
                        "left": "min(allowance_data_disk_free_bytes{$own} / allowance_data_disk_size_bytes{$own})"
                    },
                    "stat",
                    4,
                    most=1,
                ),
            ),
        ),
        (
            "Traffic",
            (
                Panel(
                    "Connections",
                    "short",
                    "Client connections that are open.",
                    "A sudden fall: people go around the proxy, or cannot reach it.",
                    {"{{instance}}": "sum by (instance) (allowance_connections_open{$own})"},
                    width=6,
                ),
                Panel(
                    "New connections",
                    "cps",
                    "Client connections accepted each second.",
                    "A multiple of the usual: one device gone wild; look at the log for its address.",
                    {
                        "{{instance}}": per_second(
                            "allowance_connections_accepted_total", "instance"
                        )
                    },
                    width=6,
                ),
                Panel(
                    "Tunnels",
                    "ops",
                    "New tunnels: passed on as bytes, opened, metered as a whole, refused.",
                    "Many refused: a port or an address that `connect_ports` or `allow_targets` does not list.",
                    {"{{how}}": per_second("allowance_tunnels_total", "how")},
                    width=6,
                    stacked=True,
                ),
                Panel(
                    "Bytes",
                    "Bps",
                    "To sites and from sites, counted by the kernel.",
                    "Compare with the capacity of your line.",
                    {"{{direction}}": per_second("allowance_upstream_bytes_total", "direction")},
                    width=6,
                ),
            ),
        ),
        (
            "Errors",
            (
                Panel(
                    "Sites not reached",
                    "ops",
                    "Connections to sites that failed, by kind.",
                    "`dns`: the resolver of the host. `timeout`, `unreachable`: the line. `certificate`: one site, or a "
                    "CA that `upstream_ca` lacks.",
                    {"{{kind}}": per_second("allowance_upstream_errors_total", "kind")},
                    width=6,
                    stacked=True,
                ),
                Panel(
                    "Clients that refuse our certificate",
                    "short",
                    "In the time that is shown, by platform.",
                    "Runbook, AllowanceTlsFailures.",
                    {"{{platform}}": in_range("allowance_tls_failed_total", "platform")},
                    "bargauge",
                    6,
                    whole=True,
                ),
                Panel(
                    "Sign-ins",
                    "ops",
                    "Passwords checked, by result.",
                    "Many `wrong` or `throttled`: an old password stored on a device, or somebody guesses.",
                    {"{{result}}": per_second("allowance_sign_in_total", "result")},
                    width=6,
                    stacked=True,
                ),
                Panel(
                    "Failures of our own",
                    "ops",
                    "Exceptions in our code, by hook. There should be none.",
                    "Runbook, AllowanceDecisionErrors.",
                    {"{{where}}": per_second("allowance_errors_total", "where")},
                    width=6,
                    stacked=True,
                ),
            ),
        ),
        (
            "Speed",
            (
                Panel(
                    "Time of a decision",
                    "s",
                    "From a request's head to the verdict.",
                    "20 µs are usual. Much above: thousands of rules, or a host that is too busy.",
                    {
                        "half": quantile(0.5, "allowance_decision_seconds"),
                        "99 of 100": quantile(0.99, "allowance_decision_seconds"),
                    },
                ),
                Panel(
                    "Loop lag",
                    "s",
                    "How late a timer on the event loop is: everybody waits so long.",
                    "Runbook, AllowanceLoopLag.",
                    {
                        "half": quantile(0.5, "allowance_loop_lag_seconds"),
                        "99 of 100": quantile(0.99, "allowance_loop_lag_seconds"),
                    },
                    warn=0.25,
                ),
                Panel(
                    "Requests",
                    "reqps",
                    "Requests to limited platforms by proxy.",
                    "Spread unevenly: check the load balancer or proxy.pac.",
                    {"{{instance}}": per_second("allowance_requests_total", "instance")},
                ),
            ),
        ),
        (
            "Ledger and journal",
            (
                Panel(
                    "Time of a write",
                    "s",
                    "One write to the ledger.",
                    "Above a second: disk, locks or the network to the database.",
                    {
                        "half": quantile(0.5, "allowance_ledger_flush_seconds"),
                        "19 of 20": quantile(0.95, "allowance_ledger_flush_seconds"),
                    },
                    width=6,
                    warn=1,
                ),
                Panel(
                    "Waiting to be written",
                    "short",
                    "Visits in memory and in the journal.",
                    "It grows: Runbook, AllowanceLedgerDown and AllowanceJournalGrowing.",
                    {
                        "memory": "sum(allowance_ledger_pending{$own})",
                        "journal": "sum(allowance_journal_visits{$own})",
                    },
                    width=6,
                ),
                Panel(
                    "Journal",
                    "bytes",
                    "Size of the journal on the proxy's disk.",
                    "Runbook, AllowanceJournalGrowing.",
                    {"{{instance}}": "sum by (instance) (allowance_journal_bytes{$own})"},
                    width=6,
                ),
                Panel(
                    "Ledger errors",
                    "ops",
                    "Failed reads and writes by kind, and visits given up.",
                    "Runbook, AllowanceLedgerDown and AllowanceVisitsLost.",
                    {
                        "{{kind}}": per_second("allowance_ledger_errors_total", "kind"),
                        "lost: {{why}}": per_second("allowance_visits_lost_total", "why"),
                    },
                    width=6,
                ),
            ),
        ),
        (
            "Processes",
            (
                Panel(
                    "Processor",
                    "short",
                    "Cores in use by all processes of a proxy.",
                    "Near the number of workers: start more, or another proxy.",
                    {"{{instance}}": per_second("process_cpu_seconds_total", "instance")},
                ),
                Panel(
                    "Memory",
                    "bytes",
                    "Resident memory of all processes of a proxy.",
                    "It should level off within a day. If not, report it with the number of people and connections.",
                    {"{{instance}}": "sum by (instance) (process_resident_memory_bytes{$own})"},
                ),
                Panel(
                    "File descriptors",
                    "percentunit",
                    "Open ones against the limit of one process.",
                    "Above 80 %: raise the limit (`LimitNOFILE`), for each connection needs two.",
                    {
                        "{{instance}}": "sum by (instance) (process_open_fds{$own}) / "
                        "sum by (instance) (process_max_fds{$own} * allowance_processes{$own})"
                    },
                    most=1,
                    warn=0.8,
                ),
            ),
        ),
    ),
)

BOARDS = (OFFICE, FAIRNESS, HEALTH)
