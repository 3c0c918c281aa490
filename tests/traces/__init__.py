"""Office days with known attention, and the measure of how far a meter is from them."""

from tests.traces.day import SCENARIOS, Day
from tests.traces.generate import generate

__all__ = ["SCENARIOS", "Day", "generate"]
