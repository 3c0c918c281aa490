"""JSON Schema (draft 2020-12) of rule files, made from the models that read them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from proxy_addon.core.rules import calendar_checks, checks, notice_checks, parsers

_OR_NOTHING = (checks.any_list, checks.keyed)
_OR_ONE = (checks.some_or_one, calendar_checks.one_or_more)
_SOMETHING = (checks.some, checks.group_list, parsers.given)


class _SchemaGenerator(GenerateJsonSchema):
    """Describes what the checks that run before a model accept."""

    def function_before_schema(self, schema: Any) -> JsonSchemaValue:
        """A list that may be one value, a block that may be empty, a list with something in it."""
        function = schema["function"]["function"]
        if schema.get("json_schema_input_schema") is not None:
            inner = self.generate_inner(schema["json_schema_input_schema"])
        else:
            inner = self.generate_inner(schema["schema"])
        if function in _OR_NOTHING:
            return {"anyOf": [inner, {"type": "null"}]}
        if function is notice_checks.one_or_more:
            return {"anyOf": [inner["items"], inner, {"type": "null"}]}
        if function in _OR_ONE:
            return {"anyOf": [inner["items"], {**inner, "minItems": 1}]}
        if function in _SOMETHING:
            some = [
                {**one, "minItems": 1} if one.get("type") == "array" else one
                for one in _parts(inner)
            ]
            return some[0] if len(some) == 1 else {"anyOf": some}
        return inner


def schema_for(shape: type[BaseModel] | TypeAdapter[Any], title: str, about: str) -> dict[str, Any]:
    """The schema of a whole file."""
    if isinstance(shape, TypeAdapter):
        found = shape.json_schema(schema_generator=_SchemaGenerator, mode="validation")
    else:
        found = shape.model_json_schema(schema_generator=_SchemaGenerator, mode="validation")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": about,
    }
    return head | {key: value for key, value in _cleaned(found).items() if key not in head}


def _parts(schema: JsonSchemaValue) -> list[JsonSchemaValue]:
    """The alternatives of a schema but `null`: the check before it refuses nothing at all."""
    return [one for one in schema.get("anyOf", [schema]) if one != {"type": "null"}]


def _cleaned(schema: Any) -> Any:
    """Without titles and defaults, which say nothing here, and with blocks closed whose keys have a
    pattern."""
    if isinstance(schema, list):
        return [_cleaned(item) for item in schema]
    if isinstance(schema, str):
        return schema.replace("\n", " ")  # a docstring's lines end where the editor's do
    if not isinstance(schema, dict):
        return schema
    schema = {
        key: value
        for key, value in schema.items()
        if key not in ("title", "default", "discriminator")
    }
    for key in ("properties", "$defs"):
        if key in schema:
            schema[key] = {name: _cleaned(value) for name, value in schema[key].items()}
    if "patternProperties" in schema:
        schema["additionalProperties"] = False
    return {
        key: value if key in ("properties", "$defs") else _cleaned(value)
        for key, value in schema.items()
    }
