"""Compiles platform files to `Platform` values: entries of one name are merged, or one replaces the
others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from proxy_addon.core.hosts import normalise
from proxy_addon.core.rules.checks import DefinedNames
from proxy_addon.core.rules.documents import Document, Path
from proxy_addon.core.rules.models import PlatformModel
from proxy_addon.core.rules.parsers import BadValue, kind, quote, slug
from proxy_addon.core.rules.problems import Code, Place
from proxy_addon.core.rules.report import ProblemCollector, validated
from proxy_addon.core.ruleset import Platform, Section


class PlatformEntry(NamedTuple):
    """What one file says about one platform."""

    name: str
    document: Document

    def place(self, *path: str | int, key: bool = False) -> Place:
        """The place of a part of this entry."""
        return self.document.place((self.name, *path), key=key)

    @property
    def is_base(self) -> bool:
        """True for the file that has the platform's name."""
        return self.document.file.endswith(f"/{self.name}.yaml")

    @property
    def data(self) -> Any:
        """The raw value."""
        return self.document.data[self.name]


def entries(documents: Iterable[Document]) -> dict[str, list[PlatformEntry]]:
    """All entries by platform. The file that has the platform's name is the base and comes
    first."""
    found: dict[str, list[PlatformEntry]] = {}
    for document in documents:
        for name in document.data:
            found.setdefault(name, []).append(PlatformEntry(name, document))
    for name, same in found.items():
        same.sort(key=lambda entry: (not entry.is_base, entry.document.file))
        replacing = [
            e for e in same if isinstance(e.data, Mapping) and e.data.get("replace") is True
        ]
        found[name] = replacing or same
    return found


def sections(same: Iterable[PlatformEntry]) -> frozenset[str] | None:
    """The sections that are declared for a platform; None if that is unknown."""
    found: set[str] = set()
    for entry in same:
        declared = entry.data.get("sections") if isinstance(entry.data, Mapping) else None
        if declared is not None and not isinstance(declared, Mapping):
            return None
        found.update(declared or ())
    return frozenset(found)


def compile_platforms(
    found: Mapping[str, list[PlatformEntry]], report: ProblemCollector
) -> dict[str, Platform]:
    """Every valid platform; mistakes are reported."""
    platforms: dict[str, Platform] = {}
    for name, same in found.items():
        replacing = [
            entry for entry in same if isinstance(entry.data, Mapping) and entry.data.get("replace")
        ]
        for entry in replacing[1:]:
            message = f"{quote(name)} is already replaced in {replacing[0].document.file}"
            report.add(entry.place(key=True), Code.DUPLICATE_NAME, message, "keep one of the two")
        models = [_model(entry, report) for entry in same]
        if None not in models:
            platform = _added_up(name, [model for model in models if model is not None])
            if not platform.hosts:
                report.add(
                    same[0].place(key=True), Code.MISSING_KEY, "`hosts` is missing from a platform"
                )
            platforms[name] = platform
    _one_platform_a_host(found, platforms, report)
    return platforms


def _model(entry: PlatformEntry, report: ProblemCollector) -> PlatformModel | None:
    try:
        slug(entry.name)
    except BadValue as error:
        report.refuse(entry.place(key=True), error)
        return None
    if not isinstance(entry.data, Mapping):
        message = f"a block of keys is expected here, not {kind(entry.data)}"
        report.add(entry.place(key=entry.data is None), Code.WRONG_TYPE, message)
        return None

    def find(path: Path, key: bool) -> Place:
        return entry.place(*path[2:], key=key)

    return validated(
        PlatformModel, entry.data, DefinedNames(), report, find, ("platforms", entry.name)
    )


def _added_up(name: str, models: list[PlatformModel]) -> Platform:
    """The merged platform: lists are joined; of title, `inspect` and `operator` the last one
    wins."""
    titles = [model.title for model in models if model.title is not None]
    inspects = [model.inspect for model in models if model.inspect is not None]
    operators = [model.operator for model in models if model.operator is not None]
    parts: dict[str, Section] = {}
    for model in models:
        for section, more in model.sections.items():
            had = parts.get(section, Section(section))
            parts[section] = Section(
                section, _union(had.hosts, more.hosts), _union(had.paths, more.paths)
            )
    return Platform(
        name=name,
        title=titles[-1] if titles else name,
        hosts=_union(*(model.hosts for model in models)),
        sections=tuple(parts.values()),
        embeds=_union(*(model.embeds for model in models)),
        background=_union(*(model.background for model in models)),
        players=_union(*(model.players for model in models)),
        excludes=_union(*(model.excludes for model in models)),
        inspect=inspects[-1] if inspects else True,
        operator=operators[-1] if operators else "",
    )


def _union(*lists: Iterable[str]) -> tuple[str, ...]:
    """All items in order, each once."""
    return tuple(dict.fromkeys(item for each in lists for item in each))


def _one_platform_a_host(
    found: Mapping[str, list[PlatformEntry]],
    platforms: Mapping[str, Platform],
    report: ProblemCollector,
) -> None:
    """The longest match decides the platform of a host, so two platforms must not name the same
    one."""
    owner: dict[str, str] = {}
    ours = [entry for name, same in found.items() if name in platforms for entry in same]
    for entry in sorted(
        ours, key=lambda entry: not entry.is_base
    ):  # the later entry is the mistake
        for position, host in enumerate(entry.data.get("hosts") or ()):
            had = owner.setdefault(_one_spelling(host.strip()), entry.name)
            if had != entry.name:
                message = f"{quote(host)} already belongs to {quote(had)}"
                hint = f"remove it from {quote(entry.name)} or from {quote(had)}"
                report.add(entry.place("hosts", position), Code.DUPLICATE_HOST, message, hint)


def _one_spelling(host: str) -> str:
    bare = host.removeprefix("=")
    alone = "=" if bare != host else ""
    return alone + normalise(bare.removeprefix("*."))
