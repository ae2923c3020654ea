"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import TrainingError
from train.files import write_together, write_whole


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


def test_files_that_belong_together_are_all_replaced_or_none(tmp_path: Path) -> None:
    """The second can't be written: the first stays as it was, and no draft stays."""
    (tmp_path / "report.html").write_bytes(b"old")
    (tmp_path / "model.onnx").mkdir()

    with pytest.raises(TrainingError, match=r"can't write .*model\.onnx"):
        write_together({tmp_path / "report.html": b"new", tmp_path / "model.onnx": b"new"})

    assert b"old" == (tmp_path / "report.html").read_bytes()
    assert {"report.html", "model.onnx"} == {path.name for path in tmp_path.iterdir()}


def test_files_that_belong_together_are_all_written(tmp_path: Path) -> None:
    """In folders that are made if absent."""
    contents = {tmp_path / "a" / "one": b"1", tmp_path / "a" / "two": b"2"}

    write_together(contents)

    assert contents == {path: path.read_bytes() for path in (tmp_path / "a").iterdir()}
