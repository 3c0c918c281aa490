"""Twin of proxy_addon/identity/passwords.py: real argon2, real files, several writers."""

from __future__ import annotations

import multiprocessing
import stat
import time
import unicodedata
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.config.settings import SettingsError
from proxy_addon.identity.passwords import (
    PasswordFile,
    PasswordFileError,
    check_password,
    person_name,
)
from tests.unprivileged import unprivileged

WEAK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "var" / "passwords"


def write(path: Path, *entries: tuple[str, str]) -> None:
    """A password file with cheap hashes, as an older version with other parameters could have left
    it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{user}:{WEAK.hash(password)}\n" for user, password in entries))
    path.chmod(0o600)


def test_add_verify_remove(path):
    """A person who was added signs in with that password only, and no more after removal."""
    file = PasswordFile(path)
    assert file.people == 0
    assert file.add("dora", "a:b c ü") is True
    assert file.attempt("dora", "a:b c ü").right
    assert not file.attempt("dora", "a:b c u").right
    assert not file.attempt("dora", "").right
    assert not file.attempt("bob", "a:b c ü").right
    assert file.add("dora", "other") is False
    assert file.attempt("dora", "other").right
    assert not file.attempt("dora", "a:b c ü").right
    assert file.remove("dora") is True
    assert file.remove("dora") is False
    assert not file.attempt("dora", "other").right


def test_file_is_private_and_holds_argon2id(path):
    """The file has mode 0600 and one argon2id line a person; the password is not in it."""
    PasswordFile(path).add("Dora", "correct horse")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 1
    assert lines[0].startswith("dora:$argon2id$v=19$m=19456,t=2,p=1$")
    assert "correct" not in path.read_text()
    assert {each.name for each in path.parent.iterdir()} == {"passwords", "passwords.lock"}


def test_names_are_one_person_in_every_spelling(path):
    """Capitals and composed or decomposed accents do not make two people."""
    file = PasswordFile(path)
    file.add("Zoë", "pass word one")
    for spelling in ("zoë", "ZOË", unicodedata.normalize("NFD", "Zoë"), " zoë "):
        assert file.attempt(spelling, "pass word one").right
    assert file.users() == ("zoë",)


def test_password_accents_may_be_composed_or_not(path):
    """A password typed on a keyboard that decomposes accents is the same password."""
    file = PasswordFile(path)
    file.add("dora", "caf\u00e9 noir")
    assert file.attempt("dora", "cafe\u0301 noir").right


@given(st.text(max_size=200))
def test_person_name_is_stable(text):
    """The one form of a name is its own form, and can be kept in the file; or the name is
    refused."""
    try:
        name = person_name(text)
    except ValueError:
        return
    assert person_name(name) == name
    assert name.isprintable()
    assert name == name.strip()
    assert not set(name) & {":", "\n"}
    assert not name.startswith("#")


@pytest.mark.parametrize("name", ["", "  ", "a:b", "a\nb", "a\x00b", "#a", "x" * 129, "a\u2028b"])
def test_names_nobody_can_have(path, name):
    """A name that would break the file, or pass for an address, is refused everywhere."""
    with pytest.raises(ValueError, match="a name"):
        person_name(name)
    with pytest.raises(ValueError, match="a name"):
        PasswordFile(path).add(name, "some password")
    assert PasswordFile(path).attempt(name, "some password").right is False
    assert not path.exists()


@pytest.mark.parametrize("password", ["", "a\nb", "x" * 1025])
def test_passwords_nobody_can_have(password):
    """Empty, endless and unprintable passwords are refused."""
    with pytest.raises(ValueError, match="a password"):
        check_password(password)


def test_long_password_is_not_cut(path):
    """A password that agrees with the right one as far as the longest allowed is still wrong."""
    file = PasswordFile(path)
    file.add("dora", "x" * 1024)
    assert file.attempt("dora", "x" * 1024).right
    assert not file.attempt("dora", "x" * 1025).right


def test_unknown_user_costs_as_much(path):
    """Whether a name is in the file cannot be told by the time that a refusal takes."""
    file = PasswordFile(path)
    file.add("dora", "a long password")

    def cost(user: str) -> float:
        start = time.thread_time()
        for _ in range(5):
            assert not file.attempt(user, "wrong").right
        return time.thread_time() - start

    known, unknown, impossible = cost("dora"), cost("nobody"), cost("a:b")
    assert 0.4 < unknown / known < 2.5
    assert 0.4 < impossible / known < 2.5


def test_change_by_another_process_is_noticed(path):
    """What another process writes is in force at the next question."""
    write(path, ("dora", "old"))
    proxy, command = PasswordFile(path), PasswordFile(path)
    before = proxy.fingerprint("dora")
    command.add("dora", "new password")
    assert proxy.attempt("dora", "new password").right
    assert not proxy.attempt("dora", "old").right
    assert proxy.fingerprint("dora") != before
    command.remove("dora")
    proxy.refresh()
    assert (proxy.people, proxy.fingerprint("dora")) == (0, None)


@pytest.mark.parametrize(
    "content",
    [b"dora:hunter2\n", b"dora\n", b"\xff\n", b":x\n", b"dora:$argon2i$v=19$m=64,t=1,p=1$YQ$YQ\n"],
    ids=["plain", "alone", "bytes", "nameless", "argon2i"],
)
def test_wrong_file(path, caplog, content):
    """A wrong file is named with its line and without its content; one read before stays in
    force."""
    write(path, ("dora", "right"))
    file = PasswordFile(path)
    path.write_bytes(b"# one\n" + content)
    with pytest.raises(PasswordFileError) as caught:
        PasswordFile(path)
    assert str(caught.value).startswith(f"{path}")
    assert "hunter2" not in str(caught.value)
    assert file.attempt("dora", "right").right
    assert file.attempt("dora", "right").right
    assert caplog.text.count("stay in force") == 1
    assert "hunter2" not in caplog.text
    with pytest.raises(PasswordFileError):
        file.add("eve", "some password")
    assert path.read_bytes() == b"# one\n" + content


def test_wrong_file_ends_every_command_like_a_wrong_setting(path):
    """A command that ends on wrong settings with one line does so on a wrong password file."""
    path.mkdir(parents=True)
    with pytest.raises(SettingsError) as caught:
        PasswordFile(path)
    assert caught.value.problems == (f"{path}: cannot be read: Is a directory",)


def test_person_twice(path):
    """Two lines for one person, whatever the capitals, are an error that names the second."""
    write(path, ("dora", "a"), ("Dora", "b"))
    with pytest.raises(PasswordFileError, match=r"passwords:2: dora is there twice"):
        PasswordFile(path)


def test_vanished_file_changes_nothing(path, caplog):
    """A file deleted by mistake does not lock everybody out, and the log says so once."""
    write(path, ("dora", "right"))
    file = PasswordFile(path)
    path.unlink()
    assert file.attempt("dora", "right").right
    assert file.attempt("dora", "right").right
    assert caplog.text.count("has gone") == 1


def test_file_open_to_others_is_reported(path, caplog):
    """A file that others can read works, and the log gives the command that closes it."""
    write(path, ("dora", "right"))
    path.chmod(0o644)
    assert PasswordFile(path).attempt("dora", "right").right
    assert f"chmod 600 {path}" in caplog.text


def test_old_parameters_are_renewed(path):
    """A right sign-in against a hash with other parameters leaves a hash with those of today."""
    write(path, ("dora", "right"), ("bob", "other"))
    file = PasswordFile(path)
    attempt = file.attempt("dora", "right")
    assert attempt.right
    assert attempt.fingerprint == file.fingerprint("dora")
    assert extract_parameters(attempt.fingerprint or "").memory_cost == 19 * 1024
    assert extract_parameters(PasswordFile(path).fingerprint("bob") or "").memory_cost == 64
    assert PasswordFile(path).attempt("dora", "right").right


def test_wrong_password_renews_nothing(path):
    """A wrong password never changes the file."""
    write(path, ("dora", "right"))
    before = path.read_bytes()
    assert not PasswordFile(path).attempt("dora", "wrong").right
    assert path.read_bytes() == before


def _add_some(path: Path, prefix: str) -> None:
    for number in range(5):
        PasswordFile(path).add(f"{prefix}{number}", "a password for all")


def test_two_writers_lose_nothing(path):
    """Several processes that add people at once all find their people in the file."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add_some, args=(path, prefix)) for prefix in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert PasswordFile(path).users() == tuple(
        f"{prefix}{number}" for prefix in "ab" for number in range(5)
    )


def test_unwritable_folder():
    """A folder that cannot be written to is one clear error."""
    with unprivileged() as folder:
        folder.chmod(0o500)
        with pytest.raises(PasswordFileError, match="cannot be written"):
            PasswordFile(folder / "passwords").add("dora", "some password")


def test_folder_that_is_a_file(tmp_path):
    """A path that leads through a file is one clear error, for reading and for writing."""
    (tmp_path / "var").write_text("")
    with pytest.raises(PasswordFileError, match="cannot be"):
        PasswordFile(tmp_path / "var" / "passwords").add("dora", "some password")


def test_nothing_left_behind_when_the_place_is_taken(path):
    """When the file cannot be replaced, the error names it, and no half-written neighbour stays."""
    path.mkdir(parents=True)
    with pytest.raises(PasswordFileError, match=f"^{path}: cannot be"):
        PasswordFile(path)


def test_no_secret_in_texts(path):
    """Neither the object nor an attempt shows a password."""
    file = PasswordFile(path)
    file.add("dora", "hunter2 hunter2")
    assert "hunter2" not in repr(file) + repr(vars(file)) + repr(
        file.attempt("dora", "hunter2 hunter2")
    )


@pytest.mark.parametrize("damage", ["gone", "damaged", "folder"])
def test_a_copy_in_place_of_the_file(tmp_path: Path, damage: str) -> None:
    """A process that starts when the file cannot be used has the passwords of the copy; when the
    file is right again it counts, and a damaged one is never copied."""
    file, copy = tmp_path / "passwords", tmp_path / "copy"
    first = PasswordFile(file)
    first.keep(copy)
    assert copy.read_bytes() == b"" and PasswordFile(file, copy).people == 0
    first.add("ana", "a long enough password")
    first.keep(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    good = file.read_bytes()
    file.unlink()
    if damage == "damaged":
        file.write_text("damaged")
    elif damage == "folder":
        file.mkdir()
    if damage == "gone":
        first.keep(copy)
    else:
        with pytest.raises(PasswordFileError):
            PasswordFile(file)
        with pytest.raises((PasswordFileError, OSError)):
            first.keep(copy)
    assert copy.read_bytes() == good
    second = PasswordFile(file, copy)
    assert second.people == 1
    assert second.attempt("ana", "a long enough password").right
    if damage == "folder":
        file.rmdir()
    file.write_bytes(good)
    second.add("bo", "another long password")
    assert second.users() == ("ana", "bo")
