"""The pages of `allowance.internal` that nobody has to sign in for: those that set a device up.

They say nothing about any person. What is not named here is asked for with a name: a path is open
exactly as it is written here, in no other spelling.
"""

from __future__ import annotations

from typing import Final

HOST: Final = "allowance.internal"  # of our own pages
ADDRESS: Final = f"http://{HOST}"
SECURE_ADDRESS: Final = f"https://{HOST}"

DEVICE: Final = "/device"
CHECK: Final = "/device/check"
MANAGED: Final = "/device/managed"
FIREFOX: Final = "/device/firefox/policies.json"
CHROME: Final = "/device/chrome/allowance.json"
PROFILE: Final = "/allowance.mobileconfig"
CERTIFICATE: Final = "/certificate"
PEM: Final = "/ca.pem"
DER: Final = "/ca.cer"
NEXT_PEM: Final = "/ca-next.pem"
NEXT_DER: Final = "/ca-next.cer"
PAC: Final = "/proxy.pac"
WPAD: Final = "/wpad.dat"
HELP: Final = "/help"

OPEN: Final = frozenset(
    {
        DEVICE,
        CHECK,
        MANAGED,
        FIREFOX,
        CHROME,
        PROFILE,
        CERTIFICATE,
        PEM,
        DER,
        NEXT_PEM,
        NEXT_DER,
        PAC,
        WPAD,
        HELP,
    }
)
SIGN_IN: Final = "/device/sign-in"  # asks for a name, and leads back to the page

_METHODS: Final = frozenset({"GET", "HEAD"})


def is_open(method: str, target: bytes) -> bool:
    """Whether a request may be answered for somebody without a name. `target`: path and query as
    they were sent, still quoted."""
    path = target.partition(b"?")[0]
    return method in _METHODS and path.isascii() and path.decode("ascii") in OPEN
