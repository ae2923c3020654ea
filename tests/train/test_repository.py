"""python -m train repository: a model repository as Triton reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from msgspec import structs

from model.loading import load_model
from train.__main__ import main
from train.repository import escape, write_config

TYPES = {"TYPE_FP64": np.float64, "TYPE_INT64": np.int64}

# The messages of Triton's model_config.proto that our config uses: field name → number, type, is_repeated.
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
    """Read a config as Triton does: protobuf's text format, in which unknown names are errors."""
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
    """The repository made from the checkout's artifact."""
    out = tmp_path_factory.mktemp("repository")
    assert main(["repository", str(root / "artifacts" / "model.onnx"), "--out", str(out)]) == 0
    return out


def test_the_model_file_is_copied_unchanged(repository: Path, root: Path) -> None:
    """Into NAME/1/; only it and config.pbtxt are written."""
    artifact = root / "artifacts" / "model.onnx"
    name = load_model(artifact).contract.name

    files = sorted(path.relative_to(repository).as_posix() for path in repository.rglob("*") if path.is_file())

    assert files == [f"{name}/1/model.onnx", f"{name}/config.pbtxt"]
    assert (repository / name / "1" / "model.onnx").read_bytes() == artifact.read_bytes()


def test_the_configs_inputs_and_outputs_run_without_explain(repository: Path, parse: Any) -> None:
    """A plain onnxruntime session, as in Triton's backend, gives the golden answers."""
    folder = next(repository.iterdir())
    config, names = parse((folder / "config.pbtxt").read_text())
    model = load_model(folder / "1" / "model.onnx")
    golden = model.contract.golden
    assert (config.name, config.platform, config.max_batch_size) == (folder.name, "onnxruntime_onnx", 0)
    session = onnxruntime.InferenceSession(folder / "1" / "model.onnx", providers=["CPUExecutionProvider"])
    (applicants,) = config.input
    assert [entry.name for entry in session.get_overridable_initializers()] == ["explain"]
    assert list(applicants.dims) == [-1, len(model.contract.fields)]

    rows = np.array(golden.applicants, dtype=TYPES[names[applicants.data_type]])
    probability, decision = session.run([output.name for output in config.output], {applicants.name: rows})

    assert probability.tolist() == pytest.approx(list(golden.probability))
    assert decision.tolist() == list(golden.decision)
    for output, answer in zip(config.output, (probability, decision), strict=True):
        assert answer.dtype == TYPES[names[output.data_type]]
        assert answer.ndim == len(output.dims)


def test_the_config_names_the_model_version(repository: Path, parse: Any) -> None:
    """Version and sha256 are parameters, beside one thread per session."""
    folder = next(repository.iterdir())
    config, _ = parse((folder / "config.pbtxt").read_text())
    model = load_model(folder / "1" / "model.onnx")

    assert {entry.key: entry.value.string_value for entry in config.parameters} == {
        "intra_op_thread_count": "1",
        "inter_op_thread_count": "1",
        "model_version": model.contract.version,
        "model_sha256": model.sha256,
    }


def test_texts_are_escaped(root: Path, parse: Any) -> None:
    """A version can't end its string, a field's name can't end the comment."""
    contract = load_model(root / "artifacts" / "model.onnx").contract
    renamed = structs.replace(contract.fields[0], name='a\nb: "c"')
    hostile = structs.replace(contract, version='a"\\\nb', fields=(renamed, *contract.fields[1:]))

    config, _ = parse(write_config(hostile, "0" * 64))

    assert next(entry.value.string_value for entry in config.parameters if entry.key == "model_version") == 'a"\\\nb'
    assert escape('a"b\\c\nd') == r"a\"b\\c\nd"


@pytest.mark.parametrize("given", ["none.onnx", "README.md"])
def test_a_file_that_is_no_model_is_refused(
    given: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of error, exit code 2, and nothing is written."""
    assert main(["repository", str(root / given), "--out", str(tmp_path / "out")]) == 2

    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
