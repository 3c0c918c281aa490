"""Whether the proxy is well."""

# ruff: noqa: E501 - a table of texts

from __future__ import annotations

from dashboards.grafana.panels import Board, Panel
from dashboards.grafana.queries import in_range, per_second, quantile

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
                    "How late a timer on the event loop is: everybody waits so long. What is decrypted may wait longer.",
                    "Runbook, AllowanceLoopLag.",
                    {
                        "half": quantile(0.5, "allowance_loop_lag_seconds"),
                        "99 of 100": quantile(0.99, "allowance_loop_lag_seconds"),
                        "decrypted, 99 of 100": quantile(0.99, "allowance_turn_wait_seconds"),
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
                    "It grows: Runbook, AllowanceLedgerDown and AllowanceJournalGrowing. Refused: AllowanceVisitsRefused.",
                    {
                        "memory": "sum(allowance_ledger_pending{$own})",
                        "journal": "sum(allowance_journal_visits{$own})",
                        "refused": "sum(allowance_visits_refused{$own})",
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
