"""The documents beside a model: what a rejected model leaves behind, and what stands in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import TrainingError
from train.report.documents import remove_rejected, write_rejected
from train.report.findings import Findings


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder elsewhere with a model, to which `rejected` may be a link."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"theirs")
    return folder


@pytest.mark.parametrize("target", ["outside", "outside/model.onnx", "nowhere"])
def test_a_link_is_left_and_not_followed(tmp_path: Path, outside: Path, target: str) -> None:
    """To a folder, a file or nothing: it is told, and nothing there is removed."""
    link = tmp_path / "models" / "rejected"
    link.parent.mkdir()
    link.symlink_to(tmp_path / target)

    told = remove_rejected(link.parent)

    assert told == f"{link} was left: it is a link or a file, expected a folder of an earlier training"
    assert link.is_symlink()
    assert (outside / "model.onnx").read_bytes() == b"theirs"


def test_links_in_the_folder_are_removed_and_not_what_they_name(tmp_path: Path, outside: Path) -> None:
    """The file elsewhere stays."""
    (tmp_path / "rejected").mkdir()
    (tmp_path / "rejected" / "model.onnx").symlink_to(outside / "model.onnx")

    assert remove_rejected(tmp_path) is None
    assert not (tmp_path / "rejected").exists()
    assert (outside / "model.onnx").read_bytes() == b"theirs"


def test_a_file_in_the_place_of_the_folder_is_left(tmp_path: Path) -> None:
    """And told."""
    (tmp_path / "rejected").write_text("a list of rejected applicants")

    assert "rejected was left: it is a link or a file" in str(remove_rejected(tmp_path))
    assert (tmp_path / "rejected").read_text() == "a list of rejected applicants"


def test_a_folder_in_the_place_of_a_file_is_left(tmp_path: Path) -> None:
    """And told, since the model has been written already."""
    (tmp_path / "rejected" / "report.html").mkdir(parents=True)

    assert "of an earlier training was left: " in str(remove_rejected(tmp_path))
    assert (tmp_path / "rejected" / "report.html").is_dir()


def test_a_rejected_model_is_not_written_through_a_link(
    tmp_path: Path, outside: Path, findings: Findings, content: bytes
) -> None:
    """The error says what to remove."""
    (tmp_path / "rejected").symlink_to(outside)

    with pytest.raises(TrainingError, match="rejected is a link or a file, expected a folder; remove it"):
        write_rejected(tmp_path, findings, content)
    assert (outside / "model.onnx").read_bytes() == b"theirs"


def test_no_folder_of_an_earlier_training_is_nothing_to_tell(tmp_path: Path) -> None:
    """As after most trainings."""
    assert remove_rejected(tmp_path) is None
