"""What checks before a model let pass, as a schema says it."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter

from proxy_addon.core.rules import checks, parsers
from proxy_addon.core.rules.models import Slug
from proxy_addon.rules.json_schema import schema_for


class Model(BaseModel):
    """One field for each kind of check."""

    model_config = ConfigDict(extra="forbid")

    one: Annotated[list[str], BeforeValidator(checks.some_or_one)] = []
    some: Annotated[list[str] | None, BeforeValidator(checks.some)] = None
    maybe: Annotated[list[str], BeforeValidator(checks.any_list)] = []
    given: Annotated[str | None, BeforeValidator(parsers.given)] = None


def fits(value: Any) -> bool:
    """Whether the schema of the model accepts it."""
    return Draft202012Validator(schema_for(Model, "t", "a")).is_valid(value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"one": "a"},
        {"one": ["a"]},
        {"some": ["a"]},
        {"maybe": None},
        {"maybe": []},
        {"given": "a"},
    ],
    ids=str,
)
def test_what_is_let_pass(value: Any) -> None:
    """One or several, something, a list whose lines are commented out."""
    assert fits(value)


@pytest.mark.parametrize(
    "value",
    [
        {"two": 1},
        {"one": []},
        {"one": None},
        {"some": []},
        {"some": None},
        {"some": "a"},
        {"maybe": "a"},
        {"given": None},
    ],
    ids=str,
)
def test_what_is_not(value: Any) -> None:
    """Nothing where something must be, text for a list, keys that are not there."""
    assert not fits(value)


def test_blocks_whose_keys_have_a_pattern_are_closed() -> None:
    """A name that is none is refused, and no title or default is left to read."""
    schema = schema_for(TypeAdapter(dict[Slug, Model]), "Platforms", "About them.")
    judge = Draft202012Validator(schema)
    assert judge.is_valid({"x": {}}) and not judge.is_valid({"My Site": {}})
    assert (schema["title"], schema["description"]) == ("Platforms", "About them.")
    assert '"default"' not in str(schema).replace("'", '"')
