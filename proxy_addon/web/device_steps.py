"""What somebody does on each system to use the proxy, and to trust its certificate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from proxy_addon.presentation import open_pages
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.web.device_systems import FIREFOX, System


class Download(NamedTuple):
    """The file with the certificate that a system takes."""

    href: str
    name: str


_DER = Download(open_pages.DER, "allowance-ca.cer")
_PEM = Download(open_pages.PEM, "allowance-ca.pem")
NEXT_DER = Download(open_pages.NEXT_DER, "allowance-ca-next.cer")
NEXT_PEM = Download(open_pages.NEXT_PEM, "allowance-ca-next.pem")
_PROFILE = Download(open_pages.PROFILE, "allowance.mobileconfig")


def has_own_store(system: System, browser: str) -> bool:
    """Whether this browser does not take the system's certificates."""
    return system is System.LINUX and browser == FIREFOX


def download(system: System) -> Download:
    """The certificate as the system takes it."""
    if system is System.IOS:
        return _PROFILE
    return _PEM if system in (System.LINUX, System.CHROMEOS) else _DER


def next_downloads(system: System | None) -> tuple[Download, ...]:
    """The certificate of the CA that stands ready, as the system takes it; None: in all forms. An
    Apple profile has both certificates."""
    if system is None:
        return (NEXT_DER, NEXT_PEM)
    found = download(system)
    return ({_DER: NEXT_DER, _PEM: NEXT_PEM}.get(found, found),)


def certificate_steps(system: System, browser: str) -> Sequence[str]:
    """What to do with the downloaded file, in order."""
    file = {"file": download(system).name}
    match system:
        case System.WINDOWS:
            return (
                _("Open the file %(file)s that you just got.") % file,
                _(
                    "Install Certificate → Local Machine → Place all certificates in the following "
                    "store → Trusted Root Certification Authorities."
                ),
                _("If Windows asks for an administrator, choose Current User instead."),
            )
        case System.MACOS:
            return (
                _("Open the file %(file)s: Keychain Access adds it to the System keychain.") % file,
                _("Open the certificate there, then Trust → Always Trust, and close the window."),
            )
        case System.IOS:
            return (
                _("Allow the download of %(file)s.") % file,
                _("Settings → Profile Downloaded → Install."),
                _(
                    "Settings → General → About → Certificate Trust Settings: switch the "
                    "certificate on."
                ),
            )
        case System.ANDROID:
            return (
                _(
                    "Settings → Security → Encryption & credentials → Install a certificate → CA "
                    "certificate."
                ),
                _("Choose the file %(file)s that you just got.") % file,
            )
        case System.CHROMEOS:
            return (
                _(
                    "Settings → Security and privacy → Manage certificates → Authorities → Import, "
                    "and choose %(file)s."
                )
                % file,
                _("Tick that it may identify websites."),
            )
        case System.LINUX:
            return _on_linux(browser, file)


def _on_linux(browser: str, file: dict[str, str]) -> Sequence[str]:
    if browser == FIREFOX:
        return (
            _(
                "Settings → Privacy & Security → View Certificates → Authorities → Import, and "
                "choose %(file)s."
            )
            % file,
            _("Tick that it may identify websites."),
        )
    return (
        _(
            "Settings → Privacy and security → Security → Manage certificates → Import, and choose "
            "%(file)s."
        )
        % file,
        _("Tick that it may identify websites."),
    )


def proxy_steps(system: System, browser: str, script: str) -> Sequence[str]:
    """How to give a system the address `script` of the automatic proxy configuration."""
    if has_own_store(system, browser):
        where = _(
            "Settings → General → Network Settings → Automatic proxy configuration URL, and enter:"
        )
        return (where, script)
    places = {
        System.WINDOWS: _(
            "Settings → Network & internet → Proxy → Use setup script → Set up, and enter:"
        ),
        System.MACOS: _(
            "System Settings → Network → your network → Details → Proxies → Automatic proxy "
            "configuration, and enter:"
        ),
        System.IOS: _(
            "Settings → Wi-Fi → the i beside your network → Configure Proxy → Automatic, and enter:"
        ),
        System.ANDROID: _(
            "Settings → Network & internet → your Wi-Fi → edit → Advanced options → Proxy → Proxy "
            "Auto-Config, and enter:"
        ),
        System.CHROMEOS: _(
            "Settings → Network → your Wi-Fi → Proxy → Automatic proxy configuration, and enter:"
        ),
        System.LINUX: _("Settings → Network → Proxy → Automatic, and enter:"),
    }
    return (places[system], script)


def caveat(system: System) -> str:
    """What does not work on a system all the same; "" for nothing."""
    if system is System.ANDROID:
        return _("Apps that have a list of authorities of their own do not use it; browsers do.")
    if system is System.WINDOWS or system is System.MACOS:
        return _("Firefox takes it from the system, too; older versions after a restart.")
    if system is System.LINUX:
        return _("Chrome and Firefox on Linux each have a list of their own.")
    return ""
