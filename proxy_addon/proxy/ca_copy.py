"""A copy of the CA with which a supervisor began, for workers that start when the files of the CA
cannot be read any more: other sites have nothing to do with it, and devices trust what is signed
with the copy."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from proxy_addon.config.settings import Settings
from proxy_addon.proxy import ca
from proxy_addon.system import private_files

FOLDER: Final = "ca"  # in the folder that a supervisor and its workers share
_TRUST: Final = "trust.pem"  # what sites are checked with, where the office has a CA of its own


def keep(settings: Settings, shared: Path) -> None:
    """Copy the CA, checked as a whole, and what sites are checked with. Raises CaError, OSError;
    the copy of before stays then."""
    ca.checked(settings.confdir)
    place = shared / FOLDER
    private_files.make_folder(place)
    for file in (ca.key, ca.certificate, ca.parameters):
        private_files.replace(file(place), file(settings.confdir).read_bytes())
    if (trust := ca.trusted(settings.confdir, settings.upstream_ca)) is not None:
        private_files.replace(place / _TRUST, trust.read_bytes())


def with_copy(settings: Settings, shared: Path) -> Settings | None:
    """The same settings with the copy in place of the CA; None where there is none."""
    place = shared / FOLDER
    if not ca.found(place):
        return None
    changed = {"confdir": place}
    if settings.upstream_ca is not None:
        changed["upstream_ca"] = place / _TRUST
    return settings.model_copy(update=changed)
