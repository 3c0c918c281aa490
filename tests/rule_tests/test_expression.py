"""`-k`: which tests are meant."""

from __future__ import annotations

import pytest

from proxy_addon.rule_tests.expression import BadExpressionError, wanted


@pytest.mark.parametrize(
    ("expression", "name", "fits"),
    [
        ("lunch", "Lunch is yours", True),
        ("lunch is", "Lunch is yours", True),
        ("lunch yours", "Lunch is yours", False),
        ("lunch and not care", "lunch of the care team", False),
        ("lunch and not care", "lunch", True),
        ("lunch or care", "the care team", True),
        ("not (lunch or care)", "the care team", False),
        ("not not lunch", "lunch", True),
        ("a or b and c", "a", True),
    ],
)
def test_words_and_joins(expression: str, name: str, fits: bool) -> None:
    """Parts of a name, joined; `and` binds before `or`, words side by side are one text."""
    assert wanted(expression)(name) is fits


@pytest.mark.parametrize("expression", ["", "and", "a and", "(a", "a)", "not", "a or or b"])
def test_what_means_nothing(expression: str) -> None:
    """Refused with a sentence."""
    with pytest.raises(BadExpressionError):
        wanted(expression)
