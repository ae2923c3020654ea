"""FastAPI and onnxruntime with one thread, serving the same ONNX file as this service."""

from __future__ import annotations

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])


class Body(BaseModel):
    """Rows of numbers."""

    data: list[list[float]]


@app.post("/predict")
async def predict(body: Body) -> list[float]:
    """Probability of default of each row."""
    answer: list[float] = session.run(["probability"], {"applicants": np.array(body.data)})[0].tolist()
    return answer
