"""Exports a fitted pipeline as the bytes of model.onnx. Start with graph.py, then the modules it imports."""

from __future__ import annotations

import numpy as np
from msgspec import structs
from onnx import helper
from scipy.special import expit
from sklearn.pipeline import Pipeline

from model.contract import Contract, Golden, write_contract
from train.dataset import Matrix
from train.export.golden import N_GOLDEN_ROWS, draw_applicants, round_cells
from train.export.graph import convert_pipeline, serialize, transform_to_columns
from train.export.learners import read_classifier
from train.export.linear import Linear
from train.export.trees import Trees
from train.policy import decide

__all__ = ["count_rows_at_once", "draw_reference", "export"]

REFERENCE_ROWS = 2_000
"""Maximum size of the reference population, which contributions are relative to."""

MAX_CELLS, MAX_LEAVES = 24_576, 96_000
"""Maximum of columns × rows and of trees × rows in one run of the graph, so that it stays in the processor's cache."""

MIN_ROWS, MAX_ROWS = 96, 1_024
"""With fewer rows the overhead of a run dominates; with more nothing is gained."""


def draw_reference(applicants: Matrix, seed: int) -> Matrix:
    """A seeded sample of the training rows, at most 2,000, as reference population."""
    rows = np.random.default_rng(seed).permutation(len(applicants))[:REFERENCE_ROWS]
    return applicants[np.sort(rows)]


def export(pipeline: Pipeline, contract: Contract, reference: Matrix) -> bytes:
    """The model file of a fitted pipeline with classes 0 (good) and 1 (default).

    Sets three attributes of the contract. `golden`: synthetic rows with the answers of the fitted model, against which
    the graph is checked whenever the file is loaded. `base_value`: mean log-odds of `reference`, the reference
    population, float64, shape (m, n_fields), of which the file keeps only sums. `rows_at_once`: the fastest batch size
    of this graph.
    """
    applicants = round_cells(draw_applicants(list(contract.fields), N_GOLDEN_ROWS, contract.training.seed))
    exported_classifier = read_classifier(pipeline.steps[-1][1])
    encoded = transform_to_columns(pipeline, applicants)
    probability = expit(exported_classifier.log_odds(encoded))
    golden = Golden(
        applicants=tuple(tuple(None if np.isnan(cell) else float(cell) for cell in row) for row in applicants),
        probability=tuple(probability.tolist()),
        decision=tuple(decide(probability, contract.policy).tolist()),
    )
    base_value = float(exported_classifier.log_odds(transform_to_columns(pipeline, reference)).mean())
    model = convert_pipeline(pipeline, contract.policy, reference)
    rows_at_once = count_rows_at_once(exported_classifier, encoded.shape[1])
    complete = structs.replace(contract, golden=golden, base_value=base_value, rows_at_once=rows_at_once)
    helper.set_model_props(model, write_contract(complete))
    return serialize(model)


def count_rows_at_once(exported_classifier: Linear | Trees, n_columns: int) -> int:
    """The fastest batch size of a graph with `n_columns` encoded columns, a multiple of 16."""
    rows = MAX_CELLS // n_columns
    if isinstance(exported_classifier, Trees):
        rows = min(rows, MAX_LEAVES // max(len(exported_classifier.trees), 1))
    return min(max(rows // 16 * 16, MIN_ROWS), MAX_ROWS)
