"""`allowance run`: the proxy."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
from pathlib import Path
from typing import Any

import structlog
import typer

from proxy_addon.cli.common import exit_with, say
from proxy_addon.cli.run_options import take_run_options
from proxy_addon.config.settings import Settings, SettingsError, load_settings
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.core.text import printable
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.presentation.durations import count
from proxy_addon.proxy import ca
from proxy_addon.proxy.master import ListenError
from proxy_addon.rules.active import RuleTestsFailed
from proxy_addon.runtime.application import Application
from proxy_addon.runtime.proxy_port import proxy_port
from proxy_addon.runtime.supervisor import Supervisor
from proxy_addon.system import logging_setup as logs
from proxy_addon.system.event_loop import loop_factory
from proxy_addon.system.systemd import Systemd
from proxy_addon.web.server import PortTaken, available_port

log = structlog.get_logger("allowance.run")


def run(**given: Any) -> None:
    """Start the proxy. Every option is also a key of allowance.toml and ALLOWANCE_… in the
    environment."""
    config = given.pop("config")
    with logs.standard_streams():  # whoever reads them, or does not, is no reason to wait
        try:
            code = _start(load_settings(given, config))
        except (
            SettingsError,
            RuleErrors,
            RuleTestsFailed,
            LedgerError,
            ca.CaError,
            PortTaken,
            ListenError,
        ) as error:
            exit_with(error)
        except Exception:
            traceback.print_exc()  # here, where printing it cannot hold up the end
            code = 1
    raise typer.Exit(code)


take_run_options(run)


def _start(settings: Settings) -> int:
    """Configure logging, find the ports and serve until the end, in this process or in several. The
    exit code."""
    logs.configure(settings.log_format, settings.log_level)
    settings = settings.model_copy(
        update={
            "listen": proxy_port(settings),
            "web": available_port(settings.web, "--web"),
        }
    )
    if settings.workers > 1:
        return asyncio.run(_supervise(settings))
    application = Application(settings)
    application.load()
    return asyncio.run(_serve(application), loop_factory=loop_factory(settings.uvloop))


async def _serve(application: Application) -> int:
    loop, systemd = asyncio.get_running_loop(), Systemd()
    application.start(loop)
    loop.add_signal_handler(signal.SIGHUP, application.reloading.hangup)

    def ready() -> None:
        systemd.ready(
            f"Proxy at {application.settings.listen}; rules: {application.reloading.check().text}"
        )

    def hangup() -> None:
        systemd.reloading()
        application.reloading.hangup(then=ready)

    def on_running() -> None:
        application.web.start()  # not before: its answer means that the proxy accepts connections
        _notice(application)
        ready()
        systemd.watch(loop)
        loop.add_signal_handler(
            signal.SIGHUP, hangup
        )  # systemd accepts reloads only after readiness

    try:
        await application.runner(on_running, systemd.stopping).run()
    finally:
        lost = await loop.run_in_executor(None, application.stop)
    if lost:
        log.error("visits could not be written", visits=lost)
        return 1
    log.info("stopped", visits_unwritten=0)
    return 0


async def _supervise(settings: Settings) -> int:
    return await Supervisor(settings, _notice).run()


def _notice(application: Application) -> None:
    """What an administrator has to know now. Goes to standard output; logs go to standard error."""
    settings = application.settings
    rules = application.live.current
    proxy = settings.listen._replace(host=settings.listen.host or "127.0.0.1")
    say(
        f"Allowance is running.\n"
        f"  proxy      http://{proxy}   {_reach(settings)}\n"
        f"  web        http://{settings.web}   health, metrics, proxy.pac, CA certificate\n"
        f"  my minutes http://allowance.internal/   through the proxy\n"
        f"  rules      {settings.rules.absolute()}   {count(len(rules.rules), 'rule')}, "
        f"{len(rules.limited)} of {count(len(rules.platforms), 'known platform')} limited\n"
        f"{_broken(application)}"
        f"  database   {_database(settings)}\n"
        f"{_ledger(application)}"
        f"  CA         {ca.certificate(settings.confdir).absolute()}"
        f"{'   made now: install it on the devices' if application.new_ca else ''}\n"
        f"Try it:  curl -x http://{proxy} --cacert {relative(ca.certificate(settings.confdir))} "
        f"-I https://www.facebook.com/\n"
        f"Stop it: Ctrl+C, or SIGTERM to process {os.getpid()}"
    )
    log.info(
        "running",
        listen=str(settings.listen),
        web=str(settings.web),
        rules=len(rules.rules),
        limited=len(rules.limited),
        digest=rules.digest[:12],
    )


def _broken(application: Application) -> str:
    """A loud line when the rules in force are not those of the folder."""
    problems = application.live.outcome.problems
    if not problems:
        return ""
    found = "a problem" if len(problems) == 1 else count(len(problems), "problem")
    return (
        f"  ATTENTION  that folder has {found}: the last good rules are in force, not those in it\n"
    )


def _ledger(application: Application) -> str:
    """A loud line when the proxy has started without its ledger."""
    problem = application.writer.state().message
    if problem is None:
        return ""
    return (
        f"  ATTENTION  {printable(problem)}\n"
        "             The proxy serves without it: other sites as always, limited platforms by `on_failure`\n"
        "             and by what the journal holds. It joins the database as soon as that can be used.\n"
    )


def _reach(settings: Settings) -> str:
    return (
        "for this machine"
        if settings.listen.host.startswith("127.")
        else "for allowed client networks"
    )


def _database(settings: Settings) -> str:
    kind, _, rest = settings.database.partition("://")
    return f"{kind}://…@{rest.rpartition('@')[2]}" if "@" in rest else settings.database


def relative(path: Path) -> str:
    """A path as a person would type it here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
