"""Proof that the exported graph answers as the pipeline does: on the data, on generated rows, at every split.

`python -m train` refuses to write a file that isn't proven; tests and CI use the same proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from serve.model import Model
from train.dataset import Matrix
from train.errors import TrainingError
from train.export.golden import draw_applicants
from train.export.trees import read_hist_gradient_boosting
from train.policy import decide

TOLERANCE = 1e-12
"""Largest difference in probability that is float64 rounding and nothing else."""

GENERATED_ROWS = 100_000
CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Proof:
    """Rows compared, the largest difference in probability, and how many decisions differ."""

    rows: int
    largest_difference: float
    decisions_differ: int


def prove(pipeline: Pipeline, model: Model, applicants: Matrix, seed: int) -> Proof:
    """Compare pipeline and graph on real applicants, float64, shape (n, n_fields), and on rows made to be hard.

    Raises TrainingError if a probability differs by more than TOLERANCE or any decision differs.
    """
    rows, largest, differ = 0, 0.0, 0
    for part in _all_rows(pipeline, model, applicants, seed):
        for start in range(0, len(part), CHUNK):
            chunk = np.ascontiguousarray(part[start : start + CHUNK])
            expected = pipeline.predict_proba(chunk)[:, 1]
            scores = model.score(chunk)
            difference = np.abs(scores.probability - expected)
            rows += len(chunk)
            largest = max(largest, float(np.where(np.isnan(difference), np.inf, difference).max()))
            differ += int((scores.decision != decide(expected, model.contract.policy)).sum())
    if largest > TOLERANCE or differ:
        raise TrainingError(
            f"the exported graph differs from its pipeline by up to {largest:.2g} in probability (expected at most "
            f"{TOLERANCE:g}) and in {differ} decisions, over {rows:,} rows; nothing was written: report this as a bug"
        )
    return Proof(rows, largest, differ)


def _all_rows(pipeline: Pipeline, model: Model, applicants: Matrix, seed: int) -> Iterator[Matrix]:
    random = np.random.default_rng(seed)
    yield applicants
    yield draw_applicants(list(model.contract.fields), GENERATED_ROWS, seed)
    yield _with_holes(applicants, model, random)
    yield _huge_and_tiny(applicants, model, random)
    yield _at_the_splits(pipeline, applicants, random)


def _some(applicants: Matrix, rows: int, random: np.random.Generator) -> Matrix:
    return applicants[random.integers(0, len(applicants), rows)]


def _with_holes(applicants: Matrix, model: Model, random: np.random.Generator) -> Matrix:
    """Real rows with half of all cells that may be missing taken away, and one row with nothing left."""
    rows = _some(applicants, 10_000, random)
    rows[(random.random(rows.shape) < 0.5) & [field.nullable for field in model.contract.fields]] = np.nan
    return rows


def _huge_and_tiny(applicants: Matrix, model: Model, random: np.random.Generator) -> Matrix:
    """Real rows with one number each replaced by an extreme of either sign."""
    extremes = np.array([0.0, 1e-300, 5e-324, 1e15, 1e100])
    numbers = [column for column, field in enumerate(model.contract.fields) if field.kind == "number"]
    cases = [(column, sign * value) for column in numbers for value in extremes for sign in (1, -1)]
    rows = _some(applicants, len(cases), random)
    for row, (column, value) in zip(rows, cases, strict=True):
        row[column] = value
    return rows


def _at_the_splits(pipeline: Pipeline, applicants: Matrix, random: np.random.Generator) -> Matrix:
    """Real rows with one number each put exactly on, one ulp below and one ulp above a split of a tree."""
    cases = sorted(set(_splits(pipeline)))
    rows = _some(applicants, 3 * len(cases), random)
    for number, (column, split) in enumerate(cases):
        rows[3 * number : 3 * number + 3, column] = (np.nextafter(split, -np.inf), split, np.nextafter(split, np.inf))
    return rows


def _splits(pipeline: Pipeline) -> Iterator[tuple[int, float]]:
    """(column of the input, split) of every question that a tree asks of a number as it came in."""
    classifier = pipeline.steps[-1][1]
    if not isinstance(classifier, HistGradientBoostingClassifier):
        return
    trees = read_hist_gradient_boosting(classifier)
    _, numbers, columns = pipeline.steps[0][1].transformers[0]
    if numbers == "passthrough":
        for feature, split in zip(trees.feature, trees.split, strict=True):
            if feature < len(columns) and np.isfinite(split):
                yield columns[feature], split
