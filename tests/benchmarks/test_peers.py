"""Who is measured can be built again: a service, pinned libraries, versions to tell."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from benchmarks.serve.environments import read_versions
from benchmarks.serve.peers import PEERS, Peer

OTHERS = [peer for peer in PEERS.values() if peer.has_own_environment]


@pytest.mark.parametrize("peer", OTHERS, ids=lambda peer: peer.name)
def test_every_library_is_pinned(peer: Peer) -> None:
    """A measurement of moving versions can't be repeated."""
    lines = (peer.folder / "requirements.txt").read_text().splitlines()

    assert all(re.match(r"(\s*#|[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+)", line) for line in lines)


@pytest.mark.parametrize("peer", PEERS.values(), ids=lambda peer: peer.name)
def test_versions_are_told(peer: Peer) -> None:
    """Of each library that the comparison names."""
    versions = read_versions(peer)

    assert list(peer.libraries) == list(versions)
    assert all(re.match(r"\d+\.\d+", version) for version in versions.values())


def test_everybody_has_the_same_scikit_learn() -> None:
    """A pickle answers the same in all of them, and here, where it is made."""
    versions = {read_versions(peer)["scikit-learn"] for peer in OTHERS if "scikit-learn" in peer.libraries}

    assert {version("scikit-learn")} == versions
