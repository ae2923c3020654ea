"""Files are replaced atomically."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import TrainingError
from train.files import write_together, write_whole


def test_a_file_is_replaced_and_no_temporary_file_remains(tmp_path: Path) -> None:
    """The folder is created if absent; afterwards it holds only the file."""
    path = tmp_path / "new" / "model.onnx"
    write_whole(path, b"one")
    write_whole(path, b"two")

    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    """A folder is in the file's place."""
    (tmp_path / "model.onnx").mkdir()

    with pytest.raises(TrainingError, match="can't write"):
        write_whole(tmp_path / "model.onnx", b"one")
    assert list(tmp_path.iterdir()) == [tmp_path / "model.onnx"]


def test_of_several_files_all_are_replaced_or_none(tmp_path: Path) -> None:
    """If the second can't be written, the first is unchanged and no temporary file remains."""
    (tmp_path / "report.html").write_bytes(b"old")
    (tmp_path / "model.onnx").mkdir()

    with pytest.raises(TrainingError, match=r"can't write .*model\.onnx"):
        write_together({tmp_path / "report.html": b"new", tmp_path / "model.onnx": b"new"})

    assert (tmp_path / "report.html").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "model.onnx"}


def test_several_files_are_written(tmp_path: Path) -> None:
    """Into folders that are created if absent."""
    contents = {tmp_path / "a" / "one": b"1", tmp_path / "a" / "two": b"2"}

    write_together(contents)

    assert {path: path.read_bytes() for path in (tmp_path / "a").iterdir()} == contents
