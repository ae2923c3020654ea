"""The doors through which a text table comes in, each as a function from a file to what the door makes of it."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import httpx
import numpy as np
import pyarrow.parquet as pq
from starlette.applications import Starlette

from score.__main__ import main
from serve.app import create_app_for_model
from serve.settings import Settings
from tests.doors.small_model import model, model_content
from train.dataset import check_ids, decode_column
from train.errors import TrainingError
from train.table import read_table


class Reading(NamedTuple):
    """What a door makes of a table: probability by id, faults of a row by its line, or why the table is refused."""

    scored: dict[str, float]
    faults: dict[int, str]
    refusal: str | None = None


def read_portfolio(path: Path) -> Reading:
    """`python -m score`."""
    folder = Path(mkdtemp(dir=path.parent))
    try:
        (folder / "model.onnx").write_bytes(model_content())
        return run_main(path, folder)
    finally:
        shutil.rmtree(folder)


def run_main(path: Path, folder: Path, *options: str) -> Reading:
    """Score a file with the model of this folder, into `out` of it."""
    errors = io.StringIO()
    with redirect_stderr(errors), redirect_stdout(io.StringIO()):
        arguments = [str(path), str(folder / "out"), "--model", str(folder / "model.onnx"), "--threads", "1", *options]
        code = main(arguments)
    if code:
        (line,) = [line for line in errors.getvalue().splitlines() if not line.startswith("read as: ")]
        return Reading({}, {}, without_name(line.removeprefix("can't score: "), path))
    return read_output(folder / "out")


def read_output(out: Path) -> Reading:
    """The scores and rejects of a run."""
    scored = pq.read_table(out / "scores", columns=["id", "probability"]).to_pylist()
    rejects = pq.read_table(out / "rejects").to_pylist() if list((out / "rejects").glob("*.parquet")) else []
    return Reading({row["id"]: row["probability"] for row in scored}, {row["line"]: row["fault"] for row in rejects})


def read_in_training(path: Path) -> Reading:
    """What training reads, scored by the model; training stops at the first of the faults."""
    fields = model().contract.fields
    try:
        table = read_table(path, names=["id", *(field.name for field in fields)])
        columns = [table.column(field.name, "a field of the card") for field in fields]
        check_ids(table, "id")
    except TrainingError as error:
        return Reading({}, {}, without_name(str(error), path))
    decoded = [decode_column(column, field, table.decimal) for column, field in zip(columns, fields, strict=True)]
    faults: dict[int, list[str]] = {}
    for field, column in zip(fields, decoded, strict=True):
        for row, fault in column.faults.items():
            faults.setdefault(int(table.lines[row]), []).append(f"{field.name}: {fault}")
    kept = [row for row, line in enumerate(table.lines.tolist()) if line not in faults]
    X = np.column_stack([column.values for column in decoded])[kept]
    probabilities = model().score(X).probability.tolist() if kept else []
    ids = table.texts("id", "the id").iloc[kept]
    in_doubt = [f"line {line}: {one}" for line in sorted(faults) for one in faults[line] if is_in_doubt(one)]
    if in_doubt:
        return Reading({}, {}, in_doubt[0])
    return Reading(
        dict(zip(ids, probabilities, strict=True)), {line: "; ".join(texts) for line, texts in sorted(faults.items())}
    )


def read_posted_table(path: Path) -> Reading:
    """POST /score as CSV, with its answer as JSON."""
    status, answer = post("/score", path)
    if status == 200:
        return Reading({row["id"]: row["probability"] for row in answer["results"]}, {})
    faults: dict[int, list[str]] = {}
    for error in answer["errors"]:
        pointer, detail = error["pointer"], error["detail"]
        match = re.fullmatch(r"/lines/(\d+)(?:/(.+))?", pointer)
        if pointer == "/lines":
            return Reading({}, {})
        field = match[2].replace("~1", "/").replace("~0", "~") if match and match[2] else None
        fault = f"{field}: {detail}" if field else detail
        if match is None or is_in_doubt(detail):
            return Reading({}, {}, f"line {match[1]}: {fault}" if match else detail)
        if field is None and not detail.startswith("expected "):
            return Reading({}, {}, detail)
        faults.setdefault(int(match[1]), []).append(fault)
    return Reading({}, {line: "; ".join(texts) for line, texts in faults.items()})


def read_posted_rows(path: Path) -> Reading:
    """POST /applicants, then POST /score as JSON with the applicants that have no fault."""
    status, answer = post("/applicants", path)
    if status != 200:
        (error,) = answer["errors"][:1]
        _, _, line, *name = error["pointer"].replace("~1", "\0").split("/") if error["pointer"] else [""] * 3
        if not is_in_doubt(error["detail"]) or not name:
            return Reading({}, {}, error["detail"])
        field = name[0].replace("\0", "/").replace("~0", "~")
        return Reading({}, {}, f"line {line}: {field}: {error['detail']}")
    faults = {
        row["line"]: "; ".join(
            fault["detail"] if fault["field"] is None else f"{fault['field']}: {fault['detail']}"
            for fault in row["faults"]
        )
        for row in answer["rows"]
        if row["faults"]
    }
    good = [{"id": row["id"], **row["applicant"]} for row in answer["rows"] if not row["faults"]]
    if not good:
        return Reading({}, faults)
    body = json.dumps({"applicants": good}).encode()
    status, answer = _request("/score", body, {"Content-Type": "application/json"})
    if status != 200:
        raise AssertionError(f"POST /score refuses applicants of POST /applicants: {answer}")
    return Reading({row["id"]: row["probability"] for row in answer["results"]}, faults)


def post(url: str, path: Path) -> tuple[int, Any]:
    """Status and answer to a file that is posted as a table."""
    is_compressed = path.suffix == ".gz"
    encoding = {"Content-Encoding": "gzip"} if is_compressed else {}
    return _request(url, path.read_bytes(), {"Content-Type": "text/csv", "Accept": "application/json", **encoding})


def _request(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    """A request to the service in this process; its exceptions are raised here."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(_app()), base_url="http://test") as client:
            return await client.post(url, content=body, headers=headers)

    response = asyncio.run(send())
    if response.status_code not in (200, 400):
        raise AssertionError(f"POST {url} answers {response.status_code}: {response.text}")
    return response.status_code, response.json()


@cache
def _app() -> Starlette:
    return create_app_for_model(model(), Settings(log_level="warning"))


def is_in_doubt(sentence: str) -> bool:
    """Whether a fault is a number that can be read two ways, which refuses the table."""
    return sentence.endswith("say which: decimal . or decimal ,")


def without_name(sentence: str, path: Path) -> str:
    """A sentence without the name of the file that it begins with."""
    return sentence.removeprefix(str(path)).removeprefix(":").strip()


DOORS = {
    "score": read_portfolio,
    "POST /score": read_posted_table,
    "POST /applicants": read_posted_rows,
    "train": read_in_training,
}


SHORT_OR_LONG = re.compile(r"line (\d+): (expected \d+ cells.*); correct the line")
"""Where training stops, whatever follows."""


def find_disagreements(path: Path) -> list[str]:
    """What the doors make of a table in different ways; the first door is what the others are compared with."""
    readings = {name: door(path) for name, door in DOORS.items()}
    expected = readings["score"]
    return [
        f"{name}: {given}\n  score: {expected}"
        for name, given in readings.items()
        if not is_same(name, given, expected)
    ]


def is_same(door: str, given: Reading, expected: Reading) -> bool:
    """Whether a door does the same as `python -m score` does, as far as it goes on after a fault."""
    if expected.refusal is not None and expected.refusal.startswith("has no id column"):
        return door != "train" or given.refusal is not None  # The service needs no ids.
    if door == "train" and given.refusal is not None and expected.refusal is None:
        return _stops_at_a_fault(given.refusal, expected)
    if expected.refusal is not None and given.refusal is not None:
        is_of_header = "column" in expected.refusal and not expected.refusal.startswith(("the ", "line "))
        is_stopped = door == "train" and SHORT_OR_LONG.fullmatch(given.refusal) is not None
        return is_of_header or is_stopped or given.refusal == expected.refusal
    if door == "POST /score" and expected.faults:
        return given.refusal is None and _are_first(given.faults, expected.faults)
    return given == expected


def _are_first(given: dict[int, str], expected: dict[int, str]) -> bool:
    """Whether these are all faults, or the first hundred, which POST /score tells: the last row may have more."""
    if sum(text.count("; ") + 1 for text in expected.values()) <= 100:
        return given == expected
    *rows, last = sorted(expected)[: len(given)]
    return all(given[row] == expected[row] for row in rows) and expected[last].startswith(given[last])


def _stops_at_a_fault(refusal: str, expected: Reading) -> bool:
    """Training stops at a row without cells, at an id that is missing or given twice, and where there are no rows."""
    if refusal == "has a header but no rows; add rows":
        return not expected.scored and not expected.faults
    if match := SHORT_OR_LONG.fullmatch(refusal):
        return expected.faults.get(int(match[1])) == match[2]
    if re.match(r"the id 'id' is .* and in an earlier line; remove the duplicate", refusal):
        return True  # Other doors score both.
    match = re.match(r"the id 'id' is empty in line (\d+) ", refusal)
    return match is not None and expected.faults.get(int(match[1]), "").startswith("id: missing; expected the id")


def compress(content: bytes) -> bytes:
    """gzip, the same bytes each time."""
    return gzip.compress(content, mtime=0)
