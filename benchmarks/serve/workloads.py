"""What is asked of the services: which model, how many applicants a body, over how many connections, of whom."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.serve.models import ASKED, Made
from benchmarks.serve.peers import PEERS, Peer
from benchmarks.serve.protocols import BINARY, SCORE, Protocol, Request

EVERYBODY = tuple(PEERS)
CROWD = 10_000
"""Rows of the bodies that are posted in the background."""

BODIES = 64
"""So many different bodies of one applicant take turns, so that no answer can be a remembered one."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of load; `protocol` None is each peer's own way to be asked for probabilities.

    `crowd`: rows of a body that further connections post over and over meanwhile, and that no figure counts.
    """

    name: str
    title: str
    model: str
    connections: int = 16
    rows: int = 1
    peers: tuple[str, ...] = EVERYBODY
    protocol: Protocol | None = None
    crowd: int = 0

    def protocol_of(self, peer: Peer) -> Protocol:
        """How a peer is asked."""
        return self.protocol or peer.protocol


BATCHES = tuple(name for name in PEERS if name != "limit")

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("logistic", "logistic, 23 fields", "logistic"),
        Workload("alone", "logistic, 23 fields, one connection", "logistic", connections=1),
        Workload("json", "1,000 rows × 23 a body, JSON", "logistic", 4, ASKED, BATCHES),
        Workload("binary", "1,000 rows × 23 a body, V2 binary", "logistic", 4, ASKED, ("limit", "ours"), BINARY),
        Workload("crowd", "one row beside bodies of 10,000", "logistic", peers=("ours",), crowd=CROWD),
        Workload("boosting", "400 trees, 23 fields", "boosting"),
        Workload("score", "/score, 400 trees, four reasons", "boosting", peers=("limit", "ours"), protocol=SCORE),
        Workload("wide", "logistic, 768 fields", "wide"),
    )
}
"""By name. 4 connections for large bodies: more would only wait longer."""


def write_bodies(workload: Workload, peer: Peer, made: Made) -> list[tuple[Request, list[float]]]:
    """The requests of a workload to a peer, and the probabilities that answer each."""
    write = workload.protocol_of(peer).write
    starts = range(0, min(len(made.rows), BODIES * workload.rows), workload.rows)
    pieces = [slice(start, start + workload.rows) for start in starts]
    return [(write(made.rows[piece]), made.probability[piece]) for piece in pieces]


def write_crowd(workload: Workload, peer: Peer, made: Made) -> Request:
    """The body that goes in the background."""
    repeats = -(-workload.crowd // len(made.rows))
    return workload.protocol_of(peer).write((made.rows * repeats)[: workload.crowd])
