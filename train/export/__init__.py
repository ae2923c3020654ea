"""From a fitted pipeline to the bytes of model.onnx. Read on in graph.py, then the files it names."""

from __future__ import annotations

import numpy as np
from msgspec import structs
from onnx import helper
from scipy.special import expit
from sklearn.pipeline import Pipeline

from model.contract import Contract, Golden, write_contract
from train.dataset import Matrix
from train.export.golden import ROWS, draw_applicants, round_for_people
from train.export.graph import convert_pipeline, encode, serialize
from train.export.learners import read_classifier
from train.export.linear import Linear
from train.export.trees import Trees
from train.policy import decide

__all__ = ["count_rows_at_once", "draw_reference", "export"]

REFERENCE_ROWS = 2_000
"""Applicants of the reference population: what a contribution compares with."""

CELLS_AT_ONCE, LEAVES_AT_ONCE = 24_576, 96_000
"""Columns, and trees, times rows that go through the graph at once: more leave the processor's cache."""

FEWEST_ROWS, MOST_ROWS = 96, 1_024
"""Below, each run of the graph costs more than its rows; above, nothing is gained."""


def draw_reference(applicants: Matrix, seed: int) -> Matrix:
    """A seeded sample of the training rows, at most 2,000, as reference population."""
    rows = np.random.default_rng(seed).permutation(len(applicants))[:REFERENCE_ROWS]
    return applicants[np.sort(rows)]


def export(pipeline: Pipeline, contract: Contract, reference: Matrix) -> bytes:
    """The model file of a fitted pipeline with classes 0 (good) and 1 (default).

    The golden rows of the contract are made here, and answered by the fitted model itself: a graph that
    disagrees with it can't be loaded. Of the reference population, float64, shape
    (m, n_fields), the file keeps the mean log-odds alone, as `base_value`. `rows_at_once` is set to what this graph
    takes fastest.
    """
    applicants = round_for_people(draw_applicants(list(contract.fields), ROWS, contract.training.seed))
    form = read_classifier(pipeline.steps[-1][1])
    encoded = encode(pipeline, applicants)
    probability = expit(form.log_odds(encoded))
    golden = Golden(
        applicants=tuple(tuple(None if np.isnan(cell) else float(cell) for cell in row) for row in applicants),
        probability=tuple(probability.tolist()),
        decision=tuple(decide(probability, contract.policy).tolist()),
    )
    base_value = float(form.log_odds(encode(pipeline, reference)).mean())
    model = convert_pipeline(pipeline, contract.policy, reference)
    rows_at_once = count_rows_at_once(form, encoded.shape[1])
    complete = structs.replace(contract, golden=golden, base_value=base_value, rows_at_once=rows_at_once)
    helper.set_model_props(model, write_contract(complete))
    return serialize(model)


def count_rows_at_once(form: Linear | Trees, n_columns: int) -> int:
    """How many rows with so many encoded columns a graph takes at once fastest, a multiple of 16."""
    rows = CELLS_AT_ONCE // n_columns
    if isinstance(form, Trees):
        rows = min(rows, LEAVES_AT_ONCE // max(len(form.trees), 1))
    return min(max(rows // 16 * 16, FEWEST_ROWS), MOST_ROWS)
