"""Databases that cannot be used when a proxy starts, and can a while later: on both engines, each
way as a context."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from db.upgrade import upgrade
from tests.e2e.waiting import free_port
from tests.faults.relay import Relay
from tests.postgres import PostgresServer

NAME = "ledger.example"  # that no name server knows


class Broken(NamedTuple):
    """A database that cannot be used; it can after the context. `before`: what stands before the
    command that starts the proxy."""

    url: str
    before: tuple[str, ...] = ()


type BrokenContext = AbstractContextManager[Broken]
type OnSqlite = Callable[[Path, ExitStack], BrokenContext]
"""`folder`: for its files. What has to last as long as the proxy is put on the stack."""
type OnPostgres = Callable[[PostgresServer, Path, ExitStack], BrokenContext]


def small_disk(folder: Path, after: ExitStack, megabytes: int = 8) -> Path:
    """A file system of its own, or the test is skipped."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    after.callback(subprocess.run, ["umount", "-l", str(disk)], capture_output=True, check=False)
    return disk


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Not a byte is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def locked(folder: Path, after: ExitStack) -> Iterator[Broken]:
    """Another program has the SQLite file for itself."""
    file = folder / "ledger.db"
    upgrade(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield Broken(f"sqlite:///{file}")
    finally:
        other.close()


@contextmanager
def disk_full(folder: Path, after: ExitStack) -> Iterator[Broken]:
    """Not a byte is left where the SQLite file and the journal are to be made."""
    disk = small_disk(folder, after)
    with filled(disk):
        yield Broken(f"sqlite:///{disk}/ledger.db")


@contextmanager
def stopped(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """Nobody listens at the port."""
    url = server.url(server.new_database())
    server.stop()
    try:
        yield Broken(url)
    finally:
        server.start()


@contextmanager
def frozen(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """The server accepts connections and says nothing."""
    url = server.url(server.new_database())
    server.pause()
    try:
        yield Broken(url)
    finally:
        server.resume()


@contextmanager
def dropped(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """The network swallows every byte."""
    url = server.url(server.new_database())
    relay = after.enter_context(Relay(server.port))
    relay.set("drop")
    yield Broken(url.replace(f":{server.port}/", f":{relay.port}/"))
    relay.set("pass")


@contextmanager
def unknown_name(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """The name of the server is not known yet; later the hosts file of the proxy has it."""
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
    before = ("unshare", "--mount", "sh", "-c", script, "sh", str(hosts))
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root may have a hosts file of its own")
    url = server.url(server.new_database())
    yield Broken(url.replace("@127.0.0.1:", f"@{NAME}:"), before)
    with hosts.open("a") as file:  # the same file, which is mounted
        file.write(f"127.0.0.1 {NAME}\n")


@contextmanager
def no_space(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """The disk of the database, not that of the server's log of transactions, is full."""
    disk = small_disk(folder, after, megabytes=32)
    for above in (disk, *disk.parents[:-1]):
        if above.stat().st_mode & 0o001 == 0 and above.is_relative_to("/tmp"):
            above.chmod(above.stat().st_mode | 0o011)
    place = disk / "place"
    place.mkdir()
    shutil.chown(place, "nobody")
    name = f"small_{free_port()}"
    server.run(f"CREATE TABLESPACE {name} LOCATION '{place}'")
    server.run(f"CREATE DATABASE {name} TABLESPACE {name}")
    after.callback(server.run, f"DROP TABLESPACE {name}")
    after.callback(server.run, f"DROP DATABASE {name} WITH (FORCE)")
    with filled(disk):
        yield Broken(server.url(name))


@contextmanager
def starting(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """The server recovers, and refuses everybody until it is done."""
    url = server.url(server.new_database())
    server.stop()
    standby = server.data / "standby.signal"
    standby.touch()
    server.start("hot_standby=off", waits=False)
    try:
        yield Broken(url)
    finally:
        server.stop()
        standby.unlink()
        server.start()


@contextmanager
def wrong_password(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """The server has another password for our user."""
    name = server.new_database()
    server.run("CREATE ROLE clerk LOGIN PASSWORD 'old'")
    server.run(f"ALTER DATABASE {name} OWNER TO clerk")
    url = f"postgresql://clerk:new@127.0.0.1:{server.port}/{name}"
    try:
        yield Broken(url)
    finally:
        server.run("ALTER ROLE clerk PASSWORD 'new'")


@contextmanager
def missing(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """The database has not been made yet."""
    name = f"later_{free_port()}"
    try:
        yield Broken(server.url(name))
    finally:
        server.run(f"CREATE DATABASE {name}")


@contextmanager
def read_only(server: PostgresServer, folder: Path, after: ExitStack) -> Iterator[Broken]:
    """The server takes no writes, as a standby does."""
    name = server.new_database()
    upgrade(server.url(name))
    server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        yield Broken(server.url(name))
    finally:
        server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )


ON_SQLITE: dict[str, OnSqlite] = {"locked": locked, "disk full": disk_full}
ON_POSTGRES: dict[str, OnPostgres] = {
    "stopped": stopped,
    "frozen": frozen,
    "packets dropped": dropped,
    "name unknown": unknown_name,
    "disk full": no_space,
    "starting up": starting,
    "wrong password": wrong_password,
    "missing": missing,
    "read-only": read_only,
}
