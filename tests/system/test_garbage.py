"""Twin of proxy_addon/system/garbage.py."""

from __future__ import annotations

import gc

import pytest

from proxy_addon.system.garbage import no_collections


def test_nothing_is_collected_meanwhile() -> None:
    """Afterwards garbage is collected as before, also where the work has failed."""
    with pytest.raises(KeyError), no_collections():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    """Inside another one, the outer one ends it."""
    with no_collections():
        with no_collections():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
