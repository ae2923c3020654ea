"""Loading a model file: what can't be proven is never loaded, and the message says what to do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from msgspec import structs
from onnx import ModelProto, TensorProto, helper, numpy_helper

from model.checksum import append_checksum
from model.contract import Contract, ContractError, Golden, write_contract
from model.loading import GOLDEN_TOLERANCE, load_model
from model.session import Model
from train.export.converter import OPSET
from train.export.graph import IR_VERSION


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that happens to the bytes of a model file, and what is said of it."""

    name: str
    apply: Callable[[bytes], bytes]
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that happens to the golden rows of a model file."""

    name: str
    apply: Callable[[Golden], Golden]


def foreign_graph() -> ModelProto:
    """A sound ONNX file that isn't one of ours."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", 5]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "foreign", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


@pytest.fixture(scope="session")
def with_contract(content: bytes, reseal: Callable[[ModelProto], bytes]) -> Callable[[Contract], bytes]:
    """The model file with another contract around the same graph, with its checksum."""

    def write(contract: Contract) -> bytes:
        graph = onnx.load_from_string(content)
        helper.set_model_props(graph, write_contract(contract))
        return reseal(graph)

    return write


@pytest.fixture(scope="session")
def with_golden(with_contract: Callable[[Contract], bytes], model: Model) -> Callable[[Golden], bytes]:
    """The model file with other golden rows around the same graph, with its checksum."""
    return lambda golden: with_contract(structs.replace(model.contract, golden=golden))


def test_the_sha256_is_that_of_the_file(model: Model, content: bytes) -> None:
    """What `sha256sum artifacts/model.onnx` prints."""
    assert model.sha256 == hashlib.sha256(content).hexdigest()


def test_a_file_and_its_bytes_load_as_the_same_model(content: bytes, tmp_path: Path) -> None:
    """load_model takes either."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    from_path, from_bytes = load_model(path), load_model(content)

    assert (from_path.contract, from_path.sha256) == (from_bytes.contract, from_bytes.sha256)


def test_an_absent_file_is_named_with_the_command_that_makes_one(tmp_path: Path) -> None:
    """The path, what the system said, and what to do."""
    path = tmp_path / "absent.onnx"

    with pytest.raises(ContractError, match=f"{re.escape(str(path))}: No such file.*make one with: python -m train"):
        load_model(path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    """A path that can't be read is the same failure as an absent one."""
    with pytest.raises(ContractError, match=f"can't read the model file {re.escape(str(tmp_path))}: Is a directory"):
        load_model(tmp_path)


NOT_A_GRAPH = "not a graph that onnxruntime can run"
WITHOUT_CHECKSUM = "the model file ends without its checksum: .*export it again: python -m train"
CHANGED = (
    "changed after its export: its sha256 checksum doesn't fit; fetch it again, or export it again: python -m train"
)

DAMAGES = [
    Damage("empty", lambda content: b"", WITHOUT_CHECKSUM),
    Damage("garbage", lambda content: b"not a graph at all" * 100, WITHOUT_CHECKSUM),
    Damage("a page of HTML", lambda content: b"<!doctype html><title>404</title>", WITHOUT_CHECKSUM),
    Damage("the first half", lambda content: content[: len(content) // 2], WITHOUT_CHECKSUM),
    Damage("without its last byte", lambda content: content[:-1], CHANGED),
    Damage("without its first byte", lambda content: content[1:], CHANGED),
    Damage("a byte more", lambda content: content + b"\n", CHANGED),
    Damage("twice", lambda content: content + content, CHANGED),
    Damage(
        "a word of it changed", lambda content: content.replace(b"Amount of the loan", b"Amount of the debt"), CHANGED
    ),
    Damage("nothing but a checksum", lambda content: append_checksum(b""), NOT_A_GRAPH),
    Damage("garbage with its checksum", lambda content: append_checksum(b"not a graph at all" * 100), NOT_A_GRAPH),
    Damage(
        "not UTF-8, with its checksum",
        lambda content: append_checksum(content.replace(b"-abcdef01", b"\xffabcdef01")),
        NOT_A_GRAPH,
    ),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.name for damage in DAMAGES])
def test_a_damaged_file_is_refused(content: bytes, damage: Damage) -> None:
    """The checksum is looked at before anything else; what has a right one has to be a graph all the same."""
    damaged = damage.apply(content)

    with pytest.raises(ContractError, match=damage.message):
        load_model(damaged)


def test_a_file_that_was_written_again_with_a_change_is_refused(content: bytes) -> None:
    """The old checksum travels with the metadata, and doesn't fit."""
    graph = onnx.load_from_string(content)
    graph.producer_name = "somebody else"
    changed = graph.SerializeToString(deterministic=True)

    with pytest.raises(ContractError, match=CHANGED):
        load_model(changed)


def test_somebody_elses_graph_is_refused_with_what_to_do() -> None:
    """A sound ONNX file that no export of ours has written."""
    foreign = foreign_graph().SerializeToString()

    with pytest.raises(ContractError, match=WITHOUT_CHECKSUM):
        load_model(foreign)


def test_a_graph_with_a_checksum_alone_is_refused_with_what_to_do(reseal: Callable[[ModelProto], bytes]) -> None:
    """A checksum alone makes nobody's file ours."""
    foreign = reseal(foreign_graph())

    with pytest.raises(ContractError, match="contract version None, expected 1; export it again"):
        load_model(foreign)


EDITS = [
    Edit(
        "probability",
        lambda golden: structs.replace(golden, probability=(golden.probability[0] + 1e-6, *golden.probability[1:])),
    ),
    Edit("decision", lambda golden: structs.replace(golden, decision=(3, *golden.decision[1:]))),
    Edit("applicant", lambda golden: structs.replace(golden, applicants=golden.applicants[::-1])),
]


@pytest.mark.parametrize("edit", EDITS, ids=[edit.name for edit in EDITS])
def test_a_file_whose_golden_rows_were_changed_is_refused(
    with_golden: Callable[[Golden], bytes], model: Model, edit: Edit
) -> None:
    """The first row that is answered differently is named, with what to do."""
    changed = with_golden(edit.apply(model.contract.golden))

    with pytest.raises(ContractError, match=r"golden row 0 with .*don't serve it: export it again: python -m train"):
        load_model(changed)


def test_a_difference_that_processors_make_is_borne(with_golden: Callable[[Golden], bytes], model: Model) -> None:
    """Far below the tolerance a golden answer counts as the same."""
    golden = model.contract.golden
    nearly = tuple(probability + GOLDEN_TOLERANCE / 1000 for probability in golden.probability)

    loaded = load_model(with_golden(structs.replace(golden, probability=nearly)))

    assert loaded.contract.golden.probability == nearly


def test_a_graph_whose_thresholds_were_changed_is_refused(
    content: bytes, reseal: Callable[[ModelProto], bytes]
) -> None:
    """Probabilities stay, decisions move: that is another model."""
    graph = onnx.load_from_string(content)
    changes = {"review_from": 0.9, "refuse_from": 0.95}
    for tensor in [tensor for tensor in graph.graph.initializer if tensor.name in changes]:
        tensor.CopyFrom(numpy_helper.from_array(np.array(changes[tensor.name]), tensor.name))
    changed = reseal(graph)

    with pytest.raises(ContractError, match=r"answers golden row \d+ with probability .* and decision 0, expected"):
        load_model(changed)


PARTIAL = [
    Edit("no rows", lambda golden: Golden((), (), ())),
    Edit("an applicant less", lambda golden: structs.replace(golden, applicants=golden.applicants[1:])),
    Edit("a probability less", lambda golden: structs.replace(golden, probability=golden.probability[1:])),
    Edit("a decision less", lambda golden: structs.replace(golden, decision=golden.decision[1:])),
    Edit("a decision more", lambda golden: structs.replace(golden, decision=(*golden.decision, 0))),
]


@pytest.mark.parametrize("edit", PARTIAL, ids=[edit.name for edit in PARTIAL])
def test_a_file_without_whole_golden_rows_is_refused(
    with_golden: Callable[[Golden], bytes], model: Model, edit: Edit
) -> None:
    """Nothing would prove it: each applicant needs its probability and its decision."""
    unproven = with_golden(edit.apply(model.contract.golden))

    with pytest.raises(ContractError, match="no whole golden rows, so nothing proves it; export it again"):
        load_model(unproven)


WIDTHS = [
    Edit("a cell more", lambda golden: structs.replace(golden, applicants=tuple((*r, 0.0) for r in golden.applicants))),
    Edit(
        "a cell less in one",
        lambda golden: structs.replace(golden, applicants=(golden.applicants[0][:-1], *golden.applicants[1:])),
    ),
]


@pytest.mark.parametrize("edit", WIDTHS, ids=[edit.name for edit in WIDTHS])
def test_golden_rows_of_another_width_are_refused(
    with_golden: Callable[[Golden], bytes], model: Model, edit: Edit
) -> None:
    """Every golden row has one cell a field."""
    changed = with_golden(edit.apply(model.contract.golden))

    with pytest.raises(ContractError, match=r"no whole golden rows.*export it again: python -m train"):
        load_model(changed)


@pytest.mark.parametrize("columns", [[0, 1, 2, 3], [0, 1, 2, 3, 4, 4]], ids=["one less", "one more"])
def test_a_graph_that_takes_another_number_of_fields_is_refused(
    with_contract: Callable[[Contract], bytes], model: Model, columns: list[int]
) -> None:
    """Otherwise every applicant would be read for another graph than the one that answers."""
    fields = tuple(model.contract.fields[column] for column in columns)
    changed = with_contract(structs.replace(model.contract, fields=fields))

    with pytest.raises(ContractError, match=f"expected applicants of {len(columns)} fields"):
        load_model(changed)


def test_contributions_that_dont_add_up_are_refused(with_contract: Callable[[Contract], bytes], model: Model) -> None:
    """With another base value they explain another probability than the one that is answered."""
    changed = with_contract(structs.replace(model.contract, base_value=model.contract.base_value + 0.01))

    with pytest.raises(ContractError, match="don't add up to their probabilities; don't serve it: export it again"):
        load_model(changed)
