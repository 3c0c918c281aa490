"""The models: every part of the language can be described to an editor."""

from __future__ import annotations

import pytest

from proxy_addon.core.rules.models import PeopleModel, PlatformModel, PolicyModel, Strict


@pytest.mark.parametrize("model", [PolicyModel, PeopleModel, PlatformModel])
def test_a_model_gives_a_schema_that_refuses_other_keys(model: type[Strict]) -> None:
    """An editor can complete keys and mark wrong ones."""
    schema = model.model_json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(model.model_fields)
