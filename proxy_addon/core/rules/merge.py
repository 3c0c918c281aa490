"""The files at the top of a rules folder as one, and the names that they declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from proxy_addon.core.rules import time_parsers
from proxy_addon.core.rules.calendars import Sources
from proxy_addon.core.rules.checks import DefinedNames
from proxy_addon.core.rules.documents import Document, Documents, Path
from proxy_addon.core.rules.models import PeopleModel, PolicyModel
from proxy_addon.core.rules.parsers import BadValue, quote
from proxy_addon.core.rules.platforms import PlatformEntry, sections
from proxy_addon.core.rules.problems import Code, Place
from proxy_addon.core.rules.report import ProblemCollector

ADMIN = "admin"  # the role that opens the admin pages is declared in every office
_POLICY_KEYS = tuple(PolicyModel.model_fields)
PEOPLE_KEYS = tuple(PeopleModel.model_fields)


class Top(NamedTuple):
    """The files at the top of the folder as one."""

    data: dict[str, Any]
    owners: dict[str, Document]  # top-level key -> the file that has it
    first: Place  # the place of what is missing

    def find(self, path: Path, key: bool = False) -> Place:
        """The place of a value, or of its key."""
        if not path or path[0] not in self.owners:
            return self.first
        return self.owners[str(path[0])].place(path, key=key)

    def part(self, keys: Sequence[str]) -> dict[str, Any]:
        """The values of some top-level keys."""
        return {key: self.data[key] for key in keys if key in self.data}


def merged(
    documents: Documents, found: Mapping[str, list[PlatformEntry]], report: ProblemCollector
) -> Top:
    """All top-level keys, each with its file. Unknown and repeated keys are reported."""
    main = min(
        documents.top, key=lambda document: not document.file.endswith("/policy.yaml"), default=None
    )
    if main is not None and any(
        key in _POLICY_KEYS for document in documents.top for key in document.data
    ):
        first = main.file
    else:
        first = f"{documents.folder}/policy.yaml"  # what is missing is the whole file
    top = Top({}, {}, Place(first))
    known = _POLICY_KEYS + PEOPLE_KEYS
    for document in sorted(documents.top, key=_read_order):
        for key, value in document.data.items():
            place = document.place((key,), key=True)
            if key not in known:
                hint = (
                    f"it belongs in the folder {documents.folder}/platforms"
                    if key in found
                    else f"remove it, or write one of {', '.join(known)}"
                )
                near = None if key in found else (key, known)
                report.add(
                    place, Code.UNKNOWN_KEY, f"{quote(key)} is not a key of the rules", hint, near
                )
            elif key in top.owners:
                had = top.owners[key].place((key,), key=True)
                message = f"{quote(key)} is already defined in {had.file}:{had.line}"
                report.add(
                    place, Code.TWO_FILES, message, "a top-level key may be in one file only"
                )
            else:
                top.data[key], top.owners[key] = value, document
    return top


def _read_order(document: Document) -> tuple[bool, str]:
    """Files of other names are read after the two that everybody has, so that theirs is the
    mistake."""
    return not document.file.endswith(("/policy.yaml", "/people.yaml")), document.file


def policy_part(top: Top, documents: Documents) -> dict[str, Any]:
    """The policy's keys; what an unreadable file may hold is not called missing."""
    part = top.part(_POLICY_KEYS)
    return part if documents.complete else {"version": 1, "timezone": "UTC"} | part


def declared(
    data: Mapping[str, Any], found: Mapping[str, list[PlatformEntry]], sources: Sources | None
) -> DefinedNames:
    """All names, taken from the raw data: a name is declared even if its value is wrong."""
    roles = _keys(data.get("roles"))
    if roles is not None:
        unidentified = data.get("unidentified", {"role": "guest"})
        guest = unidentified.get("role") if isinstance(unidentified, Mapping) else None
        default = data.get("default_role")
        roles |= {ADMIN, "staff" if default is None else str(default).strip()}
        if guest is not None:
            roles |= {str(guest).strip()}
    return DefinedNames(
        roles=roles,
        sections={name: sections(same) for name, same in found.items()},
        groups=_keys(data.get("platform_groups")),
        allowances=_keys(data.get("allowances")),
        calendars=_keys(data.get("calendars")),
        sources=sources,
        zone=_zone(data.get("timezone")),
    )


def _keys(value: object) -> frozenset[str] | None:
    if value is None:
        return frozenset()
    return frozenset(str(key).strip() for key in value) if isinstance(value, Mapping) else None


def _zone(value: object) -> ZoneInfo | None:
    """The zone of the policy; None where it is missing or wrong, which is reported elsewhere."""
    try:
        return time_parsers.zone(value)
    except BadValue:
        return None
