from __future__ import annotations

import os
from typing import NamedTuple

from proxy_addon.core.metering.activity import Kind
from proxy_addon.core.metering.polling import BURST_GAP

PRIOR = {Kind.NAVIGATION: float(os.environ.get('PN','17')), Kind.INTERACTION: float(os.environ.get('PI','11')), Kind.MEDIA: 14.0}
WEIGHT, MOST = 2.5, 10.0
LEAST_TAIL, LONGEST_TAIL = 0.4, float(os.environ.get("LT","6.0"))
USUAL = 14.0


class Pace(NamedTuple):
    total: float = 0.0
    pauses: float = 0.0

    def after(self, gap: float) -> Pace:
        if gap <= BURST_GAP:
            return self
        total, number = self
        if number >= MOST:
            total, number = total * (1.0 - 1.0 / number), number - 1.0
        return Pace(total + gap, number + 1.0)

    def tail(self, kind: Kind, tail: float, *, page: bool) -> float:
        if kind is Kind.MEDIA:
            return tail * float(os.environ.get('MT','0.6'))
        prior = PRIOR[Kind.NAVIGATION if page else kind]
        usual = (self.total + WEIGHT * prior) / (self.pauses + WEIGHT)
        return tail * min(LONGEST_TAIL, max(LEAST_TAIL, usual / USUAL))
