"""The add-on for a mitmproxy that is already there: wired at load, like `allowance run` but without
the runner."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import structlog
from mitmproxy import ctx
from mitmproxy.addonmanager import Loader

from proxy_addon.config.settings import SettingsError, load_settings
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.core.text import printable
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.proxy.ca import CaError
from proxy_addon.proxy.layers.termination import Terminator
from proxy_addon.proxy.recording import Recording
from proxy_addon.proxy.traffic import TrafficCounts
from proxy_addon.rules.active import RuleTestsFailed
from proxy_addon.runtime.application import Application

log = structlog.get_logger("allowance.run")


class ScriptAddon:
    """Builds the application and hands mitmproxy its add-on. mitmdump ends with status 1 when that
    fails."""

    name = "allowance-script"

    def __init__(self) -> None:
        self._application: Application | None = None

    def load(self, loader: Loader) -> None:
        """Read settings, rules and ledger; register the add-on."""
        try:
            application = Application(load_settings())
            application.load()
        except (SettingsError, RuleErrors, RuleTestsFailed, LedgerError, CaError) as error:
            print(printable(str(error), keep="\n"), file=sys.stderr)  # noqa: T201 (mitmdump's log may be off)
            sys.exit(1)
        self._application = application
        self.addons: list[Any] = [application.addon, Recording(application.addon)]
        server = ctx.master.addons.get("proxyserver")
        if server is not None:
            self.addons.append(TrafficCounts(server, application.addon.services.traffic))
        ctx.options.update(connection_strategy="lazy")

    def running(self) -> None:
        """Start the periodic check of what runs. Not a coroutine: the script loader accepts none
        here."""
        application = self._application
        server = ctx.master.addons.get("proxyserver")
        if application is None or server is None:
            return
        loop = asyncio.get_running_loop()
        application.addon.services.resolver.install(loop)
        application.start(loop)
        application.addon.start(loop, Terminator(server))

    def done(self) -> None:
        """Write what is left."""
        if self._application is not None:
            self._application.addon.stop()
            lost = self._application.stop()
            if lost:
                log.error("visits could not be written", visits=lost)
