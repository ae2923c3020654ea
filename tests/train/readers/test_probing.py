"""What the library takes: missing values, and numbers within limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler

from train.readers.describe import describe

RANDOM = np.random.default_rng(0)
X = np.abs(RANDOM.normal(size=(200, 2))) + 0.1
Y = (X.sum(axis=1) > 1.5).astype(int)

ABOVE_MINUS_ONE = float(np.nextafter(-1.0, 0.0))


@pytest.mark.parametrize(
    ("steps", "classifier", "nullable", "lowest", "highest"),
    [
        ([StandardScaler()], LogisticRegression(), False, -np.inf, np.inf),
        ([SimpleImputer()], RandomForestClassifier(3), True, -np.inf, np.inf),
        ([FunctionTransformer(np.log1p)], LogisticRegression(), False, ABOVE_MINUS_ONE, np.inf),
        ([SimpleImputer(), FunctionTransformer(np.log)], LogisticRegression(), True, 5e-324, np.inf),
        ([FunctionTransformer(np.sqrt)], LogisticRegression(), False, 0.0, np.inf),
        ([FunctionTransformer(np.exp)], LogisticRegression(), False, -np.inf, 709.782712893384),
        ([PowerTransformer("box-cox")], LogisticRegression(), False, 5e-324, np.inf),
        ([FunctionTransformer(np.log1p)], HistGradientBoostingClassifier(), True, -np.inf, np.inf),
    ],
)
def test_inputs_tell_what_the_library_takes(
    steps: list[Any], classifier: Any, nullable: bool, lowest: float, highest: float
) -> None:
    """Numbers without a logarithm are refused where the classifier refuses missing values."""
    model = make_pipeline(*steps, classifier).fit(X, Y)

    inputs = describe(model).inputs

    assert [(one.nullable, one.lowest, one.highest) for one in inputs] == [(nullable, lowest, highest)] * 2
