"""Loads a model file and runs its self-test. The start, the reload and `python -m serve.selftest` call
`load_runtime`.

Self-test: the readers of every request format must give the golden rows their answers; no HTTP is involved.
"""

from __future__ import annotations

import csv
import ctypes
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from starlette.requests import Request

from model.contract import EXPORT_AGAIN, ContractError
from model.loading import GOLDEN_TOLERANCE, load_model, read_file
from model.session import Model
from serve.api import examples
from serve.api.inference import read_infer
from serve.api.openapi import describe
from serve.api.routes import ENDPOINTS
from serve.api.score import BodyReader, read_predict, read_score, score_without_limit
from serve.runtime import Runtime
from serve.settings import Settings

if TYPE_CHECKING:
    from decisions.store import ModelFile


def load_runtime(source: Path | bytes, settings: Settings) -> Runtime:
    """Load a model file, or its bytes, and run the self-test; raises ContractError."""
    with _as_contract_error("loading it"):
        content = source if isinstance(source, bytes) else read_file(source)
        model = load_model(content)
        file = _describe_file(model, content) if settings.decisions_url else None
    del content
    release_memory()
    return make_runtime(model, settings, file)


def release_memory() -> None:
    """Give memory that loading has freed back to the system: glibc keeps it, 240 MB for a file with large tables."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def _describe_file(model: Model, content: bytes) -> ModelFile:
    from decisions.model_files import describe_file

    return describe_file(model, content)


def make_runtime(model: Model, settings: Settings, file: ModelFile | None = None) -> Runtime:
    """The runtime of a loaded model, with its file where decisions are recorded.

    Raises ContractError if the model fails the self-test.
    """
    # By default numpy only warns of points that overflow.
    with _as_contract_error("answering its golden rows"), np.errstate(over="raise", invalid="raise"):
        runtime = Runtime(model, settings, describe_api=partial(describe, endpoints=ENDPOINTS), file=file)
        _answer_golden_rows(runtime)
    return runtime


@contextmanager
def _as_contract_error(step: str) -> Iterator[None]:
    try:
        yield
    except ContractError:
        raise
    except Exception as error:
        # Any exception here would be raised for real applicants too.
        raise ContractError(
            f"the model file can't be served: {step} ends in {type(error).__name__}: {error}; {EXPORT_AGAIN}"
        ) from error


def _answer_golden_rows(runtime: Runtime) -> None:
    """Score every golden row as JSON, and the examples of the API documentation in every request format."""
    golden = runtime.model.contract.golden
    for row, expected in zip(golden.applicants, golden.probability, strict=True):
        named = {"applicants": [examples.name_values(row, runtime)], "reasons": len(runtime.fields)}
        for response in _score(runtime, read_score, msgspec.json.encode(named)):
            _compare("POST /score", msgspec.json.decode(response)["results"][0]["probability"], expected)
        for response in _score(runtime, read_predict, msgspec.json.encode({"data": [row]})):
            _compare("POST /predict", msgspec.json.decode(response)[0], expected)
    expected = golden.probability[golden.applicants.index(examples.typical_row(runtime))]
    for response in _score(runtime, read_score, msgspec.json.encode(examples.score(runtime))):
        _compare("POST /score", msgspec.json.decode(response)["results"][0]["probability"], expected)
    for response in _score(runtime, read_score, examples.table(runtime).encode(), b"text/csv"):
        (result,) = csv.DictReader(io.StringIO(response.decode(), newline=""))
        _compare("CSV", float(result["probability"]), expected)
    for body in chain(*examples.predict_shapes(runtime).values()):
        for response in _score(runtime, read_predict, msgspec.json.encode(body)):
            _compare("POST /predict", msgspec.json.decode(response)[0], expected)
    for response in _score(runtime, read_infer, msgspec.json.encode(examples.infer(runtime))):
        _compare("inference", msgspec.json.decode(response)["outputs"][0]["data"][0], expected)
    runtime.model.contract.policy.score_points([0.0, 1.0])


def _score(runtime: Runtime, read: BodyReader, body: bytes, content_type: bytes = b"") -> Iterator[bytes]:
    """The responses to a body of one applicant: on the path of the event loop, and on that of the thread."""
    request = Request(
        {"type": "http", "headers": [(b"content-type", content_type)], "path_params": {}, "query_string": b""}
    )
    job = read(runtime, request, body, False)
    scores = runtime.row_session.score(job.rows[0], explain=job.reasons > 0)
    yield bytes(job.respond(runtime.row_session.row, scores, None).body)
    yield bytes(score_without_limit(runtime, request, body, read).response.body)


def _compare(path: str, given: float, expected: float) -> None:
    if not abs(given - expected) <= GOLDEN_TOLERANCE:
        raise ContractError(
            f"the model file answers a golden row through {path} with probability {given!r}, expected {expected!r}; "
            f"don't serve it: {EXPORT_AGAIN}"
        )
