"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import TrainingError
from train.files import write_whole


def test_a_file_is_replaced_in_one_step_and_no_draft_stays(tmp_path: Path) -> None:
    """The folder is made if absent; afterwards it holds the file alone."""
    path = tmp_path / "new" / "model.onnx"
    write_whole(path, b"one")
    write_whole(path, b"two")

    assert b"two" == path.read_bytes()
    assert [path] == list(path.parent.iterdir())


def test_a_place_that_cant_be_replaced_leaves_no_draft(tmp_path: Path) -> None:
    """A folder where the file should be: one sentence, nothing beside it."""
    (tmp_path / "model.onnx").mkdir()

    with pytest.raises(TrainingError, match="can't write"):
        write_whole(tmp_path / "model.onnx", b"one")
    assert [tmp_path / "model.onnx"] == list(tmp_path.iterdir())
