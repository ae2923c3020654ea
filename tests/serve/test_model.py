"""The loaded model: it answers as its pipeline did, and a file that doesn't is never loaded."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from onnx import TensorProto, helper, numpy_helper
from sklearn.pipeline import Pipeline

from serve.applicants import LARGEST
from serve.contract import Contract, ContractError, Golden, write_contract
from serve.model import GOLDEN_TOLERANCE, Matrix, Model, load_model
from train.export.converter import OPSET
from train.export.graph import IR_VERSION
from train.policy import decide

ROUNDING = 1e-12
"""Sums of a few float64 products, taken in another order, differ by less."""

WATCH_IMPORT = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))

sys.meta_path.insert(0, Watch())
import serve.model
"""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that happens to the bytes of a model file."""

    name: str
    apply: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that happens to the golden rows of a model file."""

    name: str
    apply: Callable[[Golden], Golden]


def with_contract(content: bytes, contract: Contract) -> bytes:
    """The model file with another contract around the same graph."""
    graph = onnx.load_from_string(content)
    helper.set_model_props(graph, write_contract(contract))
    return bytes(graph.SerializeToString())


def with_golden(content: bytes, model: Model, golden: Golden) -> bytes:
    """The model file with other golden rows around the same graph."""
    return with_contract(content, structs.replace(model.contract, golden=golden))


def foreign_graph() -> bytes:
    """A sound ONNX file that isn't one of ours."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", 5]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "foreign", [x], [y])
    return bytes(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        ).SerializeToString()
    )


def test_probabilities_are_those_of_the_pipeline(model: Model, pipeline: Pipeline, applicants: Matrix) -> None:
    """The graph gives what scikit-learn gives, also where cells are missing."""
    expected = pipeline.predict_proba(applicants)[:, 1]

    np.testing.assert_allclose(model.score(applicants).probability, expected, rtol=0, atol=ROUNDING)


def test_decisions_are_those_of_the_policy(model: Model, pipeline: Pipeline, applicants: Matrix) -> None:
    """All three decisions come out, each where the thresholds say."""
    expected = decide(pipeline.predict_proba(applicants)[:, 1], model.contract.policy)

    assert {0, 1, 2} == set(expected.tolist())
    assert expected.tolist() == model.score(applicants).decision.tolist()


def test_answers_are_one_float64_and_one_int64_a_row(model: Model, applicants: Matrix) -> None:
    """Shape (n,) and the promised types, so that JSON and tables get the same digits."""
    scores = model.score(applicants)

    assert ((64,), "float64") == (scores.probability.shape, scores.probability.dtype.name)
    assert ((64,), "int64") == (scores.decision.shape, scores.decision.dtype.name)


def test_the_same_applicants_get_the_same_bytes_again(model: Model, content: bytes, applicants: Matrix) -> None:
    """Neither a second call nor a second load of the file changes a bit."""
    first = model.score(applicants).probability.tobytes()

    assert first == model.score(applicants).probability.tobytes()
    assert first == load_model(content).score(applicants).probability.tobytes()


def test_an_applicant_is_answered_alone_as_in_a_batch(model: Model, applicants: Matrix) -> None:
    """Nobody's answer depends on who else is asked about."""
    batch = model.score(applicants)

    alone = [model.score(applicants[i : i + 1]) for i in range(len(applicants))]

    expected = batch.probability.tolist()
    assert pytest.approx(expected, rel=0, abs=ROUNDING) == [scores.probability.item() for scores in alone]
    assert batch.decision.tolist() == [scores.decision.item() for scores in alone]


@given(cells=st.lists(st.floats(-LARGEST, LARGEST), min_size=3, max_size=3))
def test_whatever_numbers_are_let_in_the_answer_is_a_probability(model: Model, cells: list[float]) -> None:
    """No number that a body may hold overflows into NaN."""
    amount, income, debt = cells

    probability = model.score(np.array([[amount, income, np.nan, 1.0, debt]])).probability.item()

    assert 0 <= probability <= 1


def test_the_sha256_is_that_of_the_file(model: Model, content: bytes) -> None:
    """What `sha256sum artifacts/model.onnx` prints."""
    assert hashlib.sha256(content).hexdigest() == model.sha256


def test_a_file_and_its_bytes_load_as_the_same_model(content: bytes, tmp_path: Path) -> None:
    """load_model takes either."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    from_path, from_bytes = load_model(path), load_model(content)

    assert (from_bytes.contract, from_bytes.sha256) == (from_path.contract, from_path.sha256)


def test_an_absent_file_is_named_with_the_command_that_makes_one(tmp_path: Path) -> None:
    """The path, what the system said, and what to do."""
    path = tmp_path / "absent.onnx"

    with pytest.raises(ContractError, match=f"{re.escape(str(path))}: No such file.*make one with: python -m train"):
        load_model(path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    """A path that can't be read is the same failure as an absent one."""
    with pytest.raises(ContractError, match=f"can't read the model file {re.escape(str(tmp_path))}: Is a directory"):
        load_model(tmp_path)


DAMAGES = [
    Damage("empty", lambda content: b""),
    Damage("garbage", lambda content: b"not a graph at all" * 100),
    Damage("a page of HTML", lambda content: b"<!doctype html><title>404</title>"),
    Damage("the first half", lambda content: content[: len(content) // 2]),
    Damage("without its last byte", lambda content: content[:-1]),
    Damage("without its first byte", lambda content: content[1:]),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.name for damage in DAMAGES])
def test_a_damaged_file_is_refused(content: bytes, damage: Damage) -> None:
    """Whatever the download left of it, the file is not a graph."""
    damaged = damage.apply(content)

    with pytest.raises(ContractError, match="not a graph that onnxruntime can run"):
        load_model(damaged)


def test_somebody_elses_graph_is_refused_with_what_to_do() -> None:
    """A sound ONNX file without our metadata."""
    foreign = foreign_graph()

    with pytest.raises(ContractError, match="contract version None, expected 1; export it again"):
        load_model(foreign)


def test_somebody_elses_graph_with_our_metadata_is_refused(model: Model) -> None:
    """A contract that was copied onto a graph without its inputs and outputs."""
    disguised = with_contract(foreign_graph(), model.contract)

    with pytest.raises(ContractError, match="can't score its own golden rows"):
        load_model(disguised)


EDITS = [
    Edit(
        "probability",
        lambda golden: structs.replace(golden, probability=(golden.probability[0] + 1e-6, *golden.probability[1:])),
    ),
    Edit("decision", lambda golden: structs.replace(golden, decision=(3, *golden.decision[1:]))),
    Edit("applicant", lambda golden: structs.replace(golden, applicants=golden.applicants[::-1])),
]


@pytest.mark.parametrize("edit", EDITS, ids=[edit.name for edit in EDITS])
def test_a_file_whose_golden_rows_were_changed_is_refused(content: bytes, model: Model, edit: Edit) -> None:
    """The first row that is answered differently is named, with what to do."""
    changed = with_golden(content, model, edit.apply(model.contract.golden))

    with pytest.raises(ContractError, match=r"golden row 0 with .*don't serve it: export it again: python -m train"):
        load_model(changed)


def test_a_difference_that_processors_make_is_borne(content: bytes, model: Model) -> None:
    """Far below the tolerance a golden answer counts as the same."""
    golden = model.contract.golden
    nearly = tuple(probability + GOLDEN_TOLERANCE / 1000 for probability in golden.probability)

    loaded = load_model(with_golden(content, model, structs.replace(golden, probability=nearly)))

    assert nearly == loaded.contract.golden.probability


def test_a_graph_whose_thresholds_were_changed_is_refused(content: bytes) -> None:
    """Probabilities stay, decisions move: that is another model."""
    graph = onnx.load_from_string(content)
    thresholds = next(tensor for tensor in graph.graph.initializer if tensor.name == "thresholds")
    thresholds.CopyFrom(numpy_helper.from_array(np.array([0.9, 0.95]), "thresholds"))
    changed = bytes(graph.SerializeToString())

    with pytest.raises(ContractError, match=r"answers golden row \d+ with probability .* and decision 0, expected"):
        load_model(changed)


def test_a_file_without_golden_rows_is_refused(content: bytes, model: Model) -> None:
    """Nothing would prove it."""
    unproven = with_golden(content, model, Golden((), (), ()))

    with pytest.raises(ContractError, match="no golden rows, so nothing proves it; export it again"):
        load_model(unproven)


def test_golden_rows_of_another_width_are_refused(content: bytes, model: Model) -> None:
    """Rows with one cell too many don't fit the graph."""
    golden = model.contract.golden
    wide = tuple((*row, 0.0) for row in golden.applicants)
    changed = with_golden(content, model, structs.replace(golden, applicants=wide))

    with pytest.raises(ContractError, match="can't score its own golden rows"):
        load_model(changed)


@pytest.mark.parametrize("before", [{}, {"ORT_DISABLE_TELEMETRY": "0"}], ids=["unset", "set to 0"])
def test_telemetry_is_off_before_onnxruntime_is_imported(root: Path, before: dict[str, str]) -> None:
    """Importing the model is enough, and nobody's environment can switch it on."""
    inherited = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}

    done = subprocess.run(
        [sys.executable, "-c", WATCH_IMPORT],
        cwd=root,
        env=inherited | before,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ["1"] == done.stdout.split()
