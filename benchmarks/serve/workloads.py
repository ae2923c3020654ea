"""The workloads: model, rows of a body, connections, and the peers that are measured."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.serve.models import BATCH_ROWS, TrainedModel
from benchmarks.serve.peers import PEERS, Peer
from benchmarks.serve.protocols import BINARY, SCORE, Protocol, Request

ALL_PEERS = tuple(PEERS)
BACKGROUND_ROWS = 10_000
"""Rows of a body of the background load."""

MAX_BODIES = 64
"""Different bodies that are posted in turn, so that caching an answer does not help."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload; without a `protocol` each peer is asked in its own.

    `background`: rows of the bodies that further connections post meanwhile and that no figure counts.
    """

    name: str
    title: str
    model: str
    connections: int = 16
    rows: int = 1
    peers: tuple[str, ...] = ALL_PEERS
    protocol: Protocol | None = None
    background: int = 0

    def protocol_of(self, peer: Peer) -> Protocol:
        """The protocol that a peer is asked in."""
        return self.protocol or peer.protocol


BATCH_PEERS = tuple(name for name in PEERS if name != "bare_uvicorn")

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("logistic", "logistic, 23 fields", "logistic"),
        Workload("one_connection", "logistic, 23 fields, one connection", "logistic", connections=1),
        Workload("json", "1,000 rows × 23 a body, JSON", "logistic", 4, BATCH_ROWS, BATCH_PEERS),
        Workload(
            "binary", "1,000 rows × 23 a body, V2 binary", "logistic", 4, BATCH_ROWS, ("bare_uvicorn", "ours"), BINARY
        ),
        Workload(
            "background",
            "one row, bodies of 10,000 in the background",
            "logistic",
            peers=("ours",),
            background=BACKGROUND_ROWS,
        ),
        Workload("boosting", "400 trees, 23 fields", "boosting"),
        Workload(
            "score", "/score, 400 trees, four reasons", "boosting", peers=("bare_uvicorn", "ours"), protocol=SCORE
        ),
        Workload("wide", "logistic, 768 fields", "wide"),
    )
}
"""By name. Large bodies are posted over 4 connections: more would only wait longer."""


def write_bodies(workload: Workload, peer: Peer, trained: TrainedModel) -> list[tuple[Request, list[float]]]:
    """The requests of a workload to a peer, each with its expected probabilities."""
    write = workload.protocol_of(peer).write
    starts = range(0, min(len(trained.rows), MAX_BODIES * workload.rows), workload.rows)
    slices = [slice(start, start + workload.rows) for start in starts]
    return [(write(trained.rows[rows]), trained.probability[rows]) for rows in slices]


def write_background(workload: Workload, peer: Peer, trained: TrainedModel) -> Request:
    """The request of the background load."""
    repeats = -(-workload.background // len(trained.rows))
    return workload.protocol_of(peer).write((trained.rows * repeats)[: workload.background])
