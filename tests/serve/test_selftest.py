"""`python -m serve.selftest`: exit code 0 and the model's name, or 1 and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.checksum import append_checksum
from model.session import Model
from serve.selftest import main
from tests.serve.files import UNSERVABLE


@pytest.fixture
def model_path(content: bytes, tmp_path: Path) -> Path:
    """The model as a file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path


def test_a_valid_model_passes_and_is_named(model_path: Path, model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, version, sha256 and the number of golden rows."""
    assert main([str(model_path)]) == 0

    expected = f"self-test passed: test 2026.01.02-abcdef01, sha256 {model.sha256}, 16 golden rows answered as exported"
    assert capsys.readouterr().out.splitlines() == [expected]


def test_without_an_argument_the_model_of_the_settings_is_tested(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file that MODEL_PATH names, as the service will load it."""
    monkeypatch.setenv("MODEL_PATH", str(model_path))

    assert main([]) == 0

    assert "self-test passed: test 2026.01.02-abcdef01" in capsys.readouterr().out


def test_the_argument_overrides_model_path(model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "absent.onnx"))

    assert main([str(model_path)]) == 0


@pytest.mark.parametrize(
    ("content_of_file", "message"),
    [
        (b"", "ends without its checksum"),
        (b"garbage", "ends without its checksum"),
        (append_checksum(b"garbage"), "not a graph"),
        (None, "No such file or directory; make one with:"),
    ],
    ids=["empty", "garbage", "garbage with a checksum", "absent"],
)
def test_a_file_that_isnt_a_model_fails_with_one_sentence(
    tmp_path: Path, content_of_file: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, one line on stderr, nothing on stdout."""
    path = tmp_path / "broken.onnx"
    if content_of_file is not None:
        path.write_bytes(content_of_file)

    assert main([str(path)]) == 1

    printed = capsys.readouterr()
    assert (printed.out, len(printed.err.splitlines())) == ("", 1)
    assert printed.err.startswith("self-test failed: ")
    assert message in printed.err


@pytest.mark.parametrize("fault", UNSERVABLE)
def test_a_model_that_would_fail_for_an_applicant_fails_with_one_sentence(
    content: bytes, tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As at start and at reload."""
    make, message = UNSERVABLE[fault]
    (tmp_path / "model.onnx").write_bytes(make(content))

    assert main([str(tmp_path / "model.onnx")]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"self-test failed: {message}")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "http", "PORT is 'http', expected a whole number from 0 to 65535"),
        ("API_KEYS", ",", "API_KEYS is ',', expected keys, separated by commas; unset it for a service without keys"),
    ],
)
def test_a_wrong_setting_fails_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, message: str
) -> None:
    """So that a release with an invalid setting is stopped before it starts."""
    monkeypatch.setenv(name, value)

    assert main([]) == 1

    assert capsys.readouterr().err.splitlines() == [f"self-test failed: {message}"]
