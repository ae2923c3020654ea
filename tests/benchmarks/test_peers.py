"""The environment of every peer can be made again: its libraries are pinned."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from benchmarks.serve.environments import read_versions
from benchmarks.serve.peers import PEERS, Peer

OTHER_PEERS = [peer for peer in PEERS.values() if peer.has_own_environment]


@pytest.mark.parametrize("peer", OTHER_PEERS, ids=lambda peer: peer.name)
def test_every_library_is_pinned(peer: Peer) -> None:
    """Otherwise a measurement could not be repeated."""
    lines = (peer.folder / "requirements.txt").read_text().splitlines()

    assert all(re.match(r"(\s*#|[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+)", line) for line in lines)


@pytest.mark.parametrize("peer", PEERS.values(), ids=lambda peer: peer.name)
def test_the_versions_of_the_main_libraries_are_read(peer: Peer) -> None:
    """As the comparison shows them."""
    versions = read_versions(peer)

    assert list(versions) == list(peer.libraries)
    assert all(re.match(r"\d+\.\d+", version) for version in versions.values())


def test_all_peers_have_our_scikit_learn() -> None:
    """So that the pickle, made here, gives the same probabilities in all of them."""
    versions = {read_versions(peer)["scikit-learn"] for peer in OTHER_PEERS if "scikit-learn" in peer.libraries}

    assert versions == {version("scikit-learn")}
