"""The scores of sessions as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.real_sessions.scoring import PersonScore, below_half, error, families

HEAD = f"{'session':10} {'person':14} {'software':34} {'family':8} {'true':>7} {'live':>7} {'simul.':>7} {'error':>7}"


def lines(scores: Sequence[PersonScore]) -> Iterator[str]:
    """People with their stretches (seconds charged of seconds true), families, all."""
    yield HEAD
    for each in scores:
        live = "-" if each.live is None else f"{each.live:.1f}"
        yield (
            f"{each.session:10} {each.name:14} {each.software:34} {each.family:8} {each.true:7.1f} "
            f"{live:>7} {each.charged:7.1f} {each.off:+7.1%}  {stretches(each)}"
        )
    yield ""
    for name, found in families(scores).items():
        yield f"{name:10} {error(found):6.1%} of {sum(each.true for each in found):.0f} s"
    yield f"{'all':10} {error(scores):6.1%} of {sum(each.true for each in scores):.0f} s"
    worst = max(scores, key=lambda each: abs(each.off))
    yield f"worst person: {worst.name} of {worst.session}, {worst.off:+.1%}"
    sat = [one for each in scores for one in each.sittings]
    short = below_half(scores)
    yield f"sittings charged below half of their length: {len(short)} of {len(sat)}"
    for each, one in short:
        yield f"  {each.session} {each.name}: {one.charged:.0f} of {one.true:.0f} s"


def stretches(each: PersonScore) -> str:
    """What was charged inside of each stretch, of how many seconds, and how much outside of all."""
    inside = sum(one.charged for one in each.stretches)
    parts = [f"{one.charged:.0f}/{one.true:.0f}" for one in each.stretches]
    return f"{' '.join(parts)} +{each.charged - inside:.0f}"
