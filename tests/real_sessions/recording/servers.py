"""The servers of a recording, on loopback ports: their own programs, behind one nginx with TLS."""

from __future__ import annotations

import os
import shutil
import string
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.e2e.authority import Authority
from tests.e2e.waiting import free_port
from tests.real_sessions.recording.installation import SOFTWARE, Installation
from tests.real_sessions.recording.material import Material
from tests.real_sessions.recording.processes import ServerProcess, run

HOSTS = (
    *("feed.test", "pics.feed.test", "news.test", "pics.news.test", "mag.test", "pics.mag.test"),
    *("film.test", "cdn.film.test", "lounge.test", "irc.test", "chat.test"),
    *("forum.test", "docs.test", "wiki.test"),
)
PASSWORD = "pass-word-1"  # of everybody, on these servers only
NAMES = ("TLS", "LOUNGE", "IRC", "FORUM", "WIKI", "FEEDS", "IRCD", "XMPP", "XMPPC2S")
# Programs of Node.js find no host but this machine: The Lounge looks for new versions of itself.
LOOPBACK_ONLY = {"NODE_OPTIONS": f"--require={SOFTWARE / 'loopback_only.js'}"}
GONE = "start again; the logs of all servers are in the folder of this recording"


@dataclass(frozen=True, slots=True)
class _Chat:
    """One of the two Lounges: the name of its people on IRC and how they reach it."""

    name: str
    port: str
    nick: str
    transports: str


LOUNGES = (
    _Chat("lounge", "LOUNGE", "ana", '["websocket"]'),
    _Chat("lounge-polling", "IRC", "bea", '["polling"]'),
)


class Servers:
    """All of them, started one after the other. An async context manager."""

    def __init__(self, work: Path, installation: Installation, material: Material) -> None:
        self._work, self._installation, self._material = work, installation, material
        self.ports = {name: free_port() for name in NAMES}
        authority = Authority(work / "authority")
        self.ca_file = authority.ca_file
        shutil.copytree(material.forum, work / "forum")
        shutil.copytree(material.wiki, work / "wiki")
        self._values = {name: str(port) for name, port in self.ports.items()} | {
            "WORK": str(work),
            "SOFTWARE": str(SOFTWARE),
            "MODULES": str(installation.modules),
            "FILMS": str(material.films),
            "DOCS": str(material.manual),
            # A name below the limit of a subject; all others are alternatives.
            "CERTIFICATE": str(_short(authority.leaf_file(*HOSTS), work / "sites.pem")),
        }
        self._running: list[ServerProcess] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            for server in (*self._chats(), *self._sites()):
                self._running.append(await self._stack.enter_async_context(server))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def resolve(self) -> str:
        """The proxy's setting `resolve`: where each host is."""
        return ",".join(f"{host}:443=127.0.0.1:{self.ports['TLS']}" for host in HOSTS)

    def check(self) -> None:
        """Raises PartFailed where one has ended by itself."""
        for server in self._running:
            server.check()

    def _chats(self) -> list[ServerProcess]:
        node, modules = self._installation.node, self._installation.modules
        prosody = self._fill("prosody.cfg.lua")
        (self._work / "prosody-data").mkdir()
        for name in ("ana", "bea", "bob"):
            tool = ["prosodyctl", "--root", "--config", prosody, "register", name, "chat.test"]
            run("prosody", [*tool, PASSWORD], self._work, GONE)
        found = [
            self._server("ngircd", ["ngircd", "-n", "-f", self._fill("ngircd.conf")], "IRCD"),
            self._server("prosody", ["prosody", "--root", "-F", "--config", prosody], "XMPP"),
        ]
        for each in LOUNGES:
            home = self._work / each.name
            home.mkdir()
            more = {"PORT": self._values[each.port], "NICK": each.nick}
            filled = self._fill("lounge.js", more | {"TRANSPORTS": each.transports})
            filled.rename(home / "config.js")
            command = [node, modules / "thelounge" / "index.js", "start"]
            variables = {"THELOUNGE_HOME": str(home)} | LOOPBACK_ONLY
            found.append(self._server(each.name, command, each.port, variables))
        return found

    def _sites(self) -> list[ServerProcess]:
        node, modules = self._installation.node, self._installation.modules
        feeds = [node, SOFTWARE / "feeds" / "server.js", self._values["FEEDS"], modules]
        wiki = [node, modules / "tiddlywiki" / "tiddlywiki.js", self._work / "wiki", "--listen"]
        lazy = "root-tiddler=$:/core/save/lazy-all"
        address = f"127.0.0.1:{self._values['FORUM']}"
        gunicorn = [self._installation.script("gunicorn"), "--chdir", self._work / "forum"]
        django = {"DJANGO_SETTINGS_MODULE": "forum.settings.recorded"}
        serve = [
            *gunicorn,
            "--no-control-socket",
            "--threads",
            "4",
            "--bind",
            address,
            "forum.wsgi",
        ]
        return [
            self._server("feeds", [*feeds, self._material.pictures], "FEEDS", LOOPBACK_ONLY),
            self._server("forum", serve, "FORUM", django),
            self._server(
                "wiki", [*wiki, f"port={self._values['WIKI']}", lazy], "WIKI", LOOPBACK_ONLY
            ),
            self._server("nginx", ["nginx", "-c", self._nginx()], "TLS"),
        ]

    def _nginx(self) -> Path:
        # Where the user of its workers may not read folders of ours, they stay who started them.
        filled = self._fill("nginx.conf")
        if os.geteuid() == 0:
            filled.write_text("user root;\n" + filled.read_text())
        return filled

    def _server(
        self,
        name: str,
        command: list[str | Path],
        port: str,
        variables: dict[str, str] | None = None,
    ) -> ServerProcess:
        return ServerProcess(name, command, self._work, self.ports[port], environment=variables)

    def _fill(self, name: str, more: dict[str, str] | None = None) -> Path:
        target = self._work / name
        template = string.Template((SOFTWARE / name).read_text("utf-8"))
        target.write_text(template.safe_substitute(self._values | (more or {})))
        return target


def _short(file: Path, target: Path) -> Path:
    file.rename(target)
    return target
