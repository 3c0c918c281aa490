"""Recorded traffic of others: embeds cost nothing, pages of the platform do."""

from __future__ import annotations

import pytest

from tests import recorded


@pytest.fixture(scope="module")
def figures() -> recorded.Figures:
    """What all rows are judged; without the file the tests are skipped."""
    if not recorded.DATA.exists():
        pytest.skip(recorded.WHY_SKIPPED)
    return recorded.figures()


def test_third_party_rows_cost_nothing(figures: recorded.Figures) -> None:
    """Of the platforms' requests on somebody else's page at most one in two thousand is taken for
    a visit or media."""
    assert figures.rows["third"] > 2_000
    assert figures.third_share <= 0.0005, figures.mistaken


def test_first_party_documents_are_visits(figures: recorded.Figures) -> None:
    """Of the pages of a platform that were opened, at least ninety-nine in a hundred are visits."""
    assert figures.documents > 20
    assert figures.document_share >= 0.99


def test_platforms_on_pages_of_others_cost_nothing(figures: recorded.Figures) -> None:
    """One platform's parts on another platform's page are not a visit to it."""
    assert figures.counted["cross"] <= 0.01 * figures.rows["cross"]
