"""Evidently: its presets for data drift and classification, with their default methods and thresholds."""

from __future__ import annotations

import json
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from evidently import BinaryClassification, DataDefinition, Dataset, Report
from evidently.presets import ClassificationPreset, DataDriftPreset

RESULTS = ("Accuracy", "RocAuc", "LogLoss")
"""Tests of the classification preset that make sense where every case is one that was accepted."""


def main(stream: str, answer: str) -> None:
    """Answer for a stream."""
    warnings.simplefilter("ignore")
    data = np.load(stream)
    names, kinds = data["names"].tolist(), data["kinds"].tolist()
    definition = DataDefinition(
        numerical_columns=[name for name, kind in zip(names, kinds, strict=True) if kind == "number"] + ["probability"],
        categorical_columns=[name for name, kind in zip(names, kinds, strict=True) if kind == "category"],
    )

    def read(part: str, number: int | None = None) -> Dataset:
        is_chosen = slice(None) if number is None else data[f"{part}_number"] == number
        frame = pd.DataFrame(data[f"{part}_X"][is_chosen], columns=names)
        for name, kind in zip(names, kinds, strict=True):
            if kind == "category":
                frame[name] = "level " + frame[name].astype(int).astype(str)
        frame["probability"] = data[f"{part}_probability"][is_chosen]
        return Dataset.from_pandas(frame, definition)

    weeks = int(data["week_number"].max()) + 1
    reference = read("reference")
    began = time.process_time()
    drift = [find_drift(read("week", week), reference) for week in range(weeks)]
    seconds = (time.process_time() - began) / weeks
    portions = int(data["outcomes_number"].max()) + 1
    before = read_outcomes(data, "reference", data["reference_defaulted"] >= 0)
    realised = [
        is_different(read_outcomes(data, "outcomes", data["outcomes_number"] == number), before)
        for number in range(portions)
    ]
    found = {"drift": drift, "estimated_auc": None, "realised": realised, "seconds": seconds}
    Path(answer).write_text(json.dumps(found))


def find_drift(week: Dataset, reference: Dataset) -> list[str]:
    """The columns whose drift exceeds the threshold of its method; a p-value has to be below."""
    metrics = Report([DataDriftPreset()]).run(week, reference).dict()["metrics"]
    drifted = []
    for metric in metrics:
        if match := re.match(r"ValueDrift\(column=(\w+),method=(.*),threshold=([\d.]+)\)", metric["metric_name"]):
            column, method, threshold = match[1], match[2], float(match[3])
            is_drifted = metric["value"] < threshold if "p_value" in method else metric["value"] >= threshold
            drifted += [column] if is_drifted else []
    return drifted


def read_outcomes(data: np.lib.npyio.NpzFile, part: str, is_chosen: np.ndarray) -> Dataset:
    """Probabilities, predictions and outcomes."""
    frame = pd.DataFrame(
        {name: data[f"{part}_{name}"][is_chosen] for name in ("probability", "prediction", "defaulted")}
    )
    classification = BinaryClassification(
        target="defaulted", prediction_labels="prediction", prediction_probas="probability", pos_label=1
    )
    return Dataset.from_pandas(frame, DataDefinition(classification=[classification]))


def is_different(outcomes: Dataset, reference: Dataset) -> bool:
    """Whether a test of the results fails; by default they may differ by 20 % from those of the reference."""
    tests = Report([ClassificationPreset()], include_tests=True).run(outcomes, reference).dict()["tests"]
    return any(test["name"].startswith(RESULTS) and "FAIL" in str(test["status"]) for test in tests)


if __name__ == "__main__":
    main(*sys.argv[1:])
