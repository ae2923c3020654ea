"""How a service is asked and how its answer is read: our compatible contract, and the Open Inference Protocol."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

Rows = list[list[float]]


@dataclass(frozen=True, slots=True)
class Request:
    """A body and the headers it needs beside Content-Type."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Protocol:
    """Where and how applicants are posted; `read` gives the probabilities of an answer's body."""

    path: str
    write: Callable[[Rows], Request]
    read: Callable[[bytes], list[float]]


def _read_v2(answer: bytes) -> list[float]:
    """The last column: a scikit-learn runtime gives the probabilities of both classes."""
    output = msgspec.json.decode(answer)["outputs"][0]
    width = output["shape"][1] if len(output["shape"]) > 1 else 1
    probabilities: list[float] = output["data"][width - 1 :: width]
    return probabilities


def _v2(rows: Rows) -> Request:
    tensor = {
        "name": "applicants",
        "shape": [len(rows), len(rows[0])],
        "datatype": "FP64",
        "data": [value for row in rows for value in row],
    }
    return Request(msgspec.json.encode({"inputs": [tensor], "outputs": [{"name": "predict_proba"}]}))


def _named(rows: Rows) -> Request:
    applicants = [dict(zip(name_fields(len(row)), row, strict=True)) for row in rows]
    return Request(msgspec.json.encode({"applicants": applicants, "reasons": 4}))


def _read_results(answer: bytes) -> list[float]:
    return [result["probability"] for result in msgspec.json.decode(answer)["results"]]


def _binary(rows: Rows) -> Request:
    raw = array("d", [value for row in rows for value in row]).tobytes()
    tensor = {
        "name": "applicants",
        "shape": [len(rows), len(rows[0])],
        "datatype": "FP64",
        "parameters": {"binary_data_size": len(raw)},
    }
    wanted = {"name": "probability", "parameters": {"binary_data": True}}
    head = msgspec.json.encode({"inputs": [tensor], "outputs": [wanted]})
    return Request(head + raw, {"Inference-Header-Content-Length": str(len(head))}, "application/octet-stream")


def _read_binary(answer: bytes) -> list[float]:
    # Where the JSON ends is in a header of the answer; its end can be found without.
    _, end = json.JSONDecoder().raw_decode(answer.decode("latin-1"))
    return array("d", answer[end:]).tolist()


def name_fields(count: int) -> list[str]:
    """The names of the fields of a synthetic model."""
    return [f"field_{number:03d}" for number in range(1, count + 1)]


PREDICT = Protocol("/predict", lambda rows: Request(msgspec.json.encode({"data": rows})), msgspec.json.decode)
V2 = Protocol("/v2/models/credit/infer", _v2, _read_v2)
SCORE = Protocol("/score", _named, _read_results)
BINARY = Protocol("/v2/models/credit/infer", _binary, _read_binary)
