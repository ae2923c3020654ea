"""The output of `python -m score --inputs`, checked: each row is answered again by the model file that scored it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from decisions.ids import is_id
from decisions.reading import EPOCH, MICROSECOND
from decisions.record import Answer
from model.contract import ContractError
from model.loading import load_model
from model.messages import quote_value
from model.policy import DECISIONS, Policy
from model.results import MONEY, list_scalars, score_columns
from model.session import Matrix, Model

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

TYPES = {"probability": "double", "decision": "string", "points": "int64", "decision_id": "string", "inputs": "list"}
"""Columns beside the id, which may have any type, with the beginning of their type's name in Arrow."""

AMOUNTS, RULES = dict.fromkeys(MONEY, "double"), {"rules": "string"}
"""Further columns of a model whose policy is in money, and of one with rules; they may be null."""

READ_BYTES = 1 << 18
"""Buffer size for each column; whole row groups can be larger than memory."""

INDEX_OF: dict[str, int] = {word: index for index, word in enumerate(DECISIONS)}


class InvalidScores(Exception):
    """Scores can't be imported; the message says which, why, and what to do."""


class PortfolioScores(Struct, frozen=True):
    """A finished output, and the model file that made it, with its bytes.

    `reasons`: how many were asked for. `time`: when the run ended, microseconds since 1970.
    """

    files: list[Path]
    n_rows: int
    reasons: int
    time: int
    model: Model
    content: bytes


class _Job(Struct, frozen=True):
    model_name: str
    model_version: str
    model_sha256: str
    reasons: int


class _Counts(Struct, frozen=True):
    scored: int


class _Manifest(Struct, frozen=True):
    """What is read of manifest.json, which score/manifest.py describes."""

    job: _Job
    rows: _Counts
    finished_at: Annotated[datetime, Meta(tz=True)]


def open_scores(out: Path, model_file: Path) -> PortfolioScores:
    """Check an output as a whole, and that it is of this model file; raises InvalidScores."""
    manifest = _read_manifest(out)
    model, content = _load_model(model_file)
    job = manifest.job
    if model.sha256 != job.model_sha256:
        raise InvalidScores(
            f"{out} was scored by model {job.model_name} {job.model_version} with the SHA-256 {job.model_sha256}, but "
            f"{model_file} has {model.sha256}; choose the other file with --model"
        )
    files = sorted((out / "scores").glob("*.parquet"))
    n_rows = 0
    for path in files:
        with _open(path, model) as file:
            n_rows += file.metadata.num_rows
    if n_rows != manifest.rows.scored:
        raise _changed(f"{out}/scores", f"{n_rows:,} rows, expected {manifest.rows.scored:,} as in manifest.json")
    return PortfolioScores(files, n_rows, job.reasons, (manifest.finished_at - EPOCH) // MICROSECOND, model, content)


def read_answers(scores: PortfolioScores, batch_rows: int) -> Iterator[Answer]:
    """The rows in portions of at most so many; raises InvalidScores for one that isn't what the model decides."""
    for path in scores.files:
        first = 1
        for batch in _read_batches(path, scores.model, batch_rows):
            yield _make_answer(batch, [f"{path}, row {first + row}" for row in range(batch.num_rows)], scores)
            first += batch.num_rows


def _read_manifest(out: Path) -> _Manifest:
    if not (out / "_SUCCESS").exists():
        raise InvalidScores(f"{out} holds no finished scores, expected the OUT of python -m score --inputs")
    try:
        return msgspec.json.decode((out / "manifest.json").read_bytes(), type=_Manifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidScores(
            f"{out}/manifest.json can't be read ({error}); score again into another OUT with --inputs"
        ) from error


def _load_model(path: Path) -> tuple[Model, bytes]:
    try:
        content = path.read_bytes()
        return load_model(content), content
    except OSError as error:
        raise InvalidScores(f"can't read the model {path}: {error.strerror}; choose another with --model") from error
    except ContractError as error:
        raise InvalidScores(f"can't use the model {path}: {error}") from error


def _list_types(policy: Policy) -> dict[str, str]:
    return TYPES | (AMOUNTS if policy.money is not None else {}) | (RULES if policy.rules else {})


def _open(path: Path, model: Model) -> ParquetFile:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise InvalidScores(f"Parquet needs pyarrow ({error}): pip install -r requirements/decisions.txt") from error
    try:
        file = parquet.ParquetFile(path, buffer_size=READ_BYTES, pre_buffer=False)
    except (ArrowException, OSError) as error:
        raise _damaged(path, error) from error
    found = {field.name: str(field.type) for field in file.schema_arrow}
    types = _list_types(model.contract.policy)
    if absent := [name for name in ("id", *types) if name not in found]:
        raise InvalidScores(f"{path} has no column {', '.join(absent)}; score again into another OUT with --inputs")
    for name, kind in types.items():
        if not found[name].startswith(kind):
            raise _changed(str(path), f"column {name} is of type {found[name]}, expected {kind}")
    return file


def _read_batches(path: Path, model: Model, batch_rows: int) -> Iterator[pa.RecordBatch]:
    with _open(path, model) as file:
        from pyarrow import ArrowException

        try:
            yield from file.iter_batches(batch_rows, columns=["id", *_list_types(model.contract.policy)])
        except (ArrowException, OSError) as error:
            raise _damaged(path, error) from error


def _make_answer(batch: pa.RecordBatch, places: Sequence[str], scores: PortfolioScores) -> Answer:
    """`places`: how each row is named in a message."""
    for name in TYPES:
        _check(batch.column(name).is_null().to_numpy(zero_copy_only=False), places, f"{name} is missing")
    decision_ids = batch.column("decision_id").to_pylist()
    for place, text in zip(places, decision_ids, strict=True):
        if not is_id(text):
            raise _changed(place, f"decision_id is {quote_value(text)}, expected a UUID")
    inputs = _read_inputs(batch.column("inputs"), scores.model, places)
    probability, points = (batch.column(name).to_numpy() for name in ("probability", "points"))
    words = batch.column("decision").to_pylist()
    _check(~np.isfinite(probability), places, "the probability isn't a number")
    _check_decisions(inputs, batch, scores.model, places)
    return Answer(
        decision_ids=decision_ids,
        time=scores.time,
        model=scores.model.sha256,
        ids=[_give_id(value) for value in batch.column("id").to_pylist()],
        inputs=inputs.tolist(),
        probability=probability.tolist(),
        decision=words,
        points=points.tolist(),
        reasons=scores.reasons,
    )


def _read_inputs(column: pa.Array, model: Model, places: Sequence[str]) -> Matrix:
    """The inputs, float64, shape (n, n_fields), NaN = missing."""
    width = len(model.contract.fields)
    _check(column.value_lengths().to_numpy() != width, places, f"inputs hasn't {width} numbers, one for each field")
    inputs: Matrix = column.flatten().to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, width)
    _check(np.asarray(np.isinf(inputs).any(axis=1)), places, "inputs has an infinity")
    return inputs


def _check_decisions(inputs: Matrix, batch: pa.RecordBatch, model: Model, places: Sequence[str]) -> None:
    """Raise InvalidScores for a row whose scalars or rules aren't those of the model, to the bit."""
    policy = model.contract.policy
    names = [*list_scalars(policy), *(RULES if policy.rules else {})]
    given = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in names}
    given["decision"] = np.array([INDEX_OF.get(word, -1) for word in batch.column("decision").to_pylist()])

    def find_others(rows: slice) -> npt.NDArray[np.int64]:
        applicants = inputs[rows]
        scores = model.score(applicants)
        expected = score_columns(scores.probability, scores.decision, policy, applicants)
        if policy.rules:
            decided = policy.list_deciding_rules(scores.decision, applicants)
            texts = ["; ".join(rule.name for rule in rules) or None for rules in decided]
            expected["rules"] = np.array(texts, np.object_)
        return np.flatnonzero(~np.logical_and.reduce([_is_same(expected[name], given[name][rows]) for name in names]))

    # A row of which a batch gives another last bit counts by what it gives alone, as it does when it is replayed.
    for row in find_others(slice(None)).tolist():
        if find_others(slice(row, row + 1)).size:
            answer = ", ".join(f"{name} {batch.column(name)[row]}" for name in names)
            raise _changed(places[row], f"{answer}, which isn't what the model gives for its inputs on this machine")


def _is_same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Numbers to the bit, any NaN being the same; texts."""
    if one.dtype == np.object_:
        return np.asarray(one == other)
    return np.asarray((one.view(np.int64) == other.view(np.int64)) | (one != one) & (other != other))


def _check(is_bad: npt.NDArray[np.bool_], places: Sequence[str], what: str) -> None:
    """Raise InvalidScores for the first bad row."""
    if is_bad.any():
        raise _changed(places[int(is_bad.argmax())], what)


def _give_id(value: Any) -> str | int | None:
    """An id as POST /score takes it: a whole number, or a text."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if isinstance(value, str) or type(value) is int or value is None else str(value)


def _changed(place: str, what: str) -> InvalidScores:
    return InvalidScores(f"{place}: {what}: the scores were changed; score again")


def _damaged(path: Path, error: Exception) -> InvalidScores:
    return InvalidScores(f"{path} can't be read as Parquet ({error}); score again")
