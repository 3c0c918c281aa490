"""The settings of `allowance run` and of the other commands, and where they come from.

A flag wins over the environment (`ALLOWANCE_…`), the environment over `allowance.toml`, that over
the default. A key that nobody knows and a value that cannot be right stop the command with one line
each (`SettingsError`), which names the place, the key, the value and the remedy. Relative paths
count from the working folder, wherever they were written. Credentials never appear in messages or
in `repr`.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from proxy_addon.config import parsers
from proxy_addon.config.parsers import HostPort, IpNetwork, Redirect, TargetPattern, UpstreamProxy

DEFAULT_CONFIG = Path("allowance.toml")

Uvloop = Literal["auto", "on", "off"]
SignIn = Literal["auto", "required", "optional", "off"]
LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

# Loopback, the private ranges of RFC 1918, unique local and link-local IPv6.
PRIVATE_NETWORKS: tuple[IpNetwork, ...] = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


class SettingsError(Exception):
    """A setting that cannot be used. `problems` has one line each; `str()` is all of them."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseModel):
    """What an administrator decides outside the rules. Frozen; times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    rules: Annotated[Path, PlainValidator(parsers.path)] = Path("rules")
    strict: Annotated[bool, PlainValidator(parsers.yes_or_no)] = False
    state: Annotated[Path, PlainValidator(parsers.path)] = Path("var")
    database: Annotated[str, PlainValidator(parsers.database)] = Field(
        "sqlite:///var/allowance.db", repr=False
    )
    listen_database: Annotated[str, PlainValidator(parsers.direct_database)] = Field("", repr=False)
    journal: Annotated[Path | None, PlainValidator(parsers.path_or_none)] = (
        None  # None: see `db.address.journal_folder`
    )
    listen: Annotated[HostPort, PlainValidator(parsers.host_port)] = HostPort("", 8080)
    web: Annotated[HostPort, PlainValidator(parsers.host_port)] = HostPort("127.0.0.1", 8081)
    workers: Annotated[int, PlainValidator(parsers.whole_number(1, 64))] = 1
    confdir: Annotated[Path, PlainValidator(parsers.path)] = Path("var/ca")
    passwords: Annotated[Path, PlainValidator(parsers.path)] = Path("var/passwords")
    pseudonym_key: Annotated[Path, PlainValidator(parsers.path)] = Path("var/pseudonym.key")
    sign_in: Annotated[
        SignIn, PlainValidator(parsers.one_of("auto", "required", "optional", "off"))
    ] = "auto"
    upstream_proxy: Annotated[UpstreamProxy | None, PlainValidator(parsers.upstream_proxy)] = None
    upstream_ca: Annotated[Path | None, PlainValidator(parsers.readable_file)] = None
    resolve: Annotated[tuple[Redirect, ...], PlainValidator(parsers.many(parsers.redirect))] = ()
    client_networks: Annotated[
        tuple[IpNetwork, ...], PlainValidator(parsers.many(parsers.network))
    ] = PRIVATE_NETWORKS
    client_connections: Annotated[int, PlainValidator(parsers.whole_number(32, 1_000_000))] = 2000
    connect_ports: Annotated[
        tuple[int, ...], PlainValidator(parsers.many(parsers.whole_number(1, 65_535)))
    ] = (443,)
    allow_targets: Annotated[
        tuple[TargetPattern, ...], PlainValidator(parsers.many(parsers.target))
    ] = ()
    front_proxies: Annotated[
        tuple[IpNetwork, ...], PlainValidator(parsers.many(parsers.network))
    ] = ()
    front_proxy_header: Annotated[str, PlainValidator(parsers.header_name)] = "X-Forwarded-User"
    proxy_protocol: Annotated[
        tuple[IpNetwork, ...], PlainValidator(parsers.many(parsers.network))
    ] = ()
    light_path: Annotated[bool, PlainValidator(parsers.yes_or_no)] = True
    uvloop: Annotated[Uvloop, PlainValidator(parsers.one_of("auto", "on", "off"))] = "auto"
    decision_log: Annotated[Path | None, PlainValidator(parsers.path_or_none)] = None
    decision_log_sample: Annotated[float, PlainValidator(parsers.fraction)] = 1.0
    decision_log_days: Annotated[int, PlainValidator(parsers.whole_number(1, 3650))] = 30
    flush: Annotated[float, PlainValidator(parsers.duration(0.05, 60))] = 1.0
    drain: Annotated[float, PlainValidator(parsers.duration(0, 3600))] = 10.0
    drain_notice: Annotated[float, PlainValidator(parsers.duration(0, 3600))] = 0.0
    log_format: Annotated[LogFormat, PlainValidator(parsers.one_of("auto", "json", "console"))] = (
        "auto"
    )
    log_level: Annotated[
        LogLevel, PlainValidator(parsers.one_of("debug", "info", "warning", "error"))
    ] = "info"


def load_settings(
    overrides: Mapping[str, object] | None = None, config: Path | None = None
) -> Settings:
    """The settings in force.

    `overrides` are the flags of a command by field name; None and an empty list mean "not given".
    `config` is the file of `--config`; without it `ALLOWANCE_CONFIG` names one, and without that
    `allowance.toml` in the working folder is read if there is one. Raises SettingsError with every
    problem found.
    """
    flags = {key: value for key, value in (overrides or {}).items() if value not in (None, (), [])}
    file = config or _config_from_environment()
    if file is None and DEFAULT_CONFIG.is_file():
        file = DEFAULT_CONFIG
    from_file, places, problems = _read_toml(file) if file else ({}, {}, [])
    from_environment = _read_environment()
    places |= {key: f"ALLOWANCE_{key.upper()}" for key in from_environment}
    places |= {key: f"--{key.replace('_', '-')}" for key in flags}
    try:
        settings = Settings(**{**from_file, **from_environment, **flags})
    except ValidationError as error:
        found = {**from_file, **from_environment, **flags}
        problems += [_problem(each["loc"], each["msg"], found, places) for each in error.errors()]
        raise SettingsError(*problems) from None
    if problems:
        raise SettingsError(*problems)
    return settings


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A line for each `ALLOWANCE_…` variable that names no setting: no error, others may use the
    prefix."""
    return [
        f"{name}: is not a setting{_meant(name.removeprefix('ALLOWANCE_').lower())}"
        for name in sorted(environment)
        if name.startswith("ALLOWANCE_")
        and name.removeprefix("ALLOWANCE_").lower() not in {*Settings.model_fields, "config"}
    ]


def _config_from_environment() -> Path | None:
    name = os.environ.get("ALLOWANCE_CONFIG")
    return Path(name) if name else None


def _read_environment() -> dict[str, Any]:
    """The variables that are set, in any case, by field name; an empty one counts as not set."""
    given = {name.lower(): value for name, value in os.environ.items() if value}
    names = {field: f"allowance_{field}" for field in Settings.model_fields}
    return {field: given[name] for field, name in names.items() if name in given}


def _read_toml(file: Path) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Values by field name, the place of each, and a problem for each key unknown or written
    twice."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(
            f"{file}: cannot be read: {error.strerror}; check the path given as --config"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: is not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_broken_toml(file, str(error))) from None
    found: dict[str, Any] = {}
    places: dict[str, str] = {}
    problems: list[str] = []
    for key, value in document.items():
        field, place = key.replace("-", "_"), f"{file}:{_line_of(key, text)}"
        if field not in Settings.model_fields:
            problems.append(f"{place}: {key}: unknown key{_meant(field)}")
        elif field in found:
            problems.append(f"{place}: {key}: is there twice, with - and with _; keep one")
        else:
            found[field], places[field] = value, place
    return found, places, problems


def _broken_toml(file: Path, message: str) -> str:
    match = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if match is None:
        return f"{file}: is not TOML: {message}"
    return f"{file}:{match[1]}:{match[2]}: is not TOML: {message[: match.start()]}"


def _line_of(key: str, text: str) -> int:
    """The line of a top-level key; 1 where it is not found."""
    pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*[\].=]")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return number
    return 1


def _meant(field: str) -> str:
    close = difflib.get_close_matches(field, Settings.model_fields, n=1)
    return (
        f"; did you mean {close[0]}?"
        if close
        else f"; known keys: {', '.join(Settings.model_fields)}"
    )


def _problem(
    location: tuple[int | str, ...], message: str, found: dict[str, Any], places: dict[str, str]
) -> str:
    """`place: key: 'value': what would be right` (`--flag: 'value': …`), on one line and without
    credentials."""
    key = str(location[0])
    if key not in Settings.model_fields:
        return f"{places.get(key, key)}: {key}: unknown setting{_meant(key)}"
    text = message.removeprefix("Value error, ")
    shown = parsers.hide_credentials(repr(found[key]))
    place = (
        places[key] if places[key].startswith("--") else f"{places[key]}: {key}"
    )  # a flag is the name
    return " ".join(f"{place}: {shown}: {text}".split())
