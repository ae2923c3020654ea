"""Portfolio scores on record: each decision once, under its id, and replayed to the bit; or one sentence."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import decisions.importing
from decisions.chain import Chain
from decisions.reading import find_records_of
from decisions.record import DecisionPayload, Entry, Record
from decisions.retention import erase
from decisions.store import StoreError, open_store
from model.loading import load_model
from score.__main__ import main as score
from tests.decisions.filled import find_faults, read_url, run
from train.export.golden import draw_applicants

ARTIFACT = Path(__file__).parents[2] / "artifacts" / "model.onnx"

ROWS = 60

AT_ONCE = 7
"""Decisions of one transaction in these tests, so that there are several."""

MANY_ROWS = 60_000
"""Decisions of an import that is killed, in six transactions."""

Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def scored(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model file, and `out`: the scores of ROWS applicants in two files."""
    folder = tmp_path_factory.mktemp("scored")
    (folder / "model.onnx").write_bytes(content)
    (folder / "in").mkdir()
    table = draw(content, ROWS)
    pq.write_table(table.slice(0, 40), folder / "in" / "a.parquet")
    pq.write_table(table.slice(40), folder / "in" / "b.parquet")
    score_folder(folder)
    return folder


@pytest.fixture
def folder(scored: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, beside an empty database."""
    monkeypatch.setattr(decisions.importing, "RECORDED_AT_ONCE", AT_ONCE)
    assert run(url, "migrate") == 0
    return Path(shutil.copytree(scored, tmp_path / "scored"))


def draw(content: bytes, rows: int) -> pa.Table:
    """Random applicants of a model, with missing values: an id, numbers, levels as text."""
    fields = load_model(content).contract.fields
    columns = {"id": pa.array([f"loan {row}" for row in range(rows)])}
    for field, values in zip(fields, draw_applicants(list(fields), rows, 5).T, strict=True):
        cells = [None if np.isnan(value) else value for value in values.tolist()]
        if field.kind == "category":
            cells = [None if cell is None else field.levels[int(cell)] for cell in cells]
        columns[field.name] = pa.array(cells, pa.string() if field.kind == "category" else pa.float64())
    return pa.table(columns)


def score_folder(folder: Path, *options: str) -> None:
    """Score `in` into `out` with reasons and inputs."""
    options = options or ("--inputs", "--reasons", "2")
    assert score([str(folder / "in"), str(folder / "out"), "--model", str(folder / "model.onnx"), *options]) == 0


def read_scores(folder: Path) -> list[dict[str, Any]]:
    """The rows of the scores."""
    rows: list[dict[str, Any]] = pq.read_table(folder / "out" / "scores").to_pylist()
    return rows


def change_scores(folder: Path, change: Change, part: int = 1) -> None:
    """Change a file of the scores by hand."""
    path = folder / "out" / "scores" / f"part-{part:05}.parquet"
    pq.write_table(change(pq.read_table(path)), path)


def change_column(name: str, change: Callable[[list[Any]], list[Any]]) -> Change:
    """Change the values of one column; its type stays."""

    def apply(table: pa.Table) -> pa.Table:
        index = table.schema.get_field_index(name)
        column = pa.array(change(table.column(name).to_pylist()), table.schema.field(name).type)
        return table.set_column(index, name, column)

    return apply


def import_folder(folder: Path, url: str) -> int:
    """The exit code of the command."""
    return run(url, "import", folder / "out", "--model", folder / "model.onnx")


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_every_row_is_a_decision_that_is_replayed_to_the_bit(
    folder: Path, url: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its id, the applicant's id and inputs, the time when the run ended, and the number of reasons."""
    if kind == "boosting":
        content = ARTIFACT.read_bytes()
        (folder / "model.onnx").write_bytes(content)
        shutil.rmtree(folder / "out")
        pq.write_table(draw(content, 40), folder / "in" / "a.parquet")
        pq.write_table(draw(content, 20), folder / "in" / "b.parquet")
        score_folder(folder)
    rows = read_scores(folder)

    assert import_folder(folder, url) == 0

    assert capsys.readouterr().out.endswith(f"{ROWS} decisions recorded, 0 known already\n")
    records = read_url(url)
    job = json.loads((folder / "out" / "manifest.json").read_text())
    time = datetime.fromisoformat(job["finished_at"]).timestamp()
    assert [describe(record) for record in records] == [
        (
            row["decision_id"],
            "decision",
            row["id"],
            row["inputs"],
            row["probability"],
            row["decision"],
            row["points"],
        )
        for row in rows
    ]
    assert {(record.key, record.request_id, record.reasons, record.model, record.time) for record in records} == {
        ("import", None, 2, job["job"]["model_sha256"], round(time * 1e6))
    }
    assert run(url, "replay") == 0
    assert f"{ROWS} identical to the bit, 0 different" in capsys.readouterr().out
    assert run(url, "verify") == 0


def describe(record: Record) -> tuple[object, ...]:
    """What of a record stands in the scores."""
    payload = msgspec.json.decode(record.payload or "", type=DecisionPayload)
    assert payload.id == record.applicant
    answer = record.probability, record.decision, record.points
    return record.id, record.kind, record.applicant, payload.inputs, *answer


def test_a_second_import_records_nothing(folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither of the same output, nor of the same files scored again; another file's decisions are others."""
    assert import_folder(folder, url) == 0
    before = read_url(url)

    assert import_folder(folder, url) == 0
    shutil.rmtree(folder / "out")
    score_folder(folder, "--inputs")
    assert import_folder(folder, url) == 0

    assert capsys.readouterr().out.count(f"0 decisions recorded, {ROWS} known already") == 2
    assert read_url(url) == before

    shutil.rmtree(folder / "out")
    shutil.copy2(folder / "in" / "b.parquet", folder / "in" / "c.parquet")
    score_folder(folder)
    assert import_folder(folder, url) == 0
    assert f"20 decisions recorded, {ROWS} known already" in capsys.readouterr().out


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("failing", range(ROWS // AT_ONCE + 1))
def test_an_interrupted_import_goes_on(
    folder: Path, url: str, failing: int, is_written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever transaction is the last, also if it was written and nobody learned it."""
    append, calls = Chain.append, 0

    def fail(chain: Chain, entries: list[Entry]) -> list[Record]:
        nonlocal calls
        calls += 1
        if calls - 1 < failing:
            return append(chain, entries)
        if is_written:
            append(chain, entries)
        raise StoreError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(Chain, "append", fail)
        assert import_folder(folder, url) == 2
    assert import_folder(folder, url) == 0

    ids = [record.id for record in read_url(url)]
    assert sorted(ids) == sorted(row["decision_id"] for row in read_scores(folder))
    with closing(open_store(url)) as store:
        assert find_faults(store) == []


def test_a_killed_import_goes_on(content: bytes, tmp_path: Path) -> None:
    """SIGKILL while it records."""
    (tmp_path / "model.onnx").write_bytes(content)
    (tmp_path / "in").mkdir()
    pq.write_table(draw(content, MANY_ROWS), tmp_path / "in" / "a.parquet")
    score_folder(tmp_path)
    url = f"sqlite:///{tmp_path}/decisions.db"
    assert run(url, "migrate") == 0
    arguments = ["import", "--url", url, str(tmp_path / "out"), "--model", str(tmp_path / "model.onnx")]

    process = subprocess.Popen([sys.executable, "-m", "decisions", *arguments])
    while process.poll() is None and not read_url(url):
        time.sleep(0.01)
    process.kill()
    process.wait()

    assert 0 < len(read_url(url)) < MANY_ROWS
    assert import_folder(tmp_path, url) == 0
    assert len({record.id for record in read_url(url)}) == len(read_url(url)) == MANY_ROWS
    with closing(open_store(url)) as store:
        assert find_faults(store) == []


def test_what_was_erased_is_not_brought_back(folder: Path, url: str) -> None:
    """An erased decision is on record still."""
    assert import_folder(folder, url) == 0
    with closing(open_store(url)) as store:
        erase(store, find_records_of(store, "loan 3"))

    assert import_folder(folder, url) == 0

    with closing(open_store(url)) as store:
        assert find_records_of(store, "loan 3") == []
    assert len(read_url(url)) == ROWS + 1


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array([7, -8] * 30), [7, -8]),
        (pa.array([2**64 - 1, 0] * 30, pa.uint64()), [2**64 - 1, 0]),
        (pa.array([7.0, 0.5] * 30), [7, "0.5"]),
        (pa.array([date(2026, 3, 5), date(2026, 3, 6)] * 30), ["2026-03-05", "2026-03-06"]),
        (pa.array([True, False] * 30), ["True", "False"]),
        (pa.array([b"a", b"\xff"] * 30, pa.binary()), ["a", "\\xff"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_ids_are_texts_or_whole_numbers(folder: Path, url: str, ids: pa.Array, expected: list[str | int]) -> None:
    """As POST /score takes them; other types as text."""
    shutil.rmtree(folder / "out")
    (folder / "in" / "b.parquet").unlink()
    table = pq.read_table(folder / "in" / "a.parquet")
    pq.write_table(table.set_column(0, "id", ids[: len(table)]), folder / "in" / "a.parquet")
    score_folder(folder)

    assert import_folder(folder, url) == 0

    payloads = [msgspec.json.decode(record.payload or "", type=DecisionPayload) for record in read_url(url)]
    assert [payload.id for payload in payloads] == expected * 20
    assert [record.applicant for record in read_url(url)] == [str(id) for id in expected * 20]


def remove(folder: Path, name: str) -> None:
    """Remove a file of OUT."""
    (folder / "out" / name).unlink()


def score_without_inputs(folder: Path) -> None:
    """Replace OUT."""
    shutil.rmtree(folder / "out")
    score_folder(folder, "--reasons", "1")


def cut_off(folder: Path) -> None:
    """Shorten a file of the scores."""
    path = folder / "out" / "scores" / "part-00001.parquet"
    path.write_bytes(path.read_bytes()[:-100])


OUTPUTS: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: shutil.rmtree(folder / "out"), "out holds no finished scores, expected the OUT of python -m score"),
    (lambda folder: remove(folder, "_SUCCESS"), "out holds no finished scores"),
    (lambda folder: remove(folder, "manifest.json"), "out/manifest.json can't be read"),
    (lambda folder: (folder / "out" / "manifest.json").write_text('{"job": 1}'), "out/manifest.json can't be read"),
    (lambda folder: (folder / "out" / "manifest.json").write_bytes(b"\xff"), "out/manifest.json can't be read"),
    (
        lambda folder: remove(folder, "scores/part-00001.parquet"),
        "out/scores: 40 rows, expected 60 as in",
    ),
    (score_without_inputs, "has no column inputs; score again into another OUT with --inputs"),
    (cut_off, "part-00001.parquet can't be read as Parquet"),
    (lambda folder: (folder / "model.onnx").unlink(), "can't read the model"),
    (lambda folder: (folder / "model.onnx").write_bytes(b"no model"), "can't use the model"),
    (
        lambda folder: (folder / "model.onnx").write_bytes(ARTIFACT.read_bytes()),
        "out was scored by model test 2026.01.02-abcdef01 with the SHA-256 ",
    ),
]


@pytest.mark.parametrize(("spoil", "message"), OUTPUTS, ids=range(len(OUTPUTS)))
def test_an_output_that_can_not_be_imported_is_refused(
    folder: Path, url: str, spoil: Callable[[Path], object], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is recorded."""
    spoil(folder)
    capsys.readouterr()

    assert import_folder(folder, url) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("can't import: ")
    assert message in line
    assert read_url(url) == []


CHANGES: list[tuple[Change, str]] = [
    (change_column("decision_id", lambda ids: [ids[1], *ids[1:]]), "is in the scores twice"),
    (change_column("decision_id", lambda ids: [*ids[:-1], ids[0]]), "is in the scores twice"),
    (change_column("decision_id", lambda ids: ["7", *ids[1:]]), "row 1: decision_id is '7', expected a UUID"),
    (change_column("decision_id", lambda ids: [ids[0].upper(), *ids[1:]]), "expected a UUID"),
    (change_column("decision_id", lambda ids: [*ids[:-1], None]), "row 20: decision_id is missing"),
    (change_column("probability", lambda found: [float("nan"), *found[1:]]), "row 1: the probability isn't a number"),
    (change_column("probability", lambda found: [None, *found[1:]]), "row 1: probability is missing"),
    (
        change_column("probability", lambda found: [*found[:9], np.nextafter(found[9], 1), *found[10:]]),
        "row 10: .*, which isn't what the model gives for its inputs",
    ),
    (
        change_column("decision", lambda found: ["accepted", *found[1:]]),
        "row 1: .* decision accepted, points .*, which isn't",
    ),
    (change_column("points", lambda found: [*found[:-1], found[-1] + 1]), "row 20: .*, which isn't what the model"),
    (
        change_column("inputs", lambda rows: [[float("inf"), *rows[0][1:]], *rows[1:]]),
        "row 1: inputs has an infinity",
    ),
    (change_column("inputs", lambda rows: [rows[0][1:], *rows[1:]]), "row 1: inputs hasn't 5 numbers, one for each"),
    (change_column("inputs", lambda rows: [None, *rows[1:]]), "row 1: inputs is missing"),
    (
        lambda table: table.set_column(1, "probability", table.column("probability").cast(pa.string())),
        "column probability is of type string, expected double",
    ),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=range(len(CHANGES)))
def test_scores_that_were_changed_are_refused(
    folder: Path, url: str, change: Change, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Decisions that the model didn't make aren't recorded; whole transactions before them are."""
    originals = [row["decision_id"] for row in read_scores(folder)]
    change_scores(folder, change)
    capsys.readouterr()

    assert import_folder(folder, url) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("can't import: ")
    assert re.search(message, line)
    ids = [record.id for record in read_url(url)]
    assert ids == originals[: len(ids)]


def test_another_decision_under_a_known_id_is_refused(
    folder: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two rows have changed their ids."""
    assert import_folder(folder, url) == 0
    before = read_url(url)
    change_scores(folder, change_column("decision_id", lambda ids: [ids[1], ids[0], *ids[2:]]))
    capsys.readouterr()

    assert import_folder(folder, url) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "is on record with another applicant or other inputs" in line
    assert read_url(url) == before


def test_two_imports_at_once_record_each_decision_once(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The slower one says so, and goes on when it is run again."""
    append, is_first = Chain.append, True

    def append_after_another(chain: Chain, entries: list[Entry]) -> list[Record]:
        nonlocal is_first
        if is_first:
            is_first = False
            assert import_folder(folder, url) == 0
        return append(chain, entries)

    monkeypatch.setattr(Chain, "append", append_after_another)

    assert import_folder(folder, url) == 2

    assert "another process imports the same scores; run the command again" in capsys.readouterr().err
    assert len(read_url(url)) == ROWS
    assert import_folder(folder, url) == 0
