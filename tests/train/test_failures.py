"""Every fault of input, arguments or disk is one sentence and exit code 2, at every command of `python -m train`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.__main__ import main

MODEL = "artifacts/model.onnx"
TRAIN = ["--data", "TABLE", "--target", "outcome", "--model", "logistic"]

FAULTS: dict[str, list[str]] = {
    "a card that is a folder": ["FOLDER"],
    "a card that is a table": ["TABLE"],
    "a card that is a model": [MODEL],
    "a card with an infinite cost": ["CARD"],
    "a name that is too long": ["x" * 5_000],
    "a table that is a folder": ["--data", "FOLDER", "--target", "outcome"],
    "a table that is a model": ["--data", MODEL, "--target", "outcome"],
    "an empty table": ["--data", "/dev/null", "--target", "outcome"],
    "OUT is a dangling link": [*TRAIN, "--out", "LINK"],
    "OUT is a file": [*TRAIN, "--out", "TABLE"],
    "a separator of two characters": [*TRAIN, "--separator", "ab"],
    "an unknown encoding": [*TRAIN, "--encoding", "nope"],
    "an encoding that is no text": [*TRAIN, "--encoding", "zlib"],
    "another encoding": [*TRAIN, "--encoding", "utf-16"],
    "another separator": [*TRAIN, "--separator", ";"],
    "--ignore of no column": [*TRAIN, "--ignore", "nope"],
    "--allow of no column": [*TRAIN, "--allow", "nope"],
    "an id that isn't unique": [*TRAIN, "--id", "home"],
    "a target of numbers": ["--data", "TABLE", "--target", "amount"],
    "drift: a folder": ["drift", "FOLDER"],
    "drift: other columns": ["drift", "TABLE"],
    "drift: no model": ["drift", "TABLE", "--model", "TABLE"],
    "compare: other columns": ["compare", MODEL, MODEL, "--data", "TABLE", "--target", "outcome"],
    "compare: no model": ["compare", MODEL, "TABLE", "--data", "TABLE", "--target", "outcome"],
    "compare: an infinite cost": ["compare", MODEL, MODEL, "--data", "CARD"],
    "repository: no model": ["repository", "TABLE"],
    "repository: OUT is a file": ["repository", MODEL, "--out", "TABLE"],
    "import: a folder": ["import", "--pipeline", "FOLDER", "--trust"],
    "import: a table": ["import", "--pipeline", "TABLE", "--trust"],
    "features: a file": ["features", "TABLE"],
    "features: an empty folder": ["features", "FOLDER"],
}

CARD = """
[dataset]
name = "a"
path = "loans.csv"
target = "outcome"
default = 1
[policy]
cost_default = inf
[fields.amount]
label = "Amount"
kind = "number"
reason = "Amount"
"""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence(
    fault: str,
    write_table: Callable[..., Path],
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2, and no model is written."""
    monkeypatch.chdir(root)
    places = {
        "TABLE": write_table(),
        "FOLDER": tmp_path / "folder",
        "LINK": tmp_path / "link",
        "CARD": tmp_path / "c.toml",
    }
    places["FOLDER"].mkdir()
    places["LINK"].symlink_to(tmp_path / "nowhere" / "deep")
    places["CARD"].write_text(CARD)
    arguments = [str(places.get(argument, argument)) for argument in FAULTS[fault]]
    if "--out" not in arguments and arguments[0] != "compare":
        arguments += ["--out", str(tmp_path / "out")]

    assert main(arguments) == 2

    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("model.onnx"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.text(alphabet='ab,;\t|"\n\r 019.-=', max_size=120).map(str.encode))
def test_no_content_of_a_table_ends_in_a_trace(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the bytes."""
    path = tmp_path / "table.csv"
    path.write_bytes(content)

    assert main(["--data", str(path), "--target", "a", "--out", str(tmp_path / "out")]) == 2

    assert len(capsys.readouterr().err.strip().splitlines()) == 1
