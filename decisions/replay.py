"""Replay: recorded decisions are answered again by the model files that made them, and compared bit by bit.

What is said of decisions holds for shadows too: what a challenger would have decided.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

import msgspec
import numpy as np
from msgspec import Struct

from decisions.reading import write_period
from decisions.record import DecisionPayload, Kind, Record
from decisions.store import Store
from model.contract import ContractError
from model.loading import first_line, load_model
from model.policy import DECISIONS
from model.session import RUNTIME_ERRORS, Matrix, Model, Scores

MAX_LOADED_MODELS = 4

ROWS_AT_ONCE = 4_096

MAX_DIFFERENCES = 1_000
"""Decisions that a report names; all are counted."""

_decode = msgspec.json.Decoder(list[DecisionPayload]).decode


class ReplayError(Exception):
    """A decision can't be replayed; the message says why, and names the decision or its model."""


class ReplayedDecision(Struct, frozen=True):
    """A decision answered again.

    `row`: its inputs, float64, shape (n_fields,). `scores`: of this one row, with contributions. `is_identical`:
    whether probability, decision and points are those on record, to the bit.
    """

    model: Model
    row: Matrix
    scores: Scores
    is_identical: bool


class Difference(Struct, frozen=True):
    """A decision that isn't answered as it was, or can't be; `fault` says how it differs, or why.

    `distance`: between the two probabilities, if it could be answered.
    """

    id: str
    model: str | None
    fault: str
    distance: float = 0.0


class ReplayReport(Struct):
    """Counts of decisions: identical + erased + different = decisions.

    `different` includes those that can't be replayed. `differences` names the first of them. `max_distance`: between
    two probabilities. `models`: decisions by SHA-256 of their model file. `shadows`: the same of shadows, if any.
    """

    decisions: int = 0
    identical: int = 0
    erased: int = 0
    different: int = 0
    max_distance: float = 0.0
    models: dict[str, int] = {}
    differences: list[Difference] = []
    shadows: ReplayReport | None = None


class _Decision(Struct, frozen=True):
    """What of a record is replayed."""

    id: str
    model: str | None
    probability: float | None
    decision: str | None
    points: int | None
    payload: str | None


class KeptModels:
    """The model files of a store, loaded when they are first needed; the last few stay loaded."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaded: dict[str, Model | str] = {}

    def load(self, name: str) -> Model:
        """The model file of this SHA-256; raises ReplayError and StoreError."""
        model = self._loaded.pop(name, None) or self._load(name)
        self._loaded[name] = model
        while len(self._loaded) > MAX_LOADED_MODELS:
            del self._loaded[next(iter(self._loaded))]
        if isinstance(model, str):
            raise ReplayError(model)
        return model

    def _load(self, name: str) -> Model | str:
        """The model, or why it can't be loaded."""
        found = list(self._store.query("SELECT content FROM models WHERE sha256 = :name", {"name": name}))
        if not found:
            return f"the model file {name!r} isn't kept in this database"
        try:
            return load_model(decompress_model(found[0][0], name))
        except ContractError as error:
            return f"the model file {name} can't be loaded: {error}"
        except ReplayError as error:
            return str(error)


def decompress_model(content: bytes, name: str) -> bytes:
    """A model file from the table `models`; raises ReplayError if its SHA-256 isn't this."""
    try:
        content = zlib.decompress(content)
    except zlib.error as error:
        raise ReplayError(f"the model file {name} is forged: its content can't be decompressed ({error})") from error
    if (found := sha256(content).hexdigest()) != name:
        raise ReplayError(f"the model file {name} is forged: its content has the SHA-256 {found}")
    return content


def replay_decision(models: KeptModels, record: Record) -> ReplayedDecision | None:
    """Answer a decision again; None if its inputs have been erased. Raises ReplayError and StoreError."""
    if record.payload is None:
        return None
    model = models.load(record.model or "")
    row = _read_inputs([record], model)
    scores = _score(row, model, explain=True)
    return ReplayedDecision(model, row[0], scores, is_identical=not _find_different([record], scores, model))


def replay_all(
    store: Store, start: int | None, end: int | None, progress: Callable[[int], object], kind: Kind = "decision"
) -> ReplayReport:
    """Answer all decisions, or all shadows, again that were made from `start` to before `end`; raises StoreError.

    `progress` is called with the number of decisions in each portion.
    """
    models, report = KeptModels(store), ReplayReport()
    for page in _read_pages(kind, store, start, end):
        by_model: dict[str, list[_Decision]] = {}
        for decision in page:
            by_model.setdefault(decision.model or "", []).append(decision)
        for name, decisions in by_model.items():
            report.models[name] = report.models.get(name, 0) + len(decisions)
            kept = [decision for decision in decisions if decision.payload is not None]
            differences = _replay(kept, name, models)
            report.decisions += len(decisions)
            report.erased += len(decisions) - len(kept)
            report.different += len(differences)
            report.identical += len(kept) - len(differences)
            report.max_distance = max([report.max_distance, *(difference.distance for difference in differences)])
            report.differences.extend(differences[: MAX_DIFFERENCES - len(report.differences)])
        progress(len(page))
    return report


def _read_pages(kind: Kind, store: Store, start: int | None, end: int | None) -> Iterator[list[_Decision]]:
    """Portions in the order of ids: during one long SELECT the model files couldn't be read."""
    where, parameters = write_period(start, end, kind)
    sql = (
        f"SELECT {', '.join(_Decision.__struct_fields__)} FROM records "  # noqa: S608
        f"WHERE {where} AND id > :after ORDER BY id LIMIT :limit"
    )
    after = ""
    while page := [_Decision(*row) for row in store.query(sql, {**parameters, "after": after, "limit": ROWS_AT_ONCE})]:
        yield page
        after = page[-1].id


def _replay(decisions: Sequence[_Decision], name: str, models: KeptModels) -> list[Difference]:
    """Replay decisions of one model at once; each that differs is replayed by itself before it counts."""
    if not decisions:
        return []
    try:
        model = models.load(name)
    except ReplayError as error:
        return [Difference(decision.id, name, str(error)) for decision in decisions]
    try:
        different = _find_different(decisions, _score(_read_inputs(decisions, model), model), model)
    except ReplayError:
        different = list(range(len(decisions)))
    return [fault for index in different if (fault := _compare(decisions[index], model)) is not None]


def _compare(decision: _Decision, model: Model) -> Difference | None:
    try:
        scores = _score(_read_inputs([decision], model), model)
    except ReplayError as error:
        return Difference(decision.id, decision.model, str(error))
    if not _find_different([decision], scores, model):
        return None
    probability = scores.probability.item()
    points = model.contract.policy.score_points(scores.probability).item()
    fault = (
        f"on record {decision.probability!r}, {decision.decision}, {decision.points} points; "
        f"replayed {probability!r}, {DECISIONS[scores.decision.item()]}, {points} points"
    )
    distance = 0.0 if decision.probability is None else abs(probability - decision.probability)
    return Difference(decision.id, decision.model, fault, distance)


def _find_different(decisions: Sequence[_Decision | Record], scores: Scores, model: Model) -> list[int]:
    """Indices of the decisions that aren't what the scores say, to the bit."""
    recorded = np.array([decision.probability for decision in decisions], np.float64)
    is_other = (recorded.view(np.int64) != scores.probability.view(np.int64)).tolist()
    answers = zip(
        is_other,
        scores.decision.tolist(),
        model.contract.policy.score_points(scores.probability).tolist(),
        decisions,
        strict=True,
    )
    return [
        index
        for index, (is_other_probability, word, points, decision) in enumerate(answers)
        if is_other_probability or DECISIONS[word] != decision.decision or points != decision.points
    ]


def _score(rows: Matrix, model: Model, *, explain: bool = False) -> Scores:
    """The scores of inputs that may have been changed; raises ReplayError for those that the model can't take."""
    try:
        return model.score(rows, explain=explain)
    except RUNTIME_ERRORS as error:
        raise ReplayError(f"the model can't score the inputs: {first_line(error)}") from error


def _read_inputs(decisions: Sequence[_Decision | Record], model: Model) -> Matrix:
    """The inputs of decisions that aren't erased: float64, shape (n, n_fields); raises ReplayError."""
    text = f"[{','.join(decision.payload or '' for decision in decisions)}]"
    width = len(model.contract.fields)
    try:
        rows = [payload.inputs for payload in _decode(text)]
        if len(rows) != len(decisions) or any(len(row) != width for row in rows):
            raise ReplayError(f"the payload of decision {decisions[0].id} hasn't the {width} inputs of its model")
        return np.array(rows, np.float64)
    except msgspec.MsgspecError as error:
        raise ReplayError(f"the payload of decision {decisions[0].id} can't be read: {error}") from error
