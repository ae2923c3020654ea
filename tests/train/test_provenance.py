"""Commit and time of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import TrainingError
from train.provenance import trace_origin


def test_source_date_epoch_is_the_time_of_the_model(credit_card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It overrides the time of the commit."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")

    assert trace_origin([credit_card]).trained_at == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize("epoch", ["yesterday", "-5", "²", "9" * 30], ids=["text", "negative", "superscript", "huge"])
def test_an_invalid_source_date_epoch_is_refused(
    epoch: str, credit_card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message gives value and expectation."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)

    with pytest.raises(TrainingError, match=f"{epoch!r}, expected whole seconds"):
        trace_origin([credit_card])


def test_a_table_from_outside_the_repository_is_never_called_clean(tmp_path: Path) -> None:
    """The commit alone can't reproduce the model, because it doesn't hold the table."""
    table = tmp_path / "t.csv"
    table.write_text("a\n1\n")

    origin = trace_origin([table])

    assert origin.commit == "unknown" or origin.commit.endswith("-dirty")
    assert set(origin.libraries) == {"python", "numpy", "onnx", "onnxruntime", "scikit-learn"}
