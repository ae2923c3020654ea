"""Exports a described model as the bytes of model.onnx. Start with graph.py, then the modules it imports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import structs
from onnx import helper

from model.contract import Contract, Field, Golden, write_contract
from train.dataset import Matrix
from train.export.attribution import describe_attribution, find_base_value
from train.export.golden import N_GOLDEN_ROWS, N_RULE_BASES, draw_applicants, place_codes, round_cells
from train.export.graph import convert, serialize
from train.export.rule_rows import choose_rule_rows
from train.export.trees import Trees
from train.fitted.model import FittedModel

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


def export(fitted: FittedModel, contract: Contract, reference: Matrix | None, usual: Sequence[Field] = ()) -> bytes:
    """The model file of a described model.

    Sets four attributes of the contract. `golden`: synthetic rows, some at the limits of the rules, with the answers of
    the fitted model, against which the graph is checked whenever the file is loaded. `attribution` and `base_value`: of
    the contributions, which are relative to `reference`, the reference population, float64, shape (m, n_fields), of
    which the file keeps only sums; None where the model itself tells its mean applicant. `rows_at_once`: the fastest
    batch size of this graph.
    `usual`: the fields with bounds that the golden rows are drawn from, where those of the contract are wide.
    """
    fields = list(usual or contract.fields)
    drawn = round_cells(draw_applicants(fields, N_GOLDEN_ROWS, contract.training.seed), fields)
    bases = round_cells(draw_applicants(fields, N_RULE_BASES, contract.training.seed), fields)
    at_limits = choose_rule_rows(contract.policy, fields, bases, fitted.probability)
    applicants = np.concatenate([place_codes(drawn, fields), at_limits])
    probability = fitted.probability(applicants)
    golden = Golden(
        applicants=tuple(tuple(None if np.isnan(cell) else float(cell) for cell in row) for row in applicants),
        probability=tuple(probability.tolist()),
        decision=tuple(contract.policy.decide(probability, applicants).tolist()),
        score=() if fitted.unit == "log-odds" else tuple(fitted.score(applicants).tolist()),
    )
    model = convert(fitted, contract.policy, reference)
    complete = structs.replace(
        contract,
        golden=golden,
        attribution=describe_attribution(fitted),
        base_value=find_base_value(fitted, reference),
        rows_at_once=count_rows_at_once(
            max(member.encode(applicants).shape[1] for member in fitted.members),
            sum(len(member.function.trees) for member in fitted.members if isinstance(member.function, Trees)),
        ),
    )
    helper.set_model_props(model, write_contract(complete))
    return serialize(model)


def count_rows_at_once(n_columns: int, n_trees: int) -> int:
    """The fastest batch size of a graph with `n_columns` encoded columns and `n_trees` trees, a multiple of 16."""
    rows = MAX_CELLS // n_columns
    if n_trees:
        rows = min(rows, MAX_LEAVES // n_trees)
    return min(max(rows // 16 * 16, MIN_ROWS), MAX_ROWS)
