"""python -m serve.selftest: exit code 0 and which model, or exit code 1 and why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve.model import Model
from serve.seal import seal
from serve.selftest import main


@pytest.fixture
def model_path(content: bytes, tmp_path: Path) -> Path:
    """The model as a file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path


def test_a_sound_model_passes_and_is_named(model_path: Path, model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, version, sha256 and how many golden rows stood for it."""
    assert 0 == main([str(model_path)])

    expected = f"self-test passed: test 2026.01.02-abcdef01, sha256 {model.sha256}, 16 golden rows answered as exported"
    assert [expected] == capsys.readouterr().out.splitlines()


def test_without_an_argument_the_model_of_the_settings_is_tested(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The release step proves the very file that the web step will serve."""
    monkeypatch.setenv("MODEL_PATH", str(model_path))

    assert 0 == main([])

    assert "self-test passed: test 2026.01.02-abcdef01" in capsys.readouterr().out


def test_an_argument_goes_before_the_settings(
    model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named on the command line is the one that is tested."""
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "absent.onnx"))

    assert 0 == main([str(model_path)])


@pytest.mark.parametrize(
    ("content_of_file", "message"),
    [
        (b"", "ends without a seal"),
        (b"garbage", "ends without a seal"),
        (seal(b"garbage"), "not a graph"),
        (None, "No such file or directory; make one with:"),
    ],
    ids=["empty", "garbage", "sealed garbage", "absent"],
)
def test_a_file_that_isnt_a_model_fails_with_one_sentence(
    tmp_path: Path, content_of_file: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 stops the deployment; the reason is one line on stderr, and stdout stays empty."""
    path = tmp_path / "broken.onnx"
    if content_of_file is not None:
        path.write_bytes(content_of_file)

    assert 1 == main([str(path)])

    printed = capsys.readouterr()
    assert ("", 1) == (printed.out, len(printed.err.splitlines()))
    assert printed.err.startswith("self-test failed: ")
    assert message in printed.err


def test_a_wrong_setting_fails_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A release with a setting that the web step would refuse is stopped here already."""
    monkeypatch.setenv("PORT", "http")

    assert 1 == main([])

    assert ["self-test failed: PORT is 'http', expected a whole number from 0 to 65535"] == (
        capsys.readouterr().err.splitlines()
    )
