"""The domains that Squid has to send to Allowance, for `acl … dstdomain`: those of all platforms
that a rule limits, and our own page.

    python deploy/squid/domains.py rules > /etc/squid/allowance-domains

A pattern that Squid cannot express is widened: what is sent in vain is merely relayed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.rules import folder

PAGE_HOST = "allowance.internal"


def domains(patterns: Iterable[str]) -> list[str]:
    """Patterns of hosts as Squid writes them, without those that another one includes: `.x.com` is
    the domain and all below it."""
    wanted = {_domain(pattern) for pattern in patterns}
    return sorted(each for each in wanted if not any(_includes(other, each) for other in wanted))


def _domain(pattern: str) -> str:
    if pattern.startswith("=") and "*" not in pattern:
        return pattern.removeprefix("=")
    labels = pattern.removeprefix("=").split(".")
    stars = [number for number, label in enumerate(labels) if "*" in label]
    return "." + ".".join(labels[stars[-1] + 1 if stars else 0 :])


def _includes(other: str, domain: str) -> bool:
    return other != domain and other.startswith(".") and f".{domain.lstrip('.')}".endswith(other)


def main() -> int:
    """Print the list; 1 when the rules are wrong."""
    try:
        rules = folder.load(Path(sys.argv[1] if len(sys.argv) > 1 else "rules"))
    except RuleErrors as error:
        print(error, file=sys.stderr)
        return 1
    limited = [pattern for name in rules.limited for pattern in rules.platforms[name].hosts]
    print("\n".join(domains([*limited, f"={PAGE_HOST}"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
