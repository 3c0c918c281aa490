"""Firefox, driven by WebDriver BiDi, which it speaks itself: no driver, no download.

What BiDi has no command for (colour schemes, trust in a certificate) is done in the browser's own
scope, which `--remote-allow-system-access` opens.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.browser.bidi import Connection, Json, Refused
from tests.browser.interface import (
    ANSWER_SECONDS,
    DESKTOP,
    KEYS,
    SETTLED,
    START_SECONDS,
    Look,
    NotOpened,
    NotStarted,
    Proxy,
    media,
)

LOG_TAIL = 3000  # characters
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
EVENTS = [
    "log.entryAdded",
    "network.authRequired",
    "network.fetchError",
    "network.responseCompleted",
]
# No traffic of its own, http as it is asked for, pages that do not depend on the machine's looks.
PREFERENCES: dict[str, bool | int | str] = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.update.enabled": False,
    "browser.search.update": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.security.https_first": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "focusmanager.testmode": True,
    "intl.accept_languages": "en-GB, en",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}


def executable() -> str | None:
    """Firefox on this machine."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


def profile(folder: Path, proxy: Proxy | None) -> None:
    """Write the preferences of a throw-away profile."""
    chosen = dict(PREFERENCES)
    if proxy is not None:
        chosen["network.proxy.type"] = 1
        chosen["network.proxy.allow_hijacking_localhost"] = True
        for scheme in ("http", "ssl"):
            chosen[f"network.proxy.{scheme}"] = "127.0.0.1"
            chosen[f"network.proxy.{scheme}_port"] = proxy.port
    lines = [f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in chosen.items()]
    (folder / "user.js").write_text("\n".join(lines) + "\n", "utf-8")


class Firefox:
    """Implements `Browser`. `trust`: PEM files of authorities that it trusts beside its own.

    Raises NotStarted with the browser's log.
    """

    name = "firefox"

    def __init__(
        self, proxy: Proxy | None = None, trust: tuple[Path, ...] = (), program: str | None = None
    ) -> None:
        self._proxy = proxy
        self._complaints: list[str] = []
        self._page_status = 0
        self._answered: set[str] = set()  # requests that have had their password
        self._look: Look | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        profile(folder, proxy)
        self._log = folder / "log.txt"
        command = [program or executable() or "firefox-esr", "--headless", "--no-remote"]
        command += ["--remote-debugging-port", "0", "--remote-allow-system-access"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--profile", str(folder)], stdout=log, stderr=log, cwd=folder
            )
        self.pid = self._process.pid
        self._connection: Connection | None = None
        try:
            self._connection = Connection(self._address(), self._event)
            self._prepare(trust)
        except Exception as problem:
            text = self._log.read_text("utf-8", "replace")[-LOG_TAIL:]
            self.close()
            raise NotStarted(f"{command[0]}: {problem}\n{text}") from problem

    def _address(self) -> str:
        """Where it listens for BiDi."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = LISTENING.search(self._log.read_text("utf-8", "replace"))
            if found:
                return found[1]
            if self._process.poll() is not None:
                raise ChildProcessError(f"it ended with {self._process.returncode}")
            time.sleep(0.05)
        raise TimeoutError(f"it did not listen within {START_SECONDS:g} s")

    def _prepare(self, trust: tuple[Path, ...]) -> None:
        """Find the window, subscribe, trust."""
        self._tab = self._call("browsingContext.getTree")["contexts"][0]["context"]
        scope = {"moz:scope": "chrome", "maxDepth": 0}
        self._window = self._call("browsingContext.getTree", **scope)["contexts"][0]["context"]
        self._call("session.subscribe", events=EVENTS)
        if self._proxy is not None and self._proxy.name is not None:
            self._call("network.addIntercept", phases=["authRequired"])
        for file in trust:
            for each in x509.load_pem_x509_certificates(file.read_bytes()):
                der = base64.b64encode(each.public_bytes(Encoding.DER)).decode()
                self._own(
                    "Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB)"
                    f".addCertFromBase64('{der}', 'CT,,') && true"
                )
        self.look(DESKTOP)

    def _call(self, method: str, **parameters: object) -> Json:
        if self._connection is None:
            raise RuntimeError("this Firefox has been closed")
        return self._connection.call(method, **parameters)

    def _event(self, method: str, event: Json) -> None:
        """Keep what the page complains about; sign in to the proxy once for each request."""
        request = event.get("request", {})
        url = request.get("url", "")
        if method == "network.authRequired":
            self._sign_in(request["request"])
        elif method == "log.entryAdded":
            if event["level"] == "error":
                self._complaints.append(f"{event['type']}: {event['text']}")
        elif method == "network.fetchError":
            if "NS_BINDING_ABORTED" not in event["errorText"]:
                self._complaints.append(f"{url}: {event['errorText']}")
        elif event.get("navigation") is not None:
            self._page_status = event["response"]["status"]
        elif event["response"]["status"] >= 400:
            self._complaints.append(f"{url}: {event['response']['status']}")

    def _sign_in(self, request: str) -> None:
        assert self._connection is not None
        answer: dict[str, object] = {"action": "cancel"}
        if self._proxy is not None and request not in self._answered:
            self._answered.add(request)
            who = {"username": self._proxy.name, "password": self._proxy.password}
            answer = {"action": "provideCredentials", "credentials": {"type": "password"} | who}
        self._connection.send("network.continueWithAuth", request=request, **answer)

    def _own(self, expression: str) -> Any:
        """The value of an expression in the browser's own scope."""
        return self._evaluate(self._window, expression)

    def _evaluate(self, context: str, expression: str) -> Any:
        # As text, because BiDi has a form of its own for nested values.
        wrapped = f"(async () => JSON.stringify({{value: await ({expression})}}))()"
        target = {"context": context}
        if context == self._tab and self._look is not None and not self._look.scripts:
            target["sandbox"] = "tests"  # may run where the page may not
        answer = self._call("script.evaluate", expression=wrapped, target=target, awaitPromise=True)
        if answer["type"] == "exception":
            raise AssertionError(f"{expression[:200]}: {answer['exceptionDetails']['text']}")
        return json.loads(answer["result"]["value"]).get("value")

    def look(self, look: Look) -> None:
        if look == self._look:
            return
        self._look = look
        # 0 is dark, 1 is light; 2 is always the person's own colours, 1 never.
        chosen = {
            "layout.css.prefers-color-scheme.content-override": 0 if look.dark else 1,
            "ui.prefersReducedMotion": int(look.reduced_motion),
            "browser.display.document_color_use": 2 if look.forced_colors else 1,
        }
        lines = [f"Services.prefs.setIntPref('{key}', {value})" for key, value in chosen.items()]
        scripts = f"gBrowser.selectedBrowser.browsingContext.allowJavascript = {str(look.scripts).lower()}"
        self._own(f"({', '.join(lines)}, {scripts}, true)")
        size = {"width": look.width, "height": look.height}
        self._call("browsingContext.setViewport", context=self._tab, viewport=size)
        self.wait(media(look), f"the look {look}")

    def open(self, url: str) -> int:
        # A fresh window has the focus in its address bar, and its pages show no rings.
        self._own("(Services.console.reset(), gBrowser.selectedBrowser.focus(), true)")
        self._complaints.clear()
        self._page_status = 0
        try:
            self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")
        except Refused as problem:
            raise NotOpened(str(problem)) from problem
        return self._page_status

    def evaluate(self, expression: str) -> Any:
        return self._evaluate(self._tab, expression)

    def wait(self, expression: str, what: str) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while not self._is_true(expression):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {ANSWER_SECONDS:g} s in vain for {what}")
            time.sleep(0.02)

    def _is_true(self, expression: str) -> bool:
        try:
            return bool(self.evaluate(expression))
        except (AssertionError, Refused):  # between two pages
            return False

    def click(self, selector: str) -> None:
        found = self._call(
            "browsingContext.locateNodes",
            context=self._tab,
            locator={"type": "css", "value": selector},
            maxNodeCount=1,
        )["nodes"]
        assert found, f"nothing fits {selector}"
        self.evaluate(
            f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})"
        )
        origin = {"type": "element", "element": {"sharedId": found[0]["sharedId"]}}
        self._perform(
            "pointer",
            [
                {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
                {"type": "pointerDown", "button": 0},
                {"type": "pointerUp", "button": 0},
            ],
        )

    def type(self, text: str) -> None:
        self._perform("key", [step for each in text for step in _stroke(each)])

    def press(self, key: str) -> None:
        *held, last = key.split("+") if key != "+" else [key]
        down, up = ([_key(kind, KEYS[each]) for each in held] for kind in ("keyDown", "keyUp"))
        self._perform("key", [*down, *_stroke(KEYS.get(last, last)), *reversed(up)])

    def _perform(self, kind: str, steps: list[dict[str, object]]) -> None:
        source = {"type": kind, "id": kind, "actions": steps}
        self._call("input.performActions", context=self._tab, actions=[source])

    def screenshot(self, path: Path) -> None:
        self.evaluate(SETTLED)
        taken = self._call(
            "browsingContext.captureScreenshot", context=self._tab, origin="document"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def complaints(self) -> list[str]:
        return [*self._complaints, *self._own(SECURITY_MESSAGES)]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._folder.cleanup()


# What the security policy of a page stops is no entry of BiDi's log.
SECURITY_MESSAGES = """
Services.console.getMessageArray()
  .filter(each => each instanceof Ci.nsIScriptError && each.category.startsWith("CSP"))
  .map(each => `${each.category}: ${each.errorMessage}`)
"""


def _key(kind: str, value: str) -> dict[str, object]:
    return {"type": kind, "value": value}


def _stroke(value: str) -> list[dict[str, object]]:
    return [_key("keyDown", value), _key("keyUp", value)]
