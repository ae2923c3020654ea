"""Check that the exported graph gives the same results as the fitted pipeline, on the rows of proof_rows.py.

`python -m train` refuses to write a file that fails it; tests and CI use the same check.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.pipeline import Pipeline

from model.session import OUTPUTS, Model, Scores
from train.dataset import Matrix
from train.errors import TrainingError
from train.export.graph import transform_to_columns
from train.export.learners import FLOAT32_SUMS, LEAF_FINDERS, read_classifier
from train.export.swapped_classes import unswap
from train.export.trees import Trees
from train.leaves import compare_leaves
from train.policy import decide
from train.proof_rows import draw_test_rows

TOLERANCE = 1e-12
"""Largest difference in probability that float64 rounding can explain."""

REASONS_TOLERANCE = 1e-9
"""Largest difference between the log-odds and the base value plus the contributions."""

FLOAT32_TOLERANCE = 1e-5
"""Largest difference in probability that a sum of some hundred leaves in float32 can explain."""

EXPLAINED_ROWS = 5_000
"""About this many rows of a chunk are also scored with reasons, and one at a time."""

CHUNK_ROWS = 50_000


@dataclass(slots=True)
class Proof:
    """What was compared, and the largest differences found.

    largest_difference: of probabilities, from the fitted model in float64. decisions_differ: number over all passes of
    the comparison.
    leaves_compared: rows × trees whose leaf a boosting library was asked for; leaves_differ: those that differ.
    reasons_difference: of log-odds, between base value + contributions and the model. library_rounding: of
    probabilities, from a library that sums in float32; 0 for other libraries.
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
            f"Export checked on {self.rows:,} rows: largest difference {self.largest_difference:.1e} in probability, "
            f"{self.decisions_differ} decisions differ; reasons add up within {self.reasons_difference:.1e}"
        )
        if self.leaves_compared:
            text += f"; {self.leaves_differ} of {self.leaves_compared:,} leaves differ"
        return text + (
            f"; rounding of the library's own float32 sums up to {self.library_rounding:.1e}"
            if self.library_rounding
            else ""
        )


def prove(pipeline: Pipeline, model: Model, applicants: Matrix, seed: int) -> Proof:
    """Compare pipeline and graph on real applicants, float64, shape (n, n_fields), and on test rows made from them.

    Raises TrainingError if a probability differs by more than TOLERANCE, any decision or leaf differs, or the
    contributions don't add up to the log-odds.
    """
    proof = Proof()
    for rows in draw_test_rows(pipeline, list(model.contract.fields), applicants, seed):
        for start in range(0, len(rows), CHUNK_ROWS):
            _compare(pipeline, model, np.ascontiguousarray(rows[start : start + CHUNK_ROWS]), proof)
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
            f"the library by {proof.library_rounding:.2g}, over {proof.rows:,} rows; nothing was written: "
            "please open an issue with this line and the version of the classifier's library"
        )
    return proof


def _compare(pipeline: Pipeline, model: Model, applicants: Matrix, proof: Proof) -> None:
    """Score applicants with pipeline and graph, and add the differences to the proof."""
    exported_classifier, classifier = read_classifier(pipeline.steps[-1][1]), unswap(pipeline.steps[-1][1])
    encoded = transform_to_columns(pipeline, applicants)
    if isinstance(exported_classifier, Trees) and type(classifier).__name__ in LEAF_FINDERS:
        compared, differ = compare_leaves(classifier, exported_classifier, encoded)
        proof.leaves_compared += compared
        proof.leaves_differ += differ
    log_odds = exported_classifier.log_odds(encoded)
    exact, library = expit(log_odds), pipeline.predict_proba(applicants)[:, 1]
    expected = exact if type(classifier).__name__ in FLOAT32_SUMS else library
    if expected is exact:
        proof.library_rounding = max(proof.library_rounding, _largest(library - exact))
    proof.rows += len(applicants)
    step = max(len(applicants) // EXPLAINED_ROWS, 1)
    explained = applicants[::step]
    # Batches and single rows take different paths through the graph.
    answers = (
        (model.score(applicants), 1),
        (model.score(explained, explain=True), step),
        (_score_one_by_one(model, explained), step),
    )
    for scores, every in answers:
        probability, reference = scores.probability, expected[::every]
        differences = (probability - exact[::every], probability - reference)
        proof.largest_difference = max(proof.largest_difference, *map(_largest, differences))
        proof.decisions_differ += int((scores.decision != decide(reference, model.contract.policy)).sum())
        if len(scores.contributions):
            total, exact_total = model.contract.base_value + scores.contributions.sum(axis=1), log_odds[::every]
            # Relative where the log-odds exceed 1, because large log-odds have fewer decimals in float64.
            scale = np.maximum(np.abs(exact_total), 1.0)
            proof.reasons_difference = max(proof.reasons_difference, _largest((total - exact_total) / scale))


def _score_one_by_one(model: Model, applicants: Matrix) -> Scores:
    """Scores with reasons, each applicant in a call of its own."""
    if not len(applicants):
        return model.score(applicants)
    answers = [model.score(applicants[row : row + 1], explain=True) for row in range(len(applicants))]
    return Scores(*(np.concatenate([getattr(answer, name) for answer in answers]) for name in OUTPUTS))


def _largest(difference: Matrix) -> float:
    """The largest absolute value; a NaN counts as infinite."""
    return float(np.where(np.isnan(difference), np.inf, np.abs(difference)).max(initial=0.0))
