"""What a written policy costs a decision: `PYTHONPATH=. python tests/benchmarks/bench_gate.py`.

People who have confirmed it go on as they did before; each request is asked about once without a
policy and once with one, in turns of one run. CPU time; prints figures and ratios, judges nothing.
Budget: at most 10 us more for each request (one through the proxy takes about 1,300 us).
"""

from __future__ import annotations

import gc
import time
from dataclasses import replace

from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.notices.gate import Confirmation
from proxy_addon.core.notices.notice import Notice, NoticeText, Version
from proxy_addon.metering.enforcer import Enforcer
from tests.core.policies import SAMPLE, at
from tests.shell import Shell

PEOPLE, TURNS, REQUESTS = 100, 9, 4_000
NOW = at("09:00")
NOTICE = Notice("social", Version(3), {"en": NoticeText("en", "Policy", "")}, "d3", grace=86_400.0)
LOADED = Exchange("GET", "facebook.com", "/x.js", "script", "no-cors", "none", None)
PAGE = Exchange("GET", "facebook.com", "/", "document", "navigate", "none", None, gesture=True)


def office(*notices: Notice) -> Enforcer:
    """An enforcer whose people have read what there is."""
    enforcer = Shell(replace(SAMPLE, notices=notices)).enforcer
    enforcer.gate.book.is_known = True
    for name in names():
        for each in notices:
            read = Confirmation(each.name, each.version, each.digest, NOW - 60)
            enforcer.gate.book.confirm(name, read)
    return enforcer


def names() -> list[str]:
    """Everybody."""
    return [f"p{number}" for number in range(PEOPLE)]


def cost(enforcer: Enforcer, x: Exchange, now: float) -> float:
    """Microseconds of CPU for one request of this kind; what runs ends at once."""
    hit = enforcer.catalogue.lookup(x.host, x.path)
    assert hit is not None
    people = [enforcer.person(name, None, now) for name in names()]
    before = time.process_time()
    for number in range(REQUESTS):
        asked = enforcer.ask(people[number % PEOPLE], x, hit, now + number * 1e-4)
        assert asked.flight is not None
        enforcer.closed(asked.flight)
    return (time.process_time() - before) / REQUESTS * 1e6


def main() -> None:
    """Print the best turn of each, and their ratio."""
    gc.disable()
    for title, x in (("a script that is loaded", LOADED), ("a page that is opened", PAGE)):
        without, with_policy = office(), office(NOTICE)
        plain, gated = [], []
        for turn in range(TURNS):
            now = NOW + 30 * turn
            plain.append(cost(without, x, now))
            gated.append(cost(with_policy, x, now))
        print(
            f"{title}: {min(plain):6.1f} us without a policy, {min(gated):6.1f} us with one, "
            f"ratio {min(gated) / min(plain):.2f}"
        )


if __name__ == "__main__":
    main()
