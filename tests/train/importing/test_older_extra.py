"""Pickles of old versions of scikit-learn, fitted by those versions; uv installs them from PyPI."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from model.loading import load_model
from train.__main__ import main
from train.importing.older import build_environment, read_requirements

FIT = """
import pickle, sys
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

random = np.random.RandomState(0)
table = pd.DataFrame({"income": random.normal(size=300), "home": random.choice(["own", "rent"], 300)})
y = random.randint(0, 2, 300)
numbers = Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())])
prepare = ColumnTransformer([("numbers", numbers, ["income"]), ("words", OneHotEncoder(), ["home"])])
last = {"logistic": LogisticRegression(solver="lbfgs"), "forest": RandomForestClassifier(5, max_depth=5)}[sys.argv[1]]
model = Pipeline([("prepare", prepare), ("model", last)]).fit(table, y)
table.to_csv(sys.argv[3], index=False)
with open(sys.argv[2], "wb") as file:
    pickle.dump(model, file)
print(model.predict_proba(table)[0, 1])
"""


@pytest.mark.parametrize("version", ["0.24.2", "1.2.2"])
@pytest.mark.parametrize("kind", ["logistic", "forest"])
def test_old_pickle_is_imported_and_proven(
    version: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The export gives the probability that the old version itself gave when it was fitted."""
    requirements, pickled, table = tmp_path / "old.txt", tmp_path / "model.pkl", tmp_path / "table.csv"
    requirements.write_text(f"scikit-learn=={version}\n")
    python = build_environment(pickled, read_requirements(requirements))
    fit = [str(python), "-c", FIT, kind, str(pickled), str(table)]
    expected = float(subprocess.run(fit, capture_output=True, text=True, check=True).stdout)

    options = ["--trust", "--threshold", "0.5", "--reference", str(table), "--default", "1", "--out", str(tmp_path)]
    assert main(["import", "--pipeline", str(pickled), *options]) == 0
    assert f"read beside scikit-learn {version}" in " ".join(capsys.readouterr().out.split())
    model = load_model((tmp_path / "model.onnx").read_bytes())
    income, home = table.read_text().splitlines()[1].split(",")
    row = np.array([[float(income), float(home == "rent")]])
    assert model.score(row).probability[0] == pytest.approx(expected, abs=1e-12)
