"""Files that set devices up by themselves: a profile for Apple's systems, and policies for Firefox
and Chrome."""

from __future__ import annotations

import base64
import json
import plistlib
import uuid
from collections.abc import Sequence
from typing import Any, Final

from proxy_addon.presentation.languages import gettext as _
from proxy_addon.web import downloads

MAX_NETWORK: Final = 32  # bytes of the name of a Wi-Fi network
_IDENTIFIER: Final = "internal.allowance"
_SPACE: Final = uuid.NAMESPACE_DNS
_ROOTS: Final = (  # of the CA in use, and of the next one: a payload's name, and a file's
    ("certificate", "allowance-ca.cer"),
    ("certificate.next", "allowance-ca-next.cer"),
)


def network_named(text: str) -> str | None:
    """The name of a Wi-Fi network as it may stand in a profile; None when it cannot be one."""
    size = len(text.encode("utf-8", "replace"))
    return text if 0 < size <= MAX_NETWORK and text.isprintable() else None


def profile(pems: Sequence[bytes], office: str, script: str, network: str | None = None) -> bytes:
    """A configuration profile, as XML: the CA certificates as roots, and with `network` the proxy
    of that Wi-Fi network by the automatic configuration at `script`.

    A proxy for every network is for supervised devices only, which get it from their management.
    The same certificates always make the same profile, so that a newer one replaces it.
    """
    fingerprints = [downloads.fingerprint(pem) for pem in pems]
    fingerprint = "/".join(fingerprints)
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
            name,
            one,
            PayloadCertificateFileName=file,
            PayloadContent=downloads.to_der(pem),
        )
        for pem, one, (name, file) in zip(pems, fingerprints, _ROOTS, strict=False)
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


def firefox(script: str, *, has_next: bool = False) -> bytes:
    """`policies.json` for Firefox: the proxy, and the certificate, which has to lie where Firefox
    looks for it; `has_next`: that of the next CA, too."""
    files = ["allowance-ca.pem", *(["allowance-ca-next.pem"] if has_next else [])]
    policies = {
        "Certificates": {"ImportEnterpriseRoots": True, "Install": files},
        "Proxy": {"Mode": "autoConfig", "AutoConfigURL": script},
    }
    return _written({"policies": policies})


def chrome(script: str, pems: Sequence[bytes]) -> bytes:
    """A managed policy for Chrome, Chromium and Edge: the proxy, and the certificates, which
    newer versions take."""
    return _written(
        {
            "ProxySettings": {"ProxyMode": "pac_script", "ProxyPacUrl": script},
            "CACertificates": [
                base64.b64encode(downloads.to_der(pem)).decode("ascii") for pem in pems
            ],
        }
    )


def _written(policies: dict[str, Any]) -> bytes:
    return json.dumps(policies, indent=2).encode("ascii") + b"\n"
