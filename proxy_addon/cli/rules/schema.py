"""`allowance rules schema`: what editors need to complete and check rule files."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter

from proxy_addon.cli.common import print_json, say
from proxy_addon.core.rules.models import PeopleModel, PlatformModel, PolicyModel, Slug
from proxy_addon.rule_tests.models import TestFile
from proxy_addon.rules.json_schema import schema_for

_KINDS: dict[str, tuple[Any, str]] = {
    "policy": (PolicyModel, "What is allowed: policy.yaml of a rules folder."),
    "people": (PeopleModel, "Who is who: people.yaml of a rules folder."),
    "platform": (
        TypeAdapter(dict[Slug, PlatformModel]),
        "What a platform is: a file in platforms/.",
    ),
    "tests": (TestFile, "Tests of the rules: a file in tests/."),
}
KINDS = tuple(_KINDS)


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of one kind of rule file."""
    shape, about = _KINDS[kind]
    return schema_for(shape, f"Allowance: {kind}", about)


def text_of(kind: str) -> str:
    """The same as `rules/schema/KIND.json` holds it."""
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


def schema(
    kind: Annotated[str, typer.Argument(metavar="[KIND]", help=f"One of {', '.join(KINDS)}.")] = "",
) -> None:
    """Print the JSON Schema (draft 2020-12) of a kind of rule file, or all of them by their
    names."""
    if kind and kind not in KINDS:
        say(f"there is no kind of rule file {kind!r}: write one of {', '.join(KINDS)}", err=True)
        raise typer.Exit(2)
    print_json(schema_of(kind) if kind else {name: schema_of(name) for name in KINDS})
