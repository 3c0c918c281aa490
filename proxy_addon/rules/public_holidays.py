"""Public holidays by country and region, from the `holidays` package.

Loaded only when rules ask for them (`calendar_sources.py`): the package is large.
"""

from __future__ import annotations

import warnings

import holidays

from proxy_addon.core.rules.calendars import Days, joined
from proxy_addon.core.rules.parsers import BadValue, quote
from proxy_addon.core.rules.problems import Code


def days(country: str, region: str | None, years: tuple[int, int]) -> Days:
    """The days that are public holidays. Raises BadValue for a country or region that is not
    known."""
    known = holidays.list_supported_countries(include_aliases=True)
    if country not in known:
        message = f"there are no public holidays for the country {quote(country)}"
        near = (country, tuple(code for code in known if len(code) == 2))
        raise BadValue(
            Code.UNKNOWN_HOLIDAYS,
            message,
            "use a code of two letters such as GB or DE",
            near=near,
            at=("holidays",),
        )
    if region is not None and region not in known[country]:
        message = f"{quote(country)} has no region {quote(region)}"
        regions = ", ".join(known[country][:12])
        hint = f"its regions are {regions}" if regions else "it has no regions; leave `region` out"
        raise BadValue(
            Code.UNKNOWN_HOLIDAYS,
            message,
            hint,
            near=(region, tuple(known[country])),
            at=("region",),
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some countries announce holidays a few years ahead only
        found = holidays.country_holidays(
            country, subdiv=region, years=range(years[0], years[1] + 1)
        )
    return joined((day, day) for day in found)
