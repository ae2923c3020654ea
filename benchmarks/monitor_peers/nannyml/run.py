"""NannyML: univariate drift, estimated (CBPE) and realised performance, with their default methods and thresholds."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import numpy as np
import pandas as pd

RESULTS = ["roc_auc", "accuracy"]
"""Metrics that make sense where every case is one that was accepted."""


FIRST_REFERENCE_WEEK, FIRST_WEEK = pd.Timestamp("2023-01-02"), pd.Timestamp("2024-01-01")
"""Mondays."""


def main(stream: str, answer: str) -> None:
    """Answer for a stream; performance is estimated, and measured, of the accepted applicants."""
    warnings.simplefilter("ignore")
    data = np.load(stream)
    names, kinds = data["names"].tolist(), data["kinds"].tolist()

    def read(part: str) -> pd.DataFrame:
        frame = pd.DataFrame(data[f"{part}_X"], columns=names)
        for name, kind in zip(names, kinds, strict=True):
            if kind == "category":
                frame[name] = ("level " + frame[name].astype(int).astype(str)).astype("category")
        for name in ("probability", "prediction", "defaulted"):
            frame[name] = data[f"{part}_{name}"]
        first = FIRST_REFERENCE_WEEK if part == "reference" else FIRST_WEEK
        frame["week"] = first + pd.to_timedelta(7 * data[f"{part}_number"], unit="D")
        return frame

    reference, week, outcomes = read("reference"), read("week"), read("outcomes")
    weeks = int(data["week_number"].max()) + 1
    began = time.process_time()
    by_week = {"timestamp_column_name": "week", "chunk_period": "W"}
    calculator = nannyml.UnivariateDriftCalculator(column_names=[*names, "probability"], **by_week)
    calculator.fit(reference)
    table = calculator.calculate(week).filter(period="analysis").to_df()
    seconds = (time.process_time() - began) / weeks
    alerts = table.xs("alert", axis=1, level=2)
    drift = [
        [name for name, method in alerts.columns if alerts[(name, method)].iloc[number]] for number in range(weeks)
    ]

    accepted = reference[reference["defaulted"] >= 0]
    binary = {
        "problem_type": "classification_binary",
        "y_pred_proba": "probability",
        "y_pred": "prediction",
        "y_true": "defaulted",
    }
    estimator = nannyml.CBPE(**binary, metrics=["roc_auc"], **by_week)
    estimator.fit(accepted)
    accepted_week = week[week["defaulted"] >= 0].drop(columns="defaulted")
    estimated = estimator.estimate(accepted_week).filter(period="analysis").to_df()["roc_auc"]

    portion = int(np.count_nonzero(data["outcomes_number"] == 0))
    performance = nannyml.PerformanceCalculator(**binary, metrics=RESULTS, chunk_size=portion)
    performance.fit(accepted)
    results = performance.calculate(outcomes).filter(period="analysis").to_df()
    found = {
        "drift": drift,
        "estimated_auc": [float(value) for value in estimated["value"]],
        "realised": [bool(row) for row in results.xs("alert", axis=1, level=1).any(axis=1)],
        "seconds": seconds,
    }
    Path(answer).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
