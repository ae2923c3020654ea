"""A BentoML service of the pickled pipeline, one worker."""

from __future__ import annotations

import os

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1)
class Credit:
    """The BentoML service."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, data: list[list[float]]) -> list[float]:
        """Probability of default of each row."""
        answer: list[float] = self.pipeline.predict_proba(np.array(data))[:, 1].tolist()
        return answer
