"""OptBinning: optimal bins of each field, at most 8, their WOE in a logistic regression; missing values are a bin."""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd
from optbinning import BinningProcess, Scorecard
from sklearn.linear_model import LogisticRegression

MAX_BINS = 8


def main(table: str, answer: str) -> None:
    """Cross-validate on the folds of the table."""
    warnings.simplefilter("ignore")
    given = np.load(table)
    frame = pd.DataFrame(given["X"], columns=given["names"])
    categories = given["names"][given["kinds"] == "category"].tolist()
    for name in categories:
        frame[name] = [None if value != value else f"level {value:.0f}" for value in frame[name]]
    y, folds = given["y"], given["folds"]
    probability = np.empty(len(y))
    began = time.process_time()
    for fold in np.unique(folds):
        is_measured = folds == fold
        bins = BinningProcess(list(frame.columns), categorical_variables=categories, max_n_bins=MAX_BINS)
        model = Scorecard(bins, LogisticRegression(max_iter=1000))
        model.fit(frame[~is_measured], y[~is_measured], metric_missing="empirical")
        probability[is_measured] = model.predict_proba(frame[is_measured])[:, 1]
    np.savez(answer, probability=probability, seconds=time.process_time() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
