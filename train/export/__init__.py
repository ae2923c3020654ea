"""From a fitted pipeline to the bytes of model.onnx. Read on in graph.py, then the files it names."""

from __future__ import annotations

import numpy as np
from msgspec import structs
from onnx import helper
from sklearn.pipeline import Pipeline

from serve.contract import Contract, Golden, write_contract
from train.export.golden import ROWS, draw_applicants
from train.export.graph import convert_pipeline, serialize
from train.policy import decide

__all__ = ["export"]


def export(pipeline: Pipeline, contract: Contract) -> bytes:
    """The model file of a fitted pipeline with classes 0 (good) and 1 (default).

    The golden rows of the contract are made here, and answered by the pipeline itself: a graph that
    disagrees with its pipeline can't be loaded.
    """
    applicants = draw_applicants(list(contract.fields), ROWS, contract.training.seed)
    probability = pipeline.predict_proba(applicants)[:, 1]
    golden = Golden(
        applicants=tuple(tuple(None if np.isnan(cell) else float(cell) for cell in row) for row in applicants),
        probability=tuple(probability.tolist()),
        decision=tuple(decide(probability, contract.policy).tolist()),
    )
    model = convert_pipeline(pipeline, contract.policy)
    helper.set_model_props(model, write_contract(structs.replace(contract, golden=golden)))
    return serialize(model)
