"""Proof that the exported graph answers as the pipeline does: on the data, on generated rows, at every split.

`python -m train` refuses to write a file that isn't proven; tests and CI use the same proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.pipeline import Pipeline

from model.session import OUTPUTS, Model, Scores
from train.dataset import Matrix
from train.errors import TrainingError
from train.export.columns import players_of
from train.export.golden import draw_applicants
from train.export.graph import encode
from train.export.learners import FINDERS, FLOAT32_SUMS, read_classifier
from train.export.trees import Trees, splits_of
from train.leaves import compare_leaves
from train.policy import decide

TOLERANCE = 1e-12
"""Largest difference in probability that is float64 rounding and nothing else."""

REASONS_TOLERANCE = 1e-9
"""Largest difference between the log-odds and the base value plus the contributions."""

FLOAT32_TOLERANCE = 1e-5
"""Largest difference in probability that adding up some hundred leaves in float32 makes."""

GENERATED_ROWS = 100_000
EXPLAINED_ROWS = 5_000
CHUNK = 50_000
BASES = 8
LARGEST = 1e100
"""Numbers are proven up to ± this, beyond which the service refuses them."""


@dataclass(slots=True)
class Proof:
    """What was compared, and the largest differences found.

    `largest_difference`: of probabilities, from the fitted model's float64 arithmetic. `decisions_differ`: rows.
    `leaves_compared`: rows × trees where a boosting library was asked which leaf it reaches; `leaves_differ` of them.
    `reasons_difference`: of log-odds, between base value + contributions and the model. `library_rounding`: of
    probabilities, from a library that itself adds up in float32; 0 for one that doesn't.
    """

    rows: int = 0
    largest_difference: float = 0.0
    decisions_differ: int = 0
    leaves_compared: int = 0
    leaves_differ: int = 0
    reasons_difference: float = 0.0
    library_rounding: float = 0.0

    def __str__(self) -> str:
        text = (
            f"Proven on {self.rows:,} rows: largest difference {self.largest_difference:.1e} in probability, "
            f"{self.decisions_differ} decisions differ; reasons add up within {self.reasons_difference:.1e}"
        )
        if self.leaves_compared:
            text += f"; {self.leaves_differ} of {self.leaves_compared:,} leaves differ"
        return text + (
            f"; the library's own float32 sums are off by up to {self.library_rounding:.1e}"
            if self.library_rounding
            else ""
        )


def prove(pipeline: Pipeline, model: Model, applicants: Matrix, seed: int) -> Proof:
    """Compare pipeline and graph on real applicants, float64, shape (n, n_fields), and on rows made to be hard.

    Raises TrainingError if a probability differs by more than TOLERANCE, any decision or leaf differs, or the
    reasons don't add up.
    """
    proof = Proof()
    for part in _all_rows(pipeline, model, applicants, seed):
        for start in range(0, len(part), CHUNK):
            _compare(pipeline, model, np.ascontiguousarray(part[start : start + CHUNK]), proof)
    if (
        proof.largest_difference > TOLERANCE
        or proof.decisions_differ
        or proof.leaves_differ
        or proof.library_rounding > FLOAT32_TOLERANCE
        or proof.reasons_difference > REASONS_TOLERANCE
    ):
        raise TrainingError(
            f"the exported graph differs from its pipeline by up to {proof.largest_difference:.2g} in probability "
            f"(expected at most {TOLERANCE:g}), in {proof.decisions_differ} decisions, in {proof.leaves_differ} "
            f"leaves, by {proof.reasons_difference:.2g} in its reasons (at most {REASONS_TOLERANCE:g}) and from "
            f"the library by {proof.library_rounding:.2g}, over {proof.rows:,} rows; nothing was written: report this"
        )
    return proof


def _compare(pipeline: Pipeline, model: Model, applicants: Matrix, proof: Proof) -> None:
    """Score some applicants both ways and note the differences."""
    classifier = pipeline.steps[-1][1]
    encoded, form = encode(pipeline, applicants), read_classifier(classifier)
    if isinstance(form, Trees) and type(classifier).__name__ in FINDERS:
        compared, differ = compare_leaves(classifier, form, encoded)
        proof.leaves_compared += compared
        proof.leaves_differ += differ
    log_odds = form.log_odds(encoded)
    exact, library = expit(log_odds), pipeline.predict_proba(applicants)[:, 1]
    expected = exact if type(classifier).__name__ in FLOAT32_SUMS else library
    if expected is exact:
        proof.library_rounding = max(proof.library_rounding, _largest(library - exact))
    proof.rows += len(applicants)
    step = max(len(applicants) // EXPLAINED_ROWS, 1)
    some = applicants[::step]
    # Many at once and each alone go different ways through the graph.
    ways = (
        (model.score(applicants), 1),
        (model.score(some, explain=True), step),
        (_score_alone(model, some), step),
    )
    for scores, every in ways:
        probability, wanted = scores.probability, expected[::every]
        differences = (probability - exact[::every], probability - wanted)
        proof.largest_difference = max(proof.largest_difference, *map(_largest, differences))
        proof.decisions_differ += int((scores.decision != decide(wanted, model.contract.policy)).sum())
        if len(scores.contributions):
            total, exact_total = model.contract.base_value + scores.contributions.sum(axis=1), log_odds[::every]
            # Relative to the log-odds beyond 1: extreme numbers make extreme log-odds, with fewer digits behind the
            # point.
            scale = np.maximum(np.abs(exact_total), 1.0)
            proof.reasons_difference = max(proof.reasons_difference, _largest((total - exact_total) / scale))


def _score_alone(model: Model, applicants: Matrix) -> Scores:
    """The answers, with reasons, to each applicant asked alone."""
    if not len(applicants):
        return model.score(applicants)
    answers = [model.score(applicants[row : row + 1], explain=True) for row in range(len(applicants))]
    return Scores(*(np.concatenate([getattr(answer, name) for answer in answers]) for name in OUTPUTS))


def _largest(difference: Matrix) -> float:
    """The largest absolute value; a NaN counts as infinite."""
    return float(np.where(np.isnan(difference), np.inf, np.abs(difference)).max(initial=0.0))


def _all_rows(pipeline: Pipeline, model: Model, applicants: Matrix, seed: int) -> Iterator[Matrix]:
    random = np.random.default_rng(seed)
    yield applicants
    yield draw_applicants(list(model.contract.fields), GENERATED_ROWS, seed)
    yield _with_holes(applicants, model, random)
    yield _huge_and_tiny(applicants, model, random)
    yield _at_the_splits(pipeline, model, applicants, random)


def _some(applicants: Matrix, rows: int, random: np.random.Generator) -> Matrix:
    return applicants[random.integers(0, len(applicants), rows)]


def _with_holes(applicants: Matrix, model: Model, random: np.random.Generator) -> Matrix:
    """Real rows with half of all cells that may be missing taken away, and one row with nothing left."""
    rows = _some(applicants, 10_000, random)
    nullable = np.array([field.nullable for field in model.contract.fields])
    is_missing = (random.random(rows.shape) < 0.5) & nullable
    is_missing[0] = nullable
    rows[is_missing] = np.nan
    return rows


def _huge_and_tiny(applicants: Matrix, model: Model, random: np.random.Generator) -> Matrix:
    """Real rows with one number each replaced by an extreme of either sign."""
    extremes = np.array([0.0, 1e-300, 5e-324, 1e15, LARGEST])
    numbers = [column for column, field in enumerate(model.contract.fields) if field.kind == "number"]
    cases = [(column, sign * value) for column in numbers for value in extremes for sign in (1, -1)]
    rows = _some(applicants, len(cases), random)
    for row, (column, value) in zip(rows, cases, strict=True):
        row[column] = value
    return rows


def _at_the_splits(pipeline: Pipeline, model: Model, applicants: Matrix, random: np.random.Generator) -> Matrix:
    """Real rows with one number each put where the answer to a tree's question turns, and one ulp to either side.

    The place is found by bisection over the float64 numbers themselves, so that it is right whatever
    (monotonic) preprocessing stands between a number and the question.
    """
    form = read_classifier(pipeline.steps[-1][1])
    if not isinstance(form, Trees):
        return applicants[:0]
    players = players_of(pipeline)
    cases = sorted({(split.column, split.threshold) for split in splits_of(form) if np.isfinite(split.threshold)})
    cases = [case for case in cases if model.contract.fields[players[case[0]]].kind == "number"]
    if not cases:
        return applicants[:0]
    column, threshold = np.array([case[0] for case in cases]), np.array([case[1] for case in cases])
    place, every = players[column], np.arange(len(cases))
    # Several rows a question, because not every row gets as far as a question deep in its tree.
    bases = _some(applicants, len(cases) * BASES, random).reshape(BASES, len(cases), -1)
    rows = bases[0].copy()
    low, high = np.full(len(cases), _order(np.array(-LARGEST))), np.full(len(cases), _order(np.array(LARGEST)))
    while (high > low + 1).any():
        # high − low may exceed an int64.
        middle = low // 2 + high // 2 + (low % 2 + high % 2) // 2
        rows[every, place] = _number(middle)
        is_true = encode(pipeline, rows)[every, column] <= threshold
        low, high = np.where(is_true, middle, low), np.where(is_true, high, middle)
    parts = []
    for step in (low - 1, low, high, high + 1):
        part = bases.copy()
        part[:, every, place] = _number(step)
        parts.append(part.reshape(-1, applicants.shape[1]))
    return np.concatenate(parts)


def _order(number: Matrix) -> npt.NDArray[np.int64]:
    """float64 as int64 in the same order, neighbours one apart."""
    bits = number.view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _number(order: npt.NDArray[np.int64]) -> Matrix:
    """The float64 of an order; inverse of `_order`."""
    return np.where(order < 0, np.int64(-(2**63)) - order, order).view(np.float64)
