"""Root folders in which the steps of an installation can be tried without an engine for containers.

A root is an overlay over this machine's own files, which stand in for the base image; this
interpreter's installation is mounted where images of Python have theirs. What a step writes goes to
a folder that was empty, so afterwards that folder holds exactly what the steps have added. Needs
Linux, root, and the right to mount; all mounts live in a name space of this process and end with
it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# How this machine reaches packages; as an engine passes proxy variables on.
PASSED_ON = ("PIP_", "SSL_CERT_", "REQUESTS_CA_", "http_proxy", "https_proxy", "no_proxy")
PATIENCE = 600.0  # seconds for one step


class NotPermitted(Exception):
    """This machine does not let us; one line."""


class StepFailed(Exception):
    """A step ended with another exit code than 0; the message has what it printed."""


def own_mounts() -> None:
    """From here on, mounts of this process are seen by nobody else. Raises NotPermitted."""
    if os.geteuid() != 0:
        raise NotPermitted("only root can mount")
    try:
        os.unshare(os.CLONE_NEWNS)
    except OSError as error:
        raise NotPermitted(f"no name space for mounts: {error.strerror}") from None
    _mount("--make-rprivate", "/")


def own_network() -> None:
    """From here on there is only loopback, whose ports are all free."""
    os.unshare(os.CLONE_NEWNET)
    with socket.socket() as any_socket:
        up_and_running = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")
        fcntl.ioctl(any_socket, 0x8914, up_and_running)  # SIOCSIFFLAGS


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for roots. It is removed at the end, once nothing is mounted below it: what is
    mounted is not ours."""
    folder = Path(tempfile.mkdtemp(prefix="allowance-root-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for place in reversed(_mounted_below(folder)):
            _call("umount", "--lazy", place)
        if _mounted_below(folder):
            raise StepFailed(f"{folder} was left behind: something is still mounted there")
        shutil.rmtree(folder)


def _mounted_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    places = [line.split()[4] for line in lines]
    return [place for place in places if Path(place).is_relative_to(folder)]


class Root:
    """One root folder below `folder`. `added` is where its own files are."""

    def __init__(self, folder: Path) -> None:
        """Raises NotPermitted."""
        self.path, self.added = folder / "root", folder / "added"
        self.path.mkdir(parents=True)
        _overlay("/", self.path, self.added)
        _mount("-t", "tmpfs", "tmpfs", "-o", "mode=1777", str(self.path / "tmp"))
        _mount("-t", "proc", "proc", str(self.path / "proc"))
        _mount("--bind", "/dev", str(self.path / "dev"))
        self._interpreter(folder / "local")

    def _interpreter(self, added: Path) -> None:
        """Python where the images of Python have it."""
        place = self.path / "usr" / "local"
        system = sys.base_prefix == "/usr"
        _overlay("/usr/local" if system else sys.base_prefix, place, added)
        for name in ("python", "python3") if system else ():
            (place / "bin" / name).unlink(missing_ok=True)
            (place / "bin" / name).symlink_to(f"/usr/bin/python3.{sys.version_info[1]}")

    def at(self, path: str) -> Path:
        """Where a path of the root is for us."""
        return self.path / path.lstrip("/")

    def command(
        self, words: Sequence[str], *, folder: str = "/", user: str = "0:0", guarded: bool = False
    ) -> list[str]:
        """How to execute words in there. `guarded`: without any capability, and no way to gain
        one."""
        uid, _, gid = user.partition(":")
        rights = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"] if guarded else []
        who = [
            "/usr/bin/setpriv",
            f"--reuid={uid}",
            f"--regid={gid}",
            "--clear-groups",
            *rights,
            "--pdeathsig=KILL",
        ]
        outside = (
            shutil.which("chroot", path=PATH) or "chroot"
        )  # the words may come with a PATH of their own
        return [outside, str(self.path), *who, "/usr/bin/env", "-C", folder, *words]

    def run(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: str = "/",
        user: str = "0:0",
        guarded: bool = False,
    ) -> str:
        """Execute words and wait; what they printed. Raises StepFailed."""
        done = subprocess.run(
            self.command(words, folder=folder, user=user, guarded=guarded),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        if done.returncode != 0:
            raise StepFailed(f"{' '.join(words)}\nended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def mount_folder(self, source: Path, target: str, *, read_only: bool = False) -> None:
        """Show a folder of this machine in there."""
        self.at(target).mkdir(parents=True, exist_ok=True)
        _mount("--bind", str(source), str(self.at(target)))
        if read_only:
            _mount("-o", "remount,bind,ro", str(self.at(target)))

    def unmount(self, target: str) -> None:
        """Take it away again."""
        _call("umount", str(self.at(target)))

    def seal(self) -> None:
        """Read-only from here on, apart from /tmp and what is mounted."""
        for place in (self.path / "usr" / "local", self.path):
            _mount("-o", "remount,ro", str(place))

    def size(self) -> int:
        """Bytes of all that was added."""
        files = (file for file in self.added.rglob("*") if file.is_file() and not file.is_symlink())
        return sum(file.stat().st_size for file in files)


def passed_on() -> dict[str, str]:
    """The environment of steps: what of ours they need to reach packages, and where programs
    are."""
    given = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    # Images of Python tell the loader where its library is; here it has to be told about
    # /usr/local.
    return given | {"PATH": PATH, "LANG": "C.UTF-8", "LD_LIBRARY_PATH": "/usr/local/lib"}


def merge(source: Path, target: Path) -> None:
    """Copy a folder's content, with owners and modes."""
    target.mkdir(parents=True, exist_ok=True)
    _call("cp", "--archive", f"{source}/.", str(target))
    shutil.copystat(source, target)
    owner = source.stat()
    os.chown(target, owner.st_uid, owner.st_gid)


def _overlay(lower: str, place: Path, added: Path) -> None:
    """Show `lower` at a place; what is written there goes to `added`. Raises NotPermitted."""
    scratch = added.with_name(f"{added.name}-scratch")
    for each in (added, scratch):
        each.mkdir()
    layers = f"lowerdir={lower},upperdir={added},workdir={scratch}"
    try:
        _mount("-t", "overlay", "overlay", "-o", layers, str(place))
    except StepFailed as error:
        raise NotPermitted(str(error)) from None


def _mount(*words: str) -> None:
    _call("mount", *words)


def _call(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StepFailed(f"{' '.join(words)}: {done.stderr.strip()}")
