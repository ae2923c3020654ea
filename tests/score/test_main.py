"""`python -m score` on real files: its output, errors, interruption and memory."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv as arrow_csv

from model.session import Model
from score.__main__ import main
from score.result_columns import scored_columns
from score.scorer import Scorer

Draw = Callable[..., pa.Table]
Run = Callable[..., Path]

MAX_MEGABYTES = 400
"""Memory of a run over one row group of 4,000,000 rows."""


@pytest.fixture
def run(model_path: Path, tmp_path: Path) -> Run:
    """Runs the command with further options, asserts its exit code, and returns the output folder."""

    def run(source: Path, *more: str, out: str = "out", code: int = 0) -> Path:
        assert main([str(source), str(tmp_path / out), "--model", str(model_path), *more]) == code
        return tmp_path / out

    return run


def command(source: Path, out: Path, model: Path, *more: str) -> list[str]:
    """The command line of a separate process."""
    return [sys.executable, "-m", "score", str(source), str(out), "--model", str(model), *more]


def tree(folder: Path) -> dict[str, str]:
    """Relative path → sha256 of every file in a folder, but for the time when it was finished."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = {path: re.sub(rb'"finished_at": "[^"]+"', b"", path.read_bytes()) for path in paths}
    return {str(path.relative_to(folder)): hashlib.sha256(content).hexdigest() for path, content in contents.items()}


def scores(out: Path) -> list[dict[str, object]]:
    """The rows of OUT/scores, in order, without the decision ids, which depend on the file."""
    rows: list[dict[str, object]] = pq.read_table(out / "scores").drop(["decision_id"]).to_pylist()
    return rows


def decision_ids(out: Path) -> list[str]:
    """The decision ids of OUT/scores, in order."""
    ids: list[str] = pq.read_table(out / "scores").column("decision_id").to_pylist()
    return ids


def test_the_embedded_data_is_scored_with_the_artifact(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row counts of the file, the manifest, the output and the printed line are equal."""
    out = tmp_path / "out"
    source, model = root / "data" / "credit_data.csv", root / "artifacts" / "model.onnx"
    names = source.read_text().splitlines()[0].replace('"', "").split(",")

    assert main([str(source), str(out), "--model", str(model), "--reasons", "4", "--id", names[0]]) == 0

    manifest = json.loads((out / "manifest.json").read_text())
    rows = manifest["rows"]
    assert (
        f"{rows['read']:,} rows in = {rows['scored']:,} scored + {rows['rejected']:,} rejected"
        in capsys.readouterr().out
    )
    assert rows["read"] == rows["scored"] + rows["rejected"] == len(source.read_text().strip().splitlines()) - 1
    assert len(scores(out)) == rows["scored"] > 0
    assert manifest["job"]["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert (out / "_SUCCESS").exists()


def test_csv_and_parquet_have_the_same_answers(run: Run, draw: Draw, tmp_path: Path) -> None:
    """Also the same rejects: a number out of range, an unknown level."""
    table = draw(500)
    table = table.set_column(1, "Amount", pa.array([1e200, *table.column("Amount").to_pylist()[1:]]))
    table = table.set_column(3, "Home, now", pa.array(["own", "tent", *table.column("Home, now").to_pylist()[2:]]))
    pq.write_table(table, tmp_path / "x.parquet")
    arrow_csv.write_csv(table, tmp_path / "x.csv")

    one, other = run(tmp_path / "x.parquet", "--reasons", "2"), run(tmp_path / "x.csv", "--reasons", "2", out="other")

    assert scores(one) == scores(other)
    faults = pq.read_table(one / "rejects").select(["id", "fault"])
    of_csv = pq.read_table(other / "rejects")
    assert faults.column("id").to_pylist() == of_csv.column("id").to_pylist() == ["A-000000", "A-000001"]
    assert faults.column("fault").to_pylist()[0] == "Amount: expected a number within ±1e+100, got 1e+200"
    assert of_csv.column("fault").to_pylist()[0] == "Amount: expected a number within ±1e+100, got '1e+200'"
    assert pq.read_table(one / "rejects").column("line").to_pylist() == [1, 2]
    assert faults.column("fault").to_pylist()[1] == "Home, now: expected one of: own, rent, got 'tent'"


def test_all_tables_of_a_folder_are_scored(
    run: Run, draw: Draw, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sorted by path, including subfolders and empty tables; other files are reported as ignored."""
    table = draw(1000)
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    pq.write_table(table.slice(0, 400), folder / "a.parquet", row_group_size=7)
    pq.write_table(table.slice(0, 0), folder / "a0.parquet")
    arrow_csv.write_csv(table.slice(400, 100), folder / "b" / "1.csv")
    pq.write_table(table.slice(500), folder / "b" / "2.parquet")
    (folder / "_SUCCESS").touch()
    (folder / "read me.txt").touch()
    pq.write_table(table, tmp_path / "x.parquet")

    out = run(folder)

    assert scores(out) == scores(run(tmp_path / "x.parquet", out="other"))
    assert "ignored, not a CSV or Parquet file by its name" in (err := capsys.readouterr().err)
    assert "read me.txt" in err
    assert "_SUCCESS" not in err


def test_an_empty_table_gives_empty_scores(run: Run, draw: Draw, model: Model, tmp_path: Path) -> None:
    """The output is complete, with _SUCCESS and an empty part that has the columns."""
    pq.write_table(draw(0), tmp_path / "x.parquet")

    out = run(tmp_path / "x.parquet")

    assert json.loads((out / "manifest.json").read_text())["rows"] == {"read": 0, "scored": 0, "rejected": 0}
    assert pq.read_table(out / "scores").schema.names == scored_columns(Scorer(model, 0, "id"))
    assert (out / "_SUCCESS").exists()


def test_a_second_run_changes_nothing(run: Run, draw: Draw, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the same line, and that the output is already finished."""
    pq.write_table(draw(10), tmp_path / "x.parquet")
    before = tree(run(tmp_path / "x.parquet"))
    printed = capsys.readouterr().out

    assert tree(run(tmp_path / "x.parquet")) == before
    captured = capsys.readouterr()
    assert captured.out == printed
    assert "is already finished" in captured.err


def test_existing_files_are_never_overwritten(
    run: Run, draw: Draw, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither scores of other settings, nor folders with other content."""
    pq.write_table(draw(10), tmp_path / "x.parquet")
    before = tree(run(tmp_path / "x.parquet"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()

    assert tree(run(tmp_path / "x.parquet", "--reasons", "1", code=2)) == before
    assert "has scores of other files or settings" in capsys.readouterr().err
    assert list(tree(run(tmp_path / "x.parquet", out="mine", code=2))) == ["thesis.txt"]
    assert "has no finished scores; choose another OUT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(["Income", "Rooms"]), "has no column 'Income', 'Rooms', which the model test needs"),
        (lambda t: t.drop(["id"]), "has no id column 'id'; its columns are: Amount"),
        (lambda t: t.append_column("Income", t.column("Income")), "has 2 columns 'Income'; rename all but one"),
        (
            lambda t: t.set_column(1, "Amount", pa.array([True] * 5)),
            "'Amount' is of type bool, expected a number in EUR",
        ),
        (
            lambda t: t.set_column(0, "id", pa.array([[1]] * 5)),
            "the id is of type list<element: int64>, expected a text",
        ),
    ],
)
def test_a_table_with_wrong_columns_is_refused(
    run: Run,
    draw: Draw,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[pa.Table], pa.Table],
    message: str,
) -> None:
    """Exit code 2, one message, and nothing is written."""
    pq.write_table(change(draw(5)), tmp_path / "x.parquet")

    run(tmp_path / "x.parquet", code=2)

    err = capsys.readouterr().err
    assert err.startswith("can't score: ")
    assert message in err
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "x.parquet"}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (b"", "is not a complete Parquet file"),
        (b"PAR1 cut off", "is not a complete Parquet file"),
        (None, "doesn't exist"),
    ],
)
def test_an_invalid_file_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], written: bytes | None, message: str
) -> None:
    """It is empty, truncated or absent."""
    if written is not None:
        (tmp_path / "x.parquet").write_bytes(written)

    run(tmp_path / "x.parquet", code=2)

    assert message in capsys.readouterr().err


def test_ids_of_different_types_become_text(run: Run, draw: Draw, tmp_path: Path) -> None:
    """The id column of the output has one type: of CSV text, of Parquet a number, or either in a dictionary."""
    (tmp_path / "in").mkdir()
    table = draw(4)
    arrow_csv.write_csv(table.slice(0, 1), tmp_path / "in" / "a.csv")
    pq.write_table(table.slice(1, 1).set_column(0, "id", pa.array([7])), tmp_path / "in" / "b.parquet")
    texts = pa.array([" x "], pa.string_view())
    pq.write_table(table.slice(2, 1).set_column(0, "id", texts), tmp_path / "in" / "c.parquet")
    pq.write_table(
        table.slice(3).set_column(0, "id", pa.array(["y"]).dictionary_encode()), tmp_path / "in" / "d.parquet"
    )

    assert [row["id"] for row in scores(run(tmp_path / "in"))] == ["A-000000", "7", "x", "y"]


def test_a_damaged_row_group_is_an_error_and_no_output_appears(
    run: Run, draw: Draw, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message has the file; once it is repaired, and thus changed, the run starts over."""
    table = draw(2000)
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, row_group_size=500, compression="gzip")
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :])

    out = run(path, code=2)

    assert "can't read row groups" in capsys.readouterr().err
    assert not out.exists()
    path.write_bytes(whole)
    assert len(scores(run(path))) == 2000
    assert {entry.name for entry in tmp_path.iterdir()} == {"model.onnx", "x.parquet", "out"}


def test_a_killed_run_is_resumed_by_the_next(draw: Draw, model_path: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments: the output appears only when complete, equal to that of an undisturbed run."""
    table = draw(20_000)
    (tmp_path / "in").mkdir()
    for number in range(20):
        pq.write_table(table.slice(number * 1000, 1000), tmp_path / "in" / f"{number:02}.parquet")
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    started = time.monotonic()
    subprocess.run(command(tmp_path / "in", calm, model_path, "--reasons", "3"), check=True)
    seconds = time.monotonic() - started
    moments = random.Random(os.getpid())  # noqa: S311

    for _ in range(3):
        process = subprocess.Popen(command(tmp_path / "in", killed, model_path, "--reasons", "3"))
        try:
            process.wait(moments.uniform(0.3, 1.0) * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert not killed.exists() or tree(killed) == tree(calm)
    subprocess.run(command(tmp_path / "in", killed, model_path, "--reasons", "3"), check=True)

    assert tree(killed) == tree(calm)
    assert not (tmp_path / ".killed.unfinished").exists()


def test_complete_parts_are_not_scored_again(run: Run, draw: Draw, model_path: Path, tmp_path: Path) -> None:
    """A complete part of an interrupted run is kept, an incomplete one is scored again."""
    (tmp_path / "in").mkdir()
    for number in range(3):
        pq.write_table(draw(100, seed=number), tmp_path / "in" / f"{number}.parquet")
    whole = run(tmp_path / "in", out="whole")
    draft = tmp_path / ".out.unfinished"
    (draft / "scores").mkdir(parents=True)
    manifest = json.loads((whole / "manifest.json").read_text()) | {"rows": None, "finished_at": None}
    (draft / "manifest.json").write_text(json.dumps(manifest))
    kept = draft / "scores" / "part-00000.parquet"
    kept.write_bytes((whole / "scores" / "part-00000.parquet").read_bytes())
    (draft / "scores" / ".part-00001.parquet.draft").write_bytes(b"half")
    inode = kept.stat().st_ino

    out = run(tmp_path / "in")

    assert tree(out) == tree(whole)
    assert (out / "scores" / "part-00000.parquet").stat().st_ino == inode


def test_parts_with_other_columns_are_scored_again(run: Run, draw: Draw, tmp_path: Path) -> None:
    """An interrupted run of a version that knew one column less is not continued."""
    pq.write_table(draw(100), tmp_path / "x.parquet")
    whole = run(tmp_path / "x.parquet", out="whole")
    draft = tmp_path / ".out.unfinished"
    (draft / "scores").mkdir(parents=True)
    manifest = json.loads((whole / "manifest.json").read_text()) | {"rows": None, "finished_at": None}
    manifest["job"]["columns"].remove("points")
    (draft / "manifest.json").write_text(json.dumps(manifest))
    pq.write_table(
        pq.read_table(whole / "scores" / "part-00000.parquet").drop(["points"]),
        draft / "scores" / "part-00000.parquet",
    )

    assert tree(run(tmp_path / "x.parquet")) == tree(whole)


def test_memory_does_not_grow_with_the_file(draw: Draw, model_path: Path, tmp_path: Path) -> None:
    """A row group is read in pages, not as a whole."""
    path = tmp_path / "x.parquet"
    table = draw(50_000).drop(["note"])
    pq.write_table(pa.concat_tables([table] * 80), path, row_group_size=10**9)
    assert (pq.read_metadata(path).num_rows, pq.read_metadata(path).num_row_groups) == (4_000_000, 1)
    # VmHWM, not getrusage, which includes the memory of the test process before exec.
    measure = (
        "import re, sys; from pathlib import Path; from score.__main__ import main; code = main(sys.argv[1:]); "
        "print(int(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024); sys.exit(code)"
    )
    arguments = [str(path), str(tmp_path / "out"), "--model", str(model_path)]

    printed = subprocess.run([sys.executable, "-c", measure, *arguments], check=True, capture_output=True, text=True)

    assert printed.stdout.startswith("4,000,000 rows in = 4,000,000 scored + 0 rejected")
    assert int(printed.stdout.split()[-1]) < MAX_MEGABYTES


def test_scoring_needs_neither_the_web_server_nor_training() -> None:
    """requirements/score.txt is sufficient."""
    absent = ("starlette", "uvicorn", "sklearn", "scipy", "onnx", "skl2onnx", "pyspark", "train")
    program = f"import sys; sys.modules.update(dict.fromkeys({absent})); import score.__main__"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_without_pyspark_the_spark_engine_is_refused(
    run: Run, draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message has the command that installs it."""
    pq.write_table(draw(5), tmp_path / "x.parquet")
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "score.spark", raising=False)

    run(tmp_path / "x.parquet", "--engine", "spark", code=2)

    assert "the Spark engine needs: pip install -r requirements/spark.txt" in capsys.readouterr().err


@pytest.mark.parametrize("argument", [("--reasons", "-1"), ("--reasons", "x"), ("--threads", "0"), ("--engine", "ray")])
def test_an_invalid_option_is_refused(argument: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """The message has the value."""
    with pytest.raises(SystemExit, match="2"):
        main(["in", "out", *argument])

    assert argument[1] in capsys.readouterr().err


def test_two_runs_can_not_write_the_same_folder(
    run: Run, draw: Draw, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second one is refused while the first holds the lock."""
    pq.write_table(draw(5), tmp_path / "x.parquet")
    draft = tmp_path / ".out.unfinished"
    draft.mkdir()
    with (draft / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(tmp_path / "x.parquet", code=2)

    assert "another run is writing" in capsys.readouterr().err
    assert len(scores(run(tmp_path / "x.parquet"))) == 5


def test_the_same_rows_have_the_same_decision_ids(run: Run, draw: Draw, tmp_path: Path) -> None:
    """In another run, with reasons and inputs, also of a copy of the file; no two rows have the same id."""
    (tmp_path / "a").mkdir()
    for name in ("may", "june"):
        pq.write_table(draw(500), tmp_path / "a" / f"{name}.parquet")
    shutil.copytree(tmp_path / "a", tmp_path / "b")

    first = decision_ids(run(tmp_path / "a"))

    assert decision_ids(run(tmp_path / "b", "--reasons", "2", "--inputs", "--threads", "1", out="again")) == first
    assert decision_ids(run(tmp_path / "b" / "may.parquet", out="single")) == first[500:]
    assert len(set(first)) == 1000


def test_inputs_are_those_of_the_graph(run: Run, draw: Draw, tmp_path: Path) -> None:
    """Null where missing, a category as the index of its level; other columns are those of a run without them."""
    table = draw(300)
    pq.write_table(table, tmp_path / "x.parquet")

    plain, out = run(tmp_path / "x.parquet"), run(tmp_path / "x.parquet", "--inputs", out="with")

    found = pq.read_table(out / "scores")
    amounts, levels = table.column("Amount").to_pylist(), table.column("Home, now").to_pylist()
    assert [row[0] for row in found.column("inputs").to_pylist()] == amounts
    assert [row[2] for row in found.column("inputs").to_pylist()] == [
        None if level is None else float(("own", "rent").index(level)) for level in levels
    ]
    assert found.drop(["inputs"]).equals(pq.read_table(plain / "scores"))
