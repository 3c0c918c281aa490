"""Parts of the queries of the boards. `$own` stands for the proxies that are looked at."""

from __future__ import annotations

RANGE, RATE = "$__range", "$__rate_interval"
SEEN = "allowance_attention_seconds_total{$own}"
CHARGED = 'allowance_attention_seconds_total{$own, allowance!="free"}'
FREE = 'allowance_attention_seconds_total{$own, allowance="free"}'
# Every proxy has the numbers of the whole office.
POLICY_READ = "max by (notice, version) (allowance_policy_acknowledged_people{$own})"
POLICY_PEOPLE = "max by (notice, version) (allowance_policy_people{$own})"


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
