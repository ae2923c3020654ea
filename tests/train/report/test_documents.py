"""The documents beside a model: what a rejected model leaves behind, and what stands in its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from model.estimates import Estimate
from model.loading import load_model
from model.scorecard import BinFacts, Scorecard, ScorecardField, ScorecardPair
from train.errors import TrainingError
from train.points_table.files import NAMES
from train.report.documents import remove_earlier, write_accepted, write_rejected
from train.report.findings import Findings
from train.report.recalibrated import NO_TABLE, Note, render_notes


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

    told = remove_earlier(link.parent)

    assert told == f"{link} was left: it is a link or a file, expected a folder of an earlier training"
    assert link.is_symlink()
    assert (outside / "model.onnx").read_bytes() == b"theirs"


def test_links_in_the_folder_are_removed_and_not_what_they_name(tmp_path: Path, outside: Path) -> None:
    """The file elsewhere stays."""
    (tmp_path / "rejected").mkdir()
    (tmp_path / "rejected" / "model.onnx").symlink_to(outside / "model.onnx")

    assert remove_earlier(tmp_path) is None
    assert not (tmp_path / "rejected").exists()
    assert (outside / "model.onnx").read_bytes() == b"theirs"


def test_a_file_in_the_place_of_the_folder_is_left(tmp_path: Path) -> None:
    """And told."""
    (tmp_path / "rejected").write_text("a list of rejected applicants")

    assert "rejected was left: it is a link or a file" in str(remove_earlier(tmp_path))
    assert (tmp_path / "rejected").read_text() == "a list of rejected applicants"


def test_a_folder_in_the_place_of_a_file_is_left(tmp_path: Path) -> None:
    """And told, since the model has been written already."""
    (tmp_path / "rejected" / "report.html").mkdir(parents=True)

    assert "of an earlier training was left: " in str(remove_earlier(tmp_path))
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
    assert remove_earlier(tmp_path) is None


@pytest.fixture
def scorecard_findings(findings: Findings) -> Findings:
    """The findings as if the model were a scorecard of two fields and their pair."""
    facts = BinFacts(0.5, 0.2, 0.1, 0.05)
    fields = (
        ScorecardField("income", 0, (50.0,), (), (0, 20, 5), (facts,) * 3, 0.1),
        ScorecardField("home", 2, (), ((0, 2), (1,)), (12, 0, 3), (facts,) * 3, None),
    )
    scorecard = Scorecard(500, 487.0, 28.0, fields, (ScorecardPair((0, 1), ((0, 1, 2),) * 3),))
    return replace(findings, contract=structs.replace(findings.contract, scorecard=scorecard))


def test_a_scorecard_has_its_points_table_beside_it(
    tmp_path: Path, scorecard_findings: Findings, content: bytes
) -> None:
    """Named in the report and in the model card, which stay as they are for another model."""
    documents = write_accepted(tmp_path, scorecard_findings, content)
    write_rejected(tmp_path, scorecard_findings, content)

    assert {path.name for path in documents} == {"report.html", "MODEL_CARD.md", "CHANGELOG.md", *NAMES}
    for name in ("report.html", "MODEL_CARD.md"):
        text = (tmp_path / name).read_text()
        assert [file for file in NAMES if file not in text] == []
    report = (tmp_path / "report.html").read_text()
    assert "<tr><th>Income <span>" in report
    assert "<tr><th>Income × Home | $housing$ 住</th>" in report

    assert remove_earlier(tmp_path, documents) is None
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", *(path.name for path in documents)}


def test_a_recalibrated_scorecard_has_no_points_table(
    tmp_path: Path, scorecard_findings: Findings, content: bytes
) -> None:
    """Neither its section, nor links to files that aren't there; the note says so."""
    write_accepted(tmp_path, scorecard_findings, content)
    parent: Any = SimpleNamespace(contract=scorecard_findings.contract, sha256=scorecard_findings.sha256)
    note = Note(load_model(content), parent, Estimate(0.6, 0.5, 0.7), None, 900, 0.3, 0.2, "AUC 0.8", "data")

    documents = render_notes(tmp_path, tmp_path / "out", note)

    for name in ("report.html", "MODEL_CARD.md"):
        text = documents[tmp_path / "out" / name].decode()
        assert [word for word in (*NAMES, 'id="scorecard"', "#scorecard", "**Points:**") if word in text] == []
        assert f"The{NO_TABLE[3:]}. Order of applicants" in text
    assert '<h2 id="fields">' in documents[tmp_path / "out" / "report.html"].decode()


def test_another_model_removes_the_points_table(
    tmp_path: Path, scorecard_findings: Findings, findings: Findings, content: bytes
) -> None:
    """Its points would be another model's."""
    write_accepted(tmp_path, scorecard_findings, content)

    documents = write_accepted(tmp_path, findings, content)
    told = remove_earlier(tmp_path, documents)

    assert told == f"removed {', '.join(NAMES)} of an earlier scorecard, whose points aren't this model's"
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "report.html", "MODEL_CARD.md", "CHANGELOG.md"}
    assert "scorecard" not in (tmp_path / "MODEL_CARD.md").read_text()


def test_files_of_the_same_names_are_kept(tmp_path: Path) -> None:
    """Where people have put their own."""
    for name in NAMES:
        (tmp_path / name).write_text("points of ours")

    assert remove_earlier(tmp_path) is None
    assert {path.name for path in tmp_path.iterdir()} == set(NAMES)
