"""Files that set devices up by themselves: a profile for Apple's systems, and policies for Firefox
and Chrome."""

from __future__ import annotations

import base64
import json
import plistlib
import uuid
from typing import Any, Final

from proxy_addon.presentation.languages import gettext as _
from proxy_addon.web import downloads

MAX_NETWORK: Final = 32  # bytes of the name of a Wi-Fi network
_IDENTIFIER: Final = "internal.allowance"
_SPACE: Final = uuid.NAMESPACE_DNS


def network_named(text: str) -> str | None:
    """The name of a Wi-Fi network as it may stand in a profile; None when it cannot be one."""
    size = len(text.encode("utf-8", "replace"))
    return text if 0 < size <= MAX_NETWORK and text.isprintable() else None


def profile(pem: bytes, office: str, script: str, network: str | None = None) -> bytes:
    """A configuration profile, as XML: the CA certificate as a root, and with `network` the proxy
    of that Wi-Fi network by the automatic configuration at `script`.

    A proxy for every network is for supervised devices only, which get it from their management.
    The same certificate always makes the same profile, so that a newer one replaces it.
    """
    fingerprint = downloads.fingerprint(pem)
    office = "".join(filter(str.isprintable, office))
    title = f"{office} · Allowance" if office else "Allowance"

    def payload(kind: str, name: str, of: str, **values: Any) -> dict[str, Any]:
        return {
            "PayloadType": kind,
            "PayloadVersion": 1,
            "PayloadIdentifier": f"{_IDENTIFIER}.{name}" if name else _IDENTIFIER,
            "PayloadUUID": str(uuid.uuid5(_SPACE, f"{_IDENTIFIER}/{name}/{of}")).upper(),
            "PayloadDisplayName": title,
            "PayloadOrganization": office or "Allowance",
            **values,
        }

    content = [
        payload(
            "com.apple.security.root",
            "certificate",
            fingerprint,
            PayloadCertificateFileName="allowance-ca.cer",
            PayloadContent=downloads.to_der(pem),
        )
    ]
    if network is not None:
        content.append(
            payload(
                "com.apple.wifi.managed",
                "wifi",
                f"{fingerprint}/{network}",
                SSID_STR=network,
                HIDDEN_NETWORK=False,
                AutoJoin=True,
                EncryptionType="Any",
                ProxyType="Auto",
                ProxyPACURL=script,
            )
        )
    whole = payload(
        "Configuration",
        "",
        fingerprint,
        PayloadContent=content,
        PayloadDescription=_("Trusts the certificate of your office's proxy."),
    )
    return plistlib.dumps(whole)


def firefox(script: str) -> bytes:
    """`policies.json` for Firefox: the proxy, and the certificate, which has to lie where Firefox
    looks for it."""
    policies = {
        "Certificates": {"ImportEnterpriseRoots": True, "Install": ["allowance-ca.pem"]},
        "Proxy": {"Mode": "autoConfig", "AutoConfigURL": script},
    }
    return _written({"policies": policies})


def chrome(script: str, pem: bytes) -> bytes:
    """A managed policy for Chrome, Chromium and Edge: the proxy, and the certificate, which
    newer versions take."""
    return _written(
        {
            "ProxySettings": {"ProxyMode": "pac_script", "ProxyPacUrl": script},
            "CACertificates": [base64.b64encode(downloads.to_der(pem)).decode("ascii")],
        }
    )


def _written(policies: dict[str, Any]) -> bytes:
    return json.dumps(policies, indent=2).encode("ascii") + b"\n"
