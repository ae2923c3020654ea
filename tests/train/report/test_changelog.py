"""artifacts/CHANGELOG.md: an entry a model, the newest first, nothing lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from msgspec import structs

from train.report.changelog import INTRODUCTION, update_changelog
from train.report.findings import Findings


def write(folder: Path, text: bytes | None) -> str:
    """Put a changelog into its folder; its text."""
    assert text is not None
    (folder / "CHANGELOG.md").write_bytes(text)
    return text.decode()


def test_the_first_model_opens_the_changelog(tmp_path: Path, findings: Findings) -> None:
    """Version, hash, data, commit, metrics."""
    text = write(tmp_path, update_changelog(tmp_path, findings))

    assert text.startswith(INTRODUCTION)
    assert f"## {findings.contract.version}: loans, boosting" in text
    for told in (findings.sha256, "d" * 64, "0123abc", "the first model in this folder", "| AUC | "):
        assert told in text


def test_the_same_bytes_add_nothing(tmp_path: Path, findings: Findings) -> None:
    """Training again without a change."""
    write(tmp_path, update_changelog(tmp_path, findings))

    assert update_changelog(tmp_path, findings) is None


def test_another_model_goes_on_top_and_says_what_changed(tmp_path: Path, findings: Findings, content: bytes) -> None:
    """Metrics beside those before; what people wrote below stays, word for word."""
    first = write(tmp_path, update_changelog(tmp_path, findings)) + "\nApproved by the committee.\n"
    (tmp_path / "CHANGELOG.md").write_text(first)
    (tmp_path / "model.onnx").write_bytes(content)
    training = structs.replace(findings.contract.training, data_sha256="e" * 64, seed=9)
    contract = structs.replace(findings.contract, version="2027.01.01-aaaaaaaa", training=training)

    text = write(tmp_path, update_changelog(tmp_path, replace(findings, contract=contract, sha256="f" * 64)))

    assert text.index("2027.01.01-aaaaaaaa") < text.index(f"## {findings.contract.version}")
    assert text.endswith(first.removeprefix(INTRODUCTION))
    assert "changed since: the data, the seed" in text
    assert "The rows held out before were others" in text


def test_a_model_that_cant_be_read_is_named_by_its_hash(tmp_path: Path, findings: Findings) -> None:
    """An older format or a broken file doesn't stop the next model."""
    (tmp_path / "model.onnx").write_bytes(b"broken")

    assert "a file that this code can't read" in write(tmp_path, update_changelog(tmp_path, findings))


def test_a_changelog_that_people_began_is_kept(tmp_path: Path, findings: Findings) -> None:
    """Its introduction stays on top, its text below."""
    (tmp_path / "CHANGELOG.md").write_text("# Our models\n\nRead before use.\n\n## 2019\n\nThe first.\n")

    text = write(tmp_path, update_changelog(tmp_path, findings))

    assert text.startswith("# Our models\n\nRead before use.\n\n## 2026.01.02")
    assert text.endswith("## 2019\n\nThe first.\n")
