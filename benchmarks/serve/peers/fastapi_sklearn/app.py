"""FastAPI serving the pickled pipeline; `async def`, because a thread would cost more than the call of microseconds."""

from __future__ import annotations

import os

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
pipeline = joblib.load(os.environ["MODEL"])


class Body(BaseModel):
    """Rows of numbers."""

    data: list[list[float]]


@app.post("/predict")
async def predict(body: Body) -> list[float]:
    """Probability of default of each row."""
    answer: list[float] = pipeline.predict_proba(np.array(body.data))[:, 1].tolist()
    return answer
