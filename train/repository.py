"""`python -m train repository`: a model repository for Triton Inference Server and KServe.

A model repository is a folder NAME/1/model.onnx with NAME/config.pbtxt beside it
(https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_repository.md). The file is copied
unchanged, and its config is written from its contract.

The optional input `explain` is a scalar, which Triton's configuration can't declare. It is left out, and with it the
output `contributions`, which is empty without it. Reasons need the service in serve/.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from rich.console import Console

from model.contract import Contract
from train.applicants import open_model
from train.errors import TrainingError
from train.files import write_whole

VERSION = "1"
"""Triton's version of a model, a folder named by a number. Our version is in the file and in `parameters`."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

CONFIG = """\
# Written by python -m train repository for {version}.
name: "{name}"
platform: "onnxruntime_onnx"
# The graph takes any number of applicants at once, so that Triton's own batching is not needed.
max_batch_size: 0
# float64; NaN is a missing value, a category is the index of its level: {fields}
input [ {{ name: "applicants" data_type: TYPE_FP64 dims: [ -1, {width} ] }} ]
output [
  {{ name: "probability" data_type: TYPE_FP64 dims: [ -1 ] }},
  {{ name: "decision" data_type: TYPE_INT64 dims: [ -1 ] }}
]
instance_group [ {{ count: 1 kind: KIND_CPU }} ]
# A row takes microseconds, so that more threads inside a session would cost more than they gain.
parameters {{ key: "intra_op_thread_count" value: {{ string_value: "1" }} }}
parameters {{ key: "inter_op_thread_count" value: {{ string_value: "1" }} }}
parameters {{ key: "model_version" value: {{ string_value: "{version}" }} }}
parameters {{ key: "model_sha256" value: {{ string_value: "{sha256}" }} }}
"""


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the repository; the exit code. Raises TrainingError."""
    model = open_model(options.model)
    name = model.contract.name
    if not NAME.fullmatch(name):
        raise TrainingError(
            f"the model is named {name!r}, expected letters, digits, _ and - only, because Triton names a "
            "folder and a URL after it; change the name in the dataset card and train again"
        )
    folder = options.out / name
    write_whole(folder / VERSION / "model.onnx", options.model.read_bytes())
    write_whole(folder / "config.pbtxt", write_config(model.contract, model.sha256).encode())
    console.print(f"Wrote {folder}: start Triton with --model-repository={options.out}")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train repository",
        description="Write a model repository for Triton Inference Server and KServe around a model file.",
    )
    parser.add_argument(
        "model", nargs="?", type=Path, default=Path("artifacts/model.onnx"), help="default: artifacts/model.onnx"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/repository"), metavar="DIR", help="default: build/repository"
    )
    return parser.parse_args(arguments)


def write_config(contract: Contract, sha256: str) -> str:
    """The content of config.pbtxt."""
    return CONFIG.format(
        name=escape(contract.name),
        version=escape(contract.version),
        sha256=sha256,
        fields=", ".join(" ".join(field.name.split()) for field in contract.fields),
        width=len(contract.fields),
    )


def escape(text: str) -> str:
    """A text escaped for a quoted string of protobuf's text format."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
