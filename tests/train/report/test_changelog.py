"""artifacts/CHANGELOG.md: one entry for each model, the newest first; existing text is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from msgspec import structs

from train.report.changelog import INTRODUCTION, update_changelog
from train.report.findings import Findings


def write(folder: Path, text: bytes | None) -> str:
    """Write a changelog into its folder; returns its text."""
    assert text is not None
    (folder / "CHANGELOG.md").write_bytes(text)
    return text.decode()


def test_the_first_model_opens_the_changelog(tmp_path: Path, findings: Findings) -> None:
    """The entry has version, sha256, data, commit and metrics."""
    text = write(tmp_path, update_changelog(tmp_path, findings))

    assert text.startswith(INTRODUCTION)
    assert f"## {findings.contract.version}: loans, boosting" in text
    for fact in (findings.sha256, "d" * 64, "0123abc", "first model in this folder", "| AUC | "):
        assert fact in text


def test_the_same_model_adds_no_entry(tmp_path: Path, findings: Findings) -> None:
    """The sha256 of the newest entry is compared."""
    write(tmp_path, update_changelog(tmp_path, findings))

    assert update_changelog(tmp_path, findings) is None


def test_a_new_model_goes_on_top_and_names_what_changed(tmp_path: Path, findings: Findings, content: bytes) -> None:
    """Text that people added to older entries is kept verbatim."""
    first = write(tmp_path, update_changelog(tmp_path, findings)) + "\nApproved by the committee.\n"
    (tmp_path / "CHANGELOG.md").write_text(first)
    (tmp_path / "model.onnx").write_bytes(content)
    training = structs.replace(findings.contract.training, data_sha256="e" * 64, seed=9)
    contract = structs.replace(findings.contract, version="2027.01.01-aaaaaaaa", training=training)

    text = write(tmp_path, update_changelog(tmp_path, replace(findings, contract=contract, sha256="f" * 64)))

    assert text.index("2027.01.01-aaaaaaaa") < text.index(f"## {findings.contract.version}")
    assert text.endswith(first.removeprefix(INTRODUCTION))
    assert "; changed: data, seed" in text
    assert "The two hold-outs differ" in text


def test_an_entry_says_that_its_figures_are_out_of_time(tmp_path: Path, findings_over_time: Findings) -> None:
    """With the first day of the hold-out."""
    text = write(tmp_path, update_changelog(tmp_path, findings_over_time))

    assert "| out of time, the newest 240 rows since 2007-01-01 | this model |" in text


def test_an_unreadable_predecessor_is_named_by_its_sha256(tmp_path: Path, findings: Findings) -> None:
    """An older format or a broken file doesn't stop training."""
    (tmp_path / "model.onnx").write_bytes(b"broken")

    assert "replaces a file that can't be read, sha256 `" in write(tmp_path, update_changelog(tmp_path, findings))


def test_an_existing_changelog_is_kept(tmp_path: Path, findings: Findings) -> None:
    """Its introduction stays on top, its entries below the new one."""
    (tmp_path / "CHANGELOG.md").write_text("# Our models\n\nRead before use.\n\n## 2019\n\nThe first.\n")

    text = write(tmp_path, update_changelog(tmp_path, findings))

    assert text.startswith("# Our models\n\nRead before use.\n\n## 2026.01.02")
    assert text.endswith("## 2019\n\nThe first.\n")
