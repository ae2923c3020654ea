"""python -m train repository: a layout that Triton reads, around the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from model.contract import Contract
from model.loading import load_model
from train.__main__ import main
from train.repository import escape, write_config

TYPES = {"TYPE_FP64": np.float64, "TYPE_INT64": np.int64}

# The messages of Triton's model_config.proto that a config of ours uses: field name → number, type, is it repeated.
MESSAGES: dict[str, dict[str, tuple[int, str, bool]]] = {
    "Tensor": {"name": (1, "string", False), "data_type": (2, "DataType", False), "dims": (3, "int64", True)},
    "Instances": {"count": (2, "int32", False), "kind": (4, "Kind", False)},
    "Parameter": {"string_value": (1, "string", False)},
    "Entry": {"key": (1, "string", False), "value": (2, "Parameter", False)},
    "Config": {
        "name": (1, "string", False),
        "platform": (2, "string", False),
        "max_batch_size": (4, "int32", False),
        "input": (5, "Tensor", True),
        "output": (6, "Tensor", True),
        "instance_group": (7, "Instances", True),
        "parameters": (14, "Entry", True),
    },
}
ENUMS = {
    "DataType": {"TYPE_INVALID": 0, "TYPE_BOOL": 1, "TYPE_INT64": 9, "TYPE_FP64": 12},
    "Kind": {"KIND_AUTO": 0, "KIND_CPU": 2},
}


@pytest.fixture(scope="module")
def parse() -> Any:
    """Read a config as Triton does: by protobuf's text format and these messages; unknown names are errors."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="config.proto", package="triton", syntax="proto3")
    for name, values in ENUMS.items():
        enum = file.enum_type.add(name=name)
        for text, number in values.items():
            enum.value.add(name=text, number=number)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for text, (number, kind, is_repeated) in fields.items():
            label = field.LABEL_REPEATED if is_repeated else field.LABEL_OPTIONAL
            added = message.field.add(name=text, number=number, label=label)
            if kind in ENUMS:
                added.type, added.type_name = field.TYPE_ENUM, f".triton.{kind}"
            elif kind in MESSAGES:
                added.type, added.type_name = field.TYPE_MESSAGE, f".triton.{kind}"
            else:
                added.type = getattr(field, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    config = message_factory.GetMessageClass(pool.FindMessageTypeByName("triton.Config"))
    names = {number: name for name, number in ENUMS["DataType"].items()}

    def read(text: str) -> tuple[Any, dict[int, str]]:
        return text_format.Parse(text, config()), names

    return read


@pytest.fixture(scope="module")
def repository(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of the artifact in the checkout."""
    out = tmp_path_factory.mktemp("repository")
    assert 0 == main(["repository", str(root / "artifacts" / "model.onnx"), "--out", str(out)])
    return out


def test_the_file_is_the_same_byte_for_byte(repository: Path, root: Path) -> None:
    """In a folder named after the model and a version number; nothing else lies there."""
    artifact = root / "artifacts" / "model.onnx"
    name = load_model(artifact).contract.name

    files = sorted(path.relative_to(repository).as_posix() for path in repository.rglob("*") if path.is_file())

    assert [f"{name}/1/model.onnx", f"{name}/config.pbtxt"] == files
    assert artifact.read_bytes() == (repository / name / "1" / "model.onnx").read_bytes()


def test_what_the_config_names_runs_without_the_optional_input(repository: Path, parse: Any) -> None:
    """A plain onnxruntime session, as Triton's backend opens it, given the config's inputs, asked for its outputs."""
    folder = next(repository.iterdir())
    config, names = parse((folder / "config.pbtxt").read_text())
    model = load_model(folder / "1" / "model.onnx")
    golden = model.contract.golden
    assert (folder.name, "onnxruntime_onnx", 0) == (config.name, config.platform, config.max_batch_size)
    session = onnxruntime.InferenceSession(folder / "1" / "model.onnx", providers=["CPUExecutionProvider"])
    (applicants,) = config.input
    assert ["explain"] == [entry.name for entry in session.get_overridable_initializers()]
    assert [-1, len(model.contract.fields)] == list(applicants.dims)

    rows = np.array(golden.applicants, dtype=TYPES[names[applicants.data_type]])
    probability, decision = session.run([output.name for output in config.output], {applicants.name: rows})

    assert pytest.approx(list(golden.probability)) == probability.tolist()
    assert list(golden.decision) == decision.tolist()
    for output, answer in zip(config.output, (probability, decision), strict=True):
        assert TYPES[names[output.data_type]] == answer.dtype
        assert len(output.dims) == answer.ndim


def test_the_config_says_which_model_it_is(repository: Path, parse: Any) -> None:
    """Version and sha256 travel as parameters, one thread a session."""
    folder = next(repository.iterdir())
    config, _ = parse((folder / "config.pbtxt").read_text())
    model = load_model(folder / "1" / "model.onnx")

    assert {
        "intra_op_thread_count": "1",
        "inter_op_thread_count": "1",
        "model_version": model.contract.version,
        "model_sha256": model.sha256,
    } == {entry.key: entry.value.string_value for entry in config.parameters}


def test_texts_are_escaped(root: Path, parse: Any) -> None:
    """Quotes, backslashes and line ends of a version can't end the string; a field's name can't end the comment."""
    contract = load_model(root / "artifacts" / "model.onnx").contract
    values = {name: getattr(contract, name) for name in Contract.__struct_fields__}
    first = values["fields"][0]
    renamed = type(first)(**{name: getattr(first, name) for name in first.__struct_fields__} | {"name": 'a\nb: "c"'})
    hostile = Contract(**values | {"version": 'a"\\\nb', "fields": (renamed, *contract.fields[1:])})

    config, _ = parse(write_config(hostile, "0" * 64))

    assert 'a"\\\nb' == next(entry.value.string_value for entry in config.parameters if entry.key == "model_version")
    assert r"a\"b\\c\nd" == escape('a"b\\c\nd')


@pytest.mark.parametrize("given", ["none.onnx", "README.md"])
def test_a_file_that_is_no_model_is_one_sentence(
    given: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and nothing is written."""
    assert 2 == main(["repository", str(root / given), "--out", str(tmp_path / "out")])

    assert 1 == len(capsys.readouterr().err.strip().splitlines())
    assert not (tmp_path / "out").exists()
