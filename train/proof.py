"""Check that the exported graph gives the same results as the fitted model, on the rows of proof_rows.py.

`python -m train` refuses to write a file that fails it; tests and CI use the same check.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.session import OUTPUTS, Model, Scores
from train.dataset import Matrix
from train.errors import TrainingError
from train.fitted.model import FittedModel
from train.fitted.trees import Trees, collect_splits
from train.leaves import compare_leaves
from train.proof_rows import draw_test_rows
from train.readers.classifiers import LEAF_FINDERS

TOLERANCE = 1e-12
"""Largest difference in probability that float64 rounding can explain."""

REASONS_TOLERANCE = 1e-9
"""Largest difference between the log-odds and the base value plus the contributions."""

EXPLAINED_ROWS = 5_000
"""About this many rows of a chunk are also scored with reasons, and one at a time; fewer of a model of many leaves."""

EXPLAINED_LEAVES = 5_000_000
"""The most leaves × rows of a chunk that are scored so."""

CHUNK_ROWS = 50_000


@dataclass(slots=True)
class Proof:
    """What was compared, and the largest differences found.

    largest_difference: of probabilities, from the fitted model in float64. decisions_differ: number over all passes of
    the comparison.
    leaves_compared: rows × trees whose leaf a boosting library was asked for; leaves_differ: those that differ.
    reasons_difference: of scores, between base value + contributions and the model. library_rounding: of
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


def prove(fitted: FittedModel, model: Model, applicants: Matrix, seed: int) -> Proof:
    """Compare model and graph on real applicants, float64, shape (n, n_fields), and on test rows made from them.

    Raises TrainingError if a probability differs by more than TOLERANCE, any decision or leaf differs, or the
    contributions don't add up to the score.
    """
    proof = Proof()
    contract = model.contract
    for rows in draw_test_rows(fitted, list(contract.fields), applicants, seed, contract.policy):
        for start in range(0, len(rows), CHUNK_ROWS):
            _compare(fitted, model, np.ascontiguousarray(rows[start : start + CHUNK_ROWS]), proof)
    if (
        proof.largest_difference > TOLERANCE
        or proof.decisions_differ
        or proof.leaves_differ
        or proof.library_rounding > fitted.rounding
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


def _compare(fitted: FittedModel, model: Model, applicants: Matrix, proof: Proof) -> None:
    """Score applicants with model and graph, and add the differences to the proof."""
    for member in fitted.members:
        if isinstance(member.function, Trees) and type(member.classifier).__name__ in LEAF_FINDERS:
            compared, differ = compare_leaves(member.classifier, member.function, member.encode(applicants))
            proof.leaves_compared += compared
            proof.leaves_differ += differ
    score, exact, taken = fitted.score(applicants), fitted.probability(applicants), fitted.is_taken(applicants)
    library = exact.copy()
    if taken.any():
        library[taken] = fitted.ask(applicants[taken])
    expected = exact if fitted.rounding else library
    if fitted.rounding:
        proof.library_rounding = max(proof.library_rounding, _largest(library - exact))
    proof.rows += len(applicants)
    step = max(len(applicants) // min(EXPLAINED_ROWS, EXPLAINED_LEAVES // count_leaves(fitted) + 1), 1)
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
        decision = model.contract.policy.decide(reference, applicants[::every])
        proof.decisions_differ += int((scores.decision != decision).sum())
        if len(scores.contributions):
            total, exact_total = model.contract.base_value + scores.contributions.sum(axis=1), score[::every]
            # Relative where the score exceeds 1, because large log-odds have fewer decimals in float64.
            scale = np.maximum(np.abs(exact_total), 1.0)
            proof.reasons_difference = max(proof.reasons_difference, _largest((total - exact_total) / scale))


def count_leaves(fitted: FittedModel) -> int:
    """The leaves of all trees of a model, at least 1."""
    functions = [member.function for member in fitted.members]
    return (
        sum(
            len(function.trees) + len(collect_splits(function)) for function in functions if isinstance(function, Trees)
        )
        + 1
    )


def _score_one_by_one(model: Model, applicants: Matrix) -> Scores:
    """Scores with reasons, each applicant in a call of its own."""
    if not len(applicants):
        return model.score(applicants)
    answers = [model.score(applicants[row : row + 1], explain=True) for row in range(len(applicants))]
    return Scores(*(np.concatenate([getattr(answer, name) for answer in answers]) for name in OUTPUTS))


def _largest(difference: Matrix) -> float:
    """The largest absolute value; a NaN counts as infinite."""
    return float(np.where(np.isnan(difference), np.inf, np.abs(difference)).max(initial=0.0))
