"""Models that give no answer for some numbers: the artifact refuses the same numbers, at every door."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from model.contract import Field
from model.loading import load_model
from serve.app import create_app_for_model
from serve.settings import Settings
from train.__main__ import main
from train.fitted.model import Input
from train.importing.card import limit_fields
from train.proof_rows import draw_test_rows
from train.readers.describe import describe

ABOVE_MINUS_ONE = float(np.nextafter(-1.0, 0.0))
"""The smallest number that log1p takes."""

REFUSED = "expected a number greater than -1, got"


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """The import of a logistic regression on logarithms, with reference.csv."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"income": random.lognormal(7, 1, 300), "debt": random.lognormal(6, 1, 300) - 0.99})
    pipeline = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()).fit(X, X["debt"] > X["income"])
    joblib.dump(pipeline, tmp_path / "model.pkl")
    X.to_csv(tmp_path / "reference.csv", index=False)
    paths = {"--pipeline": "model.pkl", "--reference": "reference.csv", "--out": "."}
    options = [part for option, name in paths.items() for part in (option, str(tmp_path / name))]
    return ["import", "--threshold", "0.5", "--default", "True", "--trust", *options]


def post(path: Path, applicant: dict[str, Any]) -> httpx.Response:
    """POST /score of the artifact."""
    app = create_app_for_model(load_model(path.read_bytes()), Settings(log_level="warning"))

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post("/score", json={"applicants": [applicant]})

    return asyncio.run(send())


def test_the_service_refuses_a_number_for_which_the_model_has_no_answer(arguments: list[str], tmp_path: Path) -> None:
    """400 with the field and its limit; the model raises for it."""
    assert main(arguments) == 0

    answer = post(tmp_path / "model.onnx", {"income": 10, "debt": -5})

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "/applicants/0/debt", "detail": f"{REFUSED} -5"}]
    assert post(tmp_path / "model.onnx", {"income": 10, "debt": ABOVE_MINUS_ONE}).status_code == 200


def test_a_reference_applicant_beyond_a_limit_is_refused(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the line and the field."""
    with (tmp_path / "reference.csv").open("a") as table:
        table.write("-1,3\n")

    assert main(arguments) == 2

    assert f"field 'income' in line 302 of {tmp_path / 'reference.csv'}: {REFUSED} '-1'" in capsys.readouterr().err


def test_documented_bounds_lie_within_the_limits() -> None:
    """As far as a card says more than the model takes."""
    field = Field("n", "n", "", "number", (), -5.0, 50.0, False, "r")
    inputs = [Input("n"), Input("n", lowest=ABOVE_MINUS_ONE), Input("n", lowest=0.0, highest=20.0)]

    limited = limit_fields([field] * 3, inputs)

    assert [(one.minimum, one.maximum, one.lowest, one.highest) for one in limited] == [
        (-5.0, 50.0, None, None),
        (ABOVE_MINUS_ONE, 50.0, ABOVE_MINUS_ONE, None),
        (0.0, 20.0, 0.0, 20.0),
    ]


@pytest.mark.parametrize("function", [np.log1p, np.log, np.sqrt])
def test_the_rows_of_the_proof_are_numbers_that_the_model_takes(function: np.ufunc) -> None:
    """Extremes and numbers beside the thresholds of trees too; one of them is the limit itself."""
    X = np.random.default_rng(0).lognormal(0, 1, (200, 2))
    pipeline = make_pipeline(FunctionTransformer(function), GradientBoostingClassifier(n_estimators=3))
    described = describe(pipeline.fit(X, X[:, 0] > X[:, 1]))
    fields = [Field(one.name, "n", "", "number", (), None, None, False, "r") for one in described.inputs]

    groups = [*draw_test_rows(described, list(limit_fields(fields, described.inputs)), X, 0)]

    assert min(rows.min() for rows in groups) == described.inputs[0].lowest
    for rows in groups:
        # Trees take no number beyond float32.
        assert np.isfinite(described.ask(rows[described.is_taken(rows)])).all()
