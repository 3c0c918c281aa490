"""The page that sets a device up, as its template needs it: four ticks, and the steps of a
system."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

import segno
from markupsafe import Markup

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.presentation import open_pages
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import ngettext
from proxy_addon.web import device_steps as steps
from proxy_addon.web import downloads
from proxy_addon.web.device_systems import System
from proxy_addon.web.employee_view import Visitor

_LAST_SIGNS: Final = 11  # of a fingerprint: four pairs, three colons


class TickState(StrEnum):
    """How far one of the things is that a device needs; the value stands in the page."""

    DONE = "done"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Tick(NamedTuple):
    """One of them. `texts`: what it says in each state that it can have; `check`: an address that
    answers a script of the page once it is done, "" for none; `href` and `action`: what to do about
    it."""

    key: str
    state: TickState
    title: str
    texts: dict[TickState, str]
    href: str = ""
    action: str = ""
    check: str = ""
    is_main: bool = False


class Headings(NamedTuple):
    """The heading for each number of missing things, from none on, and the one for when something
    has not been checked."""

    by_number: tuple[str, ...]
    unknown: str

    def of(self, ticks: Sequence[Tick]) -> str:
        """The one that holds now."""
        missing = sum(tick.state is TickState.MISSING for tick in ticks)
        if not missing and any(tick.state is TickState.UNKNOWN for tick in ticks):
            return self.unknown
        return self.by_number[missing]


class SystemLink(NamedTuple):
    """The same page for another system."""

    href: str
    title: str
    is_shown: bool


class SeenDevice(NamedTuple):
    """What is known of the device and of the way in which it reaches us. `host`: the address at
    which it reaches the proxy, None where nobody can tell; `script`: that of the automatic
    configuration; `secure`: this page came over TLS."""

    system: System | None
    browser: str
    host: str | None
    script: str | None
    page: str | None
    secure: bool


class DistrustNote(NamedTuple):
    """What a device's own connections say about our certificate: the platform that could not be
    opened, by its title ("" for our own pages), and when. Shown by `distrust.html`, too."""

    platform: str
    at: str


class PolicyTick(NamedTuple):
    """Whether the written policy has been read, and how many minutes it takes."""

    is_done: bool
    minutes: int


class NextCertificate(NamedTuple):
    """The certificate of the CA that stands ready: as files, and its fingerprint."""

    downloads: tuple[steps.Download, ...]
    fingerprint: str


def next_certificate(pem: bytes, system: System | None) -> NextCertificate:
    """For one system; None: for all."""
    return NextCertificate(steps.next_downloads(system), downloads.fingerprint(pem))


class DevicePage(NamedTuple):
    """The page. `code`: a QR code of `address` for phones, None where a phone cannot open it."""

    headings: Headings
    heading: str
    lead: str
    ticks: tuple[Tick, ...]
    system: System
    is_guess: bool
    download: steps.Download
    certificate_steps: Sequence[str]
    proxy_steps: Sequence[str]
    caveat: str
    systems: tuple[SystemLink, ...]
    fingerprint: str
    last_signs: str
    code: Markup | None
    address: str | None
    is_through: bool
    following: NextCertificate | None


def device_page(
    device: SeenDevice,
    who: Visitor | None,
    rules: RuleSet,
    policy: PolicyTick | None,
    fingerprint: str,
    distrust: DistrustNote | None,
    following: NextCertificate | None = None,
) -> DevicePage:
    """`who`: as the proxy knows them; None where the page did not come through it. `policy`: None
    where there is none for them. `distrust`: what connections of this device say about our
    certificate. `following`: the one that stands ready for a change."""
    system = device.system or System.WINDOWS
    through = who is not None and not who.direct
    ticks = tuple(
        filter(
            None,
            (
                _proxy(through),
                _signed_in(who, through=through),
                _certificate(device, system, rules, distrust, through=through),
                _policy(who, policy, rules, through=through),
            ),
        )
    )
    headings = _headings(len(ticks))
    named = ", ".join(filter(None, (system.label, device.browser)))
    return DevicePage(
        headings=headings,
        heading=headings.of(ticks),
        lead=named if device.system is not None else "",
        ticks=ticks,
        system=system,
        is_guess=device.system is None,
        download=steps.download(system),
        certificate_steps=steps.certificate_steps(system, device.browser),
        proxy_steps=steps.proxy_steps(system, device.browser, device.script)
        if device.script
        else (),
        caveat=steps.caveat(system),
        systems=tuple(
            SystemLink(f"{open_pages.DEVICE}?system={each.value}", each.label, each is system)
            for each in System
        ),
        fingerprint=fingerprint,
        last_signs=fingerprint[-_LAST_SIGNS:],
        code=None if device.page is None else _code(device.page),
        address=device.page,
        is_through=through,
        following=following,
    )


def _headings(most: int) -> Headings:
    by_number = (
        _("This device is ready"),
        _("One thing is missing on this device"),
        _("Two things are missing on this device"),
        _("Three things are missing on this device"),
        _("Four things are missing on this device"),
    )
    return Headings(by_number[: most + 1], _("Set up this device"))


def _proxy(through: bool) -> Tick:
    return Tick(
        "proxy",
        TickState.DONE if through else TickState.MISSING,
        _("Proxy"),
        {
            TickState.DONE: _("You are behind it: this page came through."),
            TickState.MISSING: _("This browser does not use it yet: see the steps below."),
        },
        href="" if through else open_pages.ADDRESS + open_pages.DEVICE,
        action="" if through else _("Check it"),
        check="" if through else open_pages.ADDRESS + open_pages.CHECK,
    )


def _signed_in(who: Visitor | None, *, through: bool) -> Tick:
    title, state, action = _("Signed in"), TickState.DONE, ""
    if who is None or not through:
        state, text = TickState.UNKNOWN, _("The proxy asks for your name, if your office wants it.")
    elif who.newcomer:
        state, action = TickState.MISSING, _("Sign in")
        text = _("Not yet: the proxy does not know who you are.")
    elif who.signed_in:
        title = _("Signed in as %(name)s") % {"name": who.name}
        text = _(
            "Minutes are your own, on every device. Not you? Close every window of this browser, "
            "and sign in again."
        )
    elif who.identified:
        title = _("Known as %(name)s") % {"name": who.name}
        text = _("Your office knows this device by its address. Nobody has to sign in.")
    else:
        title = _("Nobody has to sign in")
        text = _("Minutes are counted for this device.")
    href = open_pages.SIGN_IN if action else ""
    return Tick("name", state, title, {state: text}, href, action, is_main=bool(action))


def _certificate(
    device: SeenDevice,
    system: System,
    rules: RuleSet,
    distrust: DistrustNote | None,
    *,
    through: bool,
) -> Tick:
    state = TickState.UNKNOWN if distrust is None else TickState.MISSING
    if device.secure and through:
        state = TickState.DONE
    titles = sorted(rules.platforms[name].title for name in rules.limited)
    warning = _("Not trusted yet: limited platforms show a warning.")
    if distrust is not None and distrust.platform:
        warning = _("Not trusted yet: %(platform)s could not be opened at %(time)s.") % {
            "platform": distrust.platform,
            "time": distrust.at,
        }
    elif titles:
        warning = _(
            "Not trusted yet: %(platform)s and whatever else is limited show a warning."
        ) % {"platform": titles[0]}
    return Tick(
        "certificate",
        state,
        _("Certificate"),
        {
            TickState.DONE: _("Trusted: your browser opens our pages over TLS."),
            TickState.MISSING: warning,
            TickState.UNKNOWN: _("Not checked yet."),
        },
        href=steps.download(system).href,
        action=_("Get it for %(system)s") % {"system": system.label},
        check=open_pages.SECURE_ADDRESS + open_pages.CHECK if through else "",
        is_main=True,
    )


def _policy(
    who: Visitor | None, policy: PolicyTick | None, rules: RuleSet, *, through: bool
) -> Tick | None:
    if not rules.notices:
        return None
    title = _("Policy")
    if who is None or not through or who.newcomer:
        text = _("To be read once you are signed in.")
        return Tick("policy", TickState.UNKNOWN, title, {TickState.UNKNOWN: text})
    if policy is None or policy.is_done:
        text = _("There is nothing for you to read.") if policy is None else _("You have read it.")
        return Tick("policy", TickState.DONE, title, {TickState.DONE: text})
    text = ngettext(
        "To be read before the first visit. %(n)d minute.",
        "To be read before the first visit. %(n)d minutes.",
        policy.minutes,
    ) % {"n": policy.minutes}
    missing = {TickState.MISSING: text}
    return Tick("policy", TickState.MISSING, title, missing, "/policy", _("Read"))


@lru_cache(maxsize=64)
def _code(address: str) -> Markup:
    """A QR code of an address, as SVG: black on white in every colour scheme, or phones do not read
    it."""
    made = segno.make_qr(address, error="m")
    drawn = made.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True)
    return Markup(drawn)  # noqa: S704 - drawn by the library: nothing but numbers in it


def reachable_page(host: str | None, authority: str | None) -> str | None:
    """The address of this page for a device that does not use the proxy; None where no other device
    can open it. `authority`: host and port as they stand in a URL."""
    if host is None or authority is None or downloads.is_loopback(host):
        return None
    return f"http://{authority}{open_pages.DEVICE}"
