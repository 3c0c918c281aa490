"""`allowance people add|list|remove`: who can sign in to the proxy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from proxy_addon.cli.common import AsJson, Config, Passwords, exit_with, print_json, say
from proxy_addon.config.settings import Settings, SettingsError, load_settings
from proxy_addon.identity.passwords import (
    PasswordFile,
    PasswordFileError,
    check_password,
    person_name,
)

SHORT = 10  # characters; a shorter password is taken, with a warning

User = Annotated[
    str, typer.Argument(help="The name as the rule files write it; capitals do not matter.")
]


def add(
    user: User,
    passwords: Passwords = None,
    config: Config = None,
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin", help="Read the password from the first line of standard input."
        ),
    ] = False,
) -> None:
    """Add a person who signs in to the proxy, or change a password."""
    with _one_line_errors():
        settings = _settings(passwords, config)
        name = _name(user)
        file = _file(settings, passwords)
        password = _from_stdin() if password_stdin else _asked(name)
        check_password(password)
        if len(password) < SHORT:
            say(f"warning: this password has fewer than {SHORT} characters", err=True)
        new = file.add(name, password)
    say(f"{name} can now sign in." if new else f"The password of {name} is changed.")
    say(_next_step(settings, name))


def list_people(
    passwords: Passwords = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show who can sign in to the proxy."""
    with _one_line_errors():
        settings = _settings(passwords, config)
        names = _file(settings, passwords).users()
    if as_json:
        print_json({"people": names}, indent=None)
    elif names:
        say("\n".join(names))
    else:
        say(f"Nobody is in {settings.passwords} yet. Next: allowance people add USER", err=True)


def remove(user: User, passwords: Passwords = None, config: Config = None) -> None:
    """Remove a person's sign-in. Recorded visits stay; a running proxy notices within two
    seconds."""
    with _one_line_errors():
        settings = _settings(passwords, config)
        file = _file(settings, passwords)
        name = _name(user)
        if not file.remove(name):
            raise PasswordFileError(
                f"{name} is not in {settings.passwords}; see: allowance people list"
            )
    say(f"{name} can no longer sign in.")
    if not file.people and settings.sign_in == "auto":
        say("Nobody is left in the file, so the proxy no longer asks for sign-in (sign_in = auto).")


def _settings(passwords: Path | None, config: Path | None) -> Settings:
    return load_settings({"passwords": passwords}, config)


def _name(user: str) -> str:
    try:
        return person_name(user)
    except ValueError as error:
        raise ValueError(f"USER: {user!r}: {error}") from None


def _file(settings: Settings, passwords: Path | None) -> PasswordFile:
    """The password file. Where the path is wrong, the message says which setting names it."""
    try:
        return PasswordFile(settings.passwords)
    except PasswordFileError as error:
        if not isinstance(error.__context__, OSError):
            raise  # something in the file: the message has file and line
        place = "passwords" if passwords is None else "--passwords"
        raise PasswordFileError(f"{place}: {error}; name a file, such as var/passwords") from None


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        raise PasswordFileError(
            "there is no terminal to ask on; give the password with --password-stdin"
        )
    return str(
        typer.prompt(
            f"Password for {name}", hide_input=True, confirmation_prompt="The same password again"
        )
    )


def _from_stdin() -> str:
    line = sys.stdin.buffer.readline()
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("the password on standard input is not UTF-8 text") from None


def _next_step(settings: Settings, name: str) -> str:
    if settings.sign_in == "off":
        return 'Sign-in is switched off: set sign_in = "auto" in allowance.toml, or start with --sign-in auto.'
    return (
        "A running proxy notices within two seconds. The browser will ask for proxy user and password.\n"
        f"Next: list {name} under a role in people.yaml, or leave it at the default role."
    )


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Problems that a person can solve: printed on standard error, exit code 1."""
    try:
        yield
    except (PasswordFileError, SettingsError, ValueError) as error:
        exit_with(error)
