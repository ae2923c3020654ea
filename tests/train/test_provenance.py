"""Where a model comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import TrainingError
from train.provenance import trace_origin


def test_source_date_epoch_is_the_time_of_the_model(credit_card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reproducible builds name the moment from outside."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")

    assert "1970-01-01T00:00:00Z" == trace_origin([credit_card]).trained_at


def test_a_wrong_source_date_epoch_is_named(credit_card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Value and expectation in one sentence."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")

    with pytest.raises(TrainingError, match="'yesterday', expected whole seconds"):
        trace_origin([credit_card])


def test_a_table_from_outside_the_repository_is_never_called_clean(tmp_path: Path) -> None:
    """No commit holds it, so the commit of the code alone doesn't tell how to make the model again."""
    table = tmp_path / "t.csv"
    table.write_text("a\n1\n")

    origin = trace_origin([table])

    assert origin.commit == "unknown" or origin.commit.endswith("-dirty")
    assert {"python", "numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx"} == set(origin.libraries)
