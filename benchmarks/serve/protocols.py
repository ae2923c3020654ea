"""Write requests and read responses: POST /predict, POST /score, and the Open Inference Protocol (V2)."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

Rows = list[list[float]]


@dataclass(frozen=True, slots=True)
class Request:
    """A body, its content type and further headers."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Protocol:
    """`write` makes a request of applicants; `read` gets the probabilities from a response body."""

    path: str
    write: Callable[[Rows], Request]
    read: Callable[[bytes], list[float]]


def _read_v2(body: bytes) -> list[float]:
    """The last column: MLServer's scikit-learn runtime returns the probabilities of both classes."""
    output = msgspec.json.decode(body)["outputs"][0]
    width = output["shape"][1] if len(output["shape"]) > 1 else 1
    probabilities: list[float] = output["data"][width - 1 :: width]
    return probabilities


def _write_v2(rows: Rows) -> Request:
    tensor = {
        "name": "applicants",
        "shape": [len(rows), len(rows[0])],
        "datatype": "FP64",
        "data": [value for row in rows for value in row],
    }
    return Request(msgspec.json.encode({"inputs": [tensor], "outputs": [{"name": "predict_proba"}]}))


def _write_score(rows: Rows) -> Request:
    applicants = [dict(zip(name_fields(len(row)), row, strict=True)) for row in rows]
    return Request(msgspec.json.encode({"applicants": applicants, "reasons": 4}))


def _read_score(body: bytes) -> list[float]:
    return [result["probability"] for result in msgspec.json.decode(body)["results"]]


def _write_binary(rows: Rows) -> Request:
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


def _read_binary(body: bytes) -> list[float]:
    # The length of the JSON is in a response header, which isn't needed to find its end.
    _, end = json.JSONDecoder().raw_decode(body.decode("latin-1"))
    return array("d", body[end:]).tolist()


def name_fields(count: int) -> list[str]:
    """The names of the fields of a synthetic model."""
    return [f"field_{number:03d}" for number in range(1, count + 1)]


PREDICT = Protocol("/predict", lambda rows: Request(msgspec.json.encode({"data": rows})), msgspec.json.decode)
V2 = Protocol("/v2/models/credit/infer", _write_v2, _read_v2)
SCORE = Protocol("/score", _write_score, _read_score)
BINARY = Protocol("/v2/models/credit/infer", _write_binary, _read_binary)
