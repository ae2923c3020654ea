"""Loading a model file: a file that fails a check is refused, and the message says what to do."""

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
from model.contract import EXPORT_AGAIN, Contract, ContractError, Golden, write_contract
from model.loading import GOLDEN_TOLERANCE, load_model
from model.session import Model
from train.export.opsets import IR_VERSION, OPSET


@dataclass(frozen=True, slots=True)
class Damage:
    """Damage to the bytes of a model file, and the error message that it causes."""

    name: str
    apply: Callable[[bytes], bytes]
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the golden rows of a model file."""

    name: str
    apply: Callable[[Golden], Golden]


def foreign_graph() -> ModelProto:
    """A valid ONNX model without our contract."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", 5]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "foreign", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


@pytest.fixture(scope="session")
def with_contract(content: bytes, append_valid_checksum: Callable[[ModelProto], bytes]) -> Callable[[Contract], bytes]:
    """Writes the model file with another contract and a valid checksum."""

    def write(contract: Contract) -> bytes:
        graph = onnx.load_from_string(content)
        helper.set_model_props(graph, write_contract(contract))
        return append_valid_checksum(graph)

    return write


@pytest.fixture(scope="session")
def with_golden(with_contract: Callable[[Contract], bytes], model: Model) -> Callable[[Golden], bytes]:
    """Writes the model file with other golden rows and a valid checksum."""
    return lambda golden: with_contract(structs.replace(model.contract, golden=golden))


def test_the_sha256_is_that_of_the_file(model: Model, content: bytes) -> None:
    """As printed by sha256sum."""
    assert model.sha256 == hashlib.sha256(content).hexdigest()


def test_a_file_and_its_bytes_load_as_the_same_model(content: bytes, tmp_path: Path) -> None:
    """load_model accepts a path or bytes."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    from_path, from_bytes = load_model(path), load_model(content)

    assert (from_path.contract, from_path.sha256) == (from_bytes.contract, from_bytes.sha256)


def test_an_absent_file_is_named_with_the_command_that_makes_one(tmp_path: Path) -> None:
    """The message has the path and the error of the operating system."""
    path = tmp_path / "absent.onnx"

    with pytest.raises(
        ContractError,
        match=f"{re.escape(str(path))}: No such file.*make one with: python -m train data/credit_data.toml",
    ):
        load_model(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """The message has the path and the error of the operating system."""
    with pytest.raises(ContractError, match=f"can't read the model file {re.escape(str(tmp_path))}: Is a directory"):
        load_model(tmp_path)


NOT_A_GRAPH = "not a graph that onnxruntime can run"
WITHOUT_CHECKSUM = f"the model file ends without its checksum: .*{EXPORT_AGAIN}"
CHANGED = f"changed after its export: its sha256 checksum doesn't fit; fetch it again, or {EXPORT_AGAIN}"

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
    """The checksum is checked first; content with a valid checksum must be a graph."""
    damaged = damage.apply(content)

    with pytest.raises(ContractError, match=damage.message):
        load_model(damaged)


def test_a_file_that_was_edited_and_saved_by_onnx_is_refused(content: bytes) -> None:
    """The old checksum is still in the metadata, but doesn't match."""
    graph = onnx.load_from_string(content)
    graph.producer_name = "another tool"
    changed = graph.SerializeToString(deterministic=True)

    with pytest.raises(ContractError, match=CHANGED):
        load_model(changed)


def test_an_onnx_file_of_another_project_is_refused() -> None:
    """It has no checksum."""
    foreign = foreign_graph().SerializeToString()

    with pytest.raises(ContractError, match=WITHOUT_CHECKSUM):
        load_model(foreign)


def test_a_graph_with_a_checksum_but_no_contract_is_refused(
    append_valid_checksum: Callable[[ModelProto], bytes],
) -> None:
    """The message names the missing contract version."""
    foreign = append_valid_checksum(foreign_graph())

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
def test_changed_golden_rows_are_refused(with_golden: Callable[[Golden], bytes], model: Model, edit: Edit) -> None:
    """The message has the first row whose answer differs."""
    changed = with_golden(edit.apply(model.contract.golden))

    with pytest.raises(
        ContractError, match=r"golden row 0 with .*don't serve it: export it again: python -m train CARD.toml"
    ):
        load_model(changed)


def test_a_difference_within_the_tolerance_is_accepted(with_golden: Callable[[Golden], bytes], model: Model) -> None:
    """Processors may differ in the last bits."""
    golden = model.contract.golden
    nearly = tuple(probability + GOLDEN_TOLERANCE / 1000 for probability in golden.probability)

    loaded = load_model(with_golden(structs.replace(golden, probability=nearly)))

    assert loaded.contract.golden.probability == nearly


def test_changed_thresholds_in_the_graph_are_refused(
    content: bytes, append_valid_checksum: Callable[[ModelProto], bytes]
) -> None:
    """The golden decisions differ while the probabilities stay the same."""
    graph = onnx.load_from_string(content)
    changes = {"review_from": 0.9, "refuse_from": 0.95}
    for tensor in [tensor for tensor in graph.graph.initializer if tensor.name in changes]:
        tensor.CopyFrom(numpy_helper.from_array(np.array(changes[tensor.name]), tensor.name))
    changed = append_valid_checksum(graph)

    with pytest.raises(ContractError, match=r"answers golden row \d+ with probability .* and decision 0, expected"):
        load_model(changed)


def test_a_changed_policy_is_refused(with_contract: Callable[[Contract], bytes], model: Model) -> None:
    """Other thresholds than the graph's would explain decisions that it doesn't make."""
    policy = structs.replace(model.contract.policy, review_from=0.9, refuse_from=0.95)
    changed = with_contract(structs.replace(model.contract, policy=policy))

    with pytest.raises(ContractError, match=r"policy decides golden row \d+ as 0, and its graph as .*was edited"):
        load_model(changed)


PARTIAL = [
    Edit("no rows", lambda golden: Golden((), (), ())),
    Edit("an applicant less", lambda golden: structs.replace(golden, applicants=golden.applicants[1:])),
    Edit("a probability less", lambda golden: structs.replace(golden, probability=golden.probability[1:])),
    Edit("a decision less", lambda golden: structs.replace(golden, decision=golden.decision[1:])),
    Edit("a decision more", lambda golden: structs.replace(golden, decision=(*golden.decision, 0))),
]


@pytest.mark.parametrize("edit", PARTIAL, ids=[edit.name for edit in PARTIAL])
def test_incomplete_golden_rows_are_refused(with_golden: Callable[[Golden], bytes], model: Model, edit: Edit) -> None:
    """There must be rows, each with a probability and a decision."""
    unproven = with_golden(edit.apply(model.contract.golden))

    with pytest.raises(ContractError, match="no complete golden rows, so it can't be verified; export it again"):
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
    """Every golden row must have one cell for each field."""
    changed = with_golden(edit.apply(model.contract.golden))

    with pytest.raises(ContractError, match=r"no complete golden rows.*export it again: python -m train CARD.toml"):
        load_model(changed)


@pytest.mark.parametrize("columns", [[0, 1, 2, 3], [0, 1, 2, 3, 4, 4]], ids=["one less", "one more"])
def test_a_graph_with_another_number_of_inputs_is_refused(
    with_contract: Callable[[Contract], bytes], model: Model, columns: list[int]
) -> None:
    """It must match the number of fields in the contract."""
    fields = tuple(model.contract.fields[column] for column in columns)
    changed = with_contract(structs.replace(model.contract, fields=fields))

    with pytest.raises(ContractError, match=f"expected applicants of {len(columns)} fields"):
        load_model(changed)


def test_contributions_that_dont_add_up_are_refused(with_contract: Callable[[Contract], bytes], model: Model) -> None:
    """Base value and contributions must rebuild the probability."""
    changed = with_contract(structs.replace(model.contract, base_value=model.contract.base_value + 0.01))

    with pytest.raises(ContractError, match="don't add up to their probabilities; don't serve it: export it again"):
        load_model(changed)
