"""The design that this project replaced: Flask behind gunicorn, a pickled pipeline, a data frame for each request."""

from __future__ import annotations

import os

import joblib
import pandas as pd
from flask import Flask, Response, jsonify, request

app = Flask(__name__)
pipeline = joblib.load(os.environ["MODEL"])


@app.post("/predict")
def predict() -> Response:
    """Probability of default of each row."""
    applicants = pd.DataFrame(request.get_json()["data"])
    return jsonify(pipeline.predict_proba(applicants)[:, 1].tolist())
