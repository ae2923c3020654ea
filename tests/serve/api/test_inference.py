"""The Open Inference Protocol, called by tritonclient over HTTP."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from model.contract import Field
from model.policy import DECISIONS
from model.session import Matrix, Model
from tests.serve.running import Service, running

OUTPUTS = ("probability", "decision", "contributions")

both_ways = pytest.mark.parametrize("is_binary", [True, False], ids=["binary", "JSON"])


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service around the model."""
    with running(tmp_path_factory.mktemp("inference"), content, MAX_ROWS="100") as started:
        yield started


@pytest.fixture
def client(service: Service) -> Iterator[Any]:
    """NVIDIA's client of the protocol."""
    with triton.InferenceServerClient(f"127.0.0.1:{service.port}") as made:
        yield made


def tensor(name: str, values: npt.NDArray[Any], *, is_binary: bool) -> Any:
    """An input of tritonclient."""
    made = triton.InferInput(name, values.shape, np_to_triton_dtype(values.dtype))
    made.set_data_from_numpy(values, binary_data=is_binary)
    return made


def by_field(applicants: Matrix, fields: tuple[Field, ...], *, is_binary: bool) -> list[Any]:
    """One tensor per field: levels as texts, numbers as FP32 or INT64, which JSON can't leave missing."""
    tensors = []
    for column, field in enumerate(fields):
        values: npt.NDArray[Any] = applicants[:, column]
        if field.kind == "category" and not np.isnan(values).any():
            values = np.array([field.levels[int(value)] for value in values], dtype=object)
        elif field.kind == "category":
            values = np.where(np.isnan(values), 0, values).astype(np.int64)
        elif column % 2:
            values = values.astype(np.float32)
        tensors.append(tensor(field.name, values, is_binary=is_binary))
    return tensors


def without_gaps(applicants: Matrix) -> Matrix:
    """Applicants without missing values."""
    whole: Matrix = applicants[~np.isnan(applicants).any(axis=1)]
    return whole


def scored(service: Service, applicants: Matrix) -> list[dict[str, Any]]:
    """The answer of POST /score."""
    rows = [[None if np.isnan(value) else value for value in row] for row in applicants.tolist()]
    answer = httpx.post(f"{service.base}/score", json={"applicants": rows, "reasons": len(rows[0])}, trust_env=False)
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def refusal(service: Service, model: Model, body: bytes | dict[str, Any], **headers: str) -> tuple[int, list[str]]:
    """Status and fault pointers of a refused inference."""
    url = f"{service.base}/v2/models/{model.contract.name}/infer"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = httpx.post(url, content=content, headers=headers, trust_env=False)
    return answer.status_code, [fault["pointer"] for fault in answer.json().get("errors", [])]


def test_the_service_and_its_model_are_alive_and_ready(client: Any, model: Model) -> None:
    """Health of server, model and version; other models and versions are not ready."""
    name, version = model.contract.name, model.contract.version

    assert (client.is_server_live(), client.is_server_ready()) == (True, True)
    assert (client.is_model_ready(name), client.is_model_ready(name, version)) == (True, True)
    assert (client.is_model_ready("another"), client.is_model_ready(name, "1")) == (False, False)


def test_metadata_describes_inputs_and_outputs(client: Any, model: Model) -> None:
    """The server names its extension, and the model the width of its matrix."""
    width = len(model.contract.fields)

    described = client.get_model_metadata(model.contract.name, model.contract.version)

    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    assert (described["name"], described["versions"]) == (model.contract.name, [model.contract.version])
    assert described["inputs"] == [{"name": "applicants", "datatype": "FP64", "shape": [-1, width]}]
    assert described["outputs"] == [
        {"name": "probability", "datatype": "FP64", "shape": [-1]},
        {"name": "decision", "datatype": "INT64", "shape": [-1]},
        {"name": "contributions", "datatype": "FP64", "shape": [-1, width]},
    ]


@both_ways
def test_a_matrix_is_answered_as_score_answers_it(
    client: Any, service: Service, model: Model, applicants: Matrix, is_binary: bool
) -> None:
    """Probabilities, decisions and contributions are exactly those of POST /score."""
    rows = applicants if is_binary else without_gaps(applicants)
    requested = [triton.InferRequestedOutput(name, binary_data=is_binary) for name in OUTPUTS]

    answer = client.infer(model.contract.name, [tensor("applicants", rows, is_binary=is_binary)], outputs=requested)

    results = scored(service, rows)
    assert answer.as_numpy("probability").tolist() == [result["probability"] for result in results]
    assert [DECISIONS[one] for one in answer.as_numpy("decision")] == [result["decision"] for result in results]
    column = {field.name: at for at, field in enumerate(model.contract.fields)}
    contributions = answer.as_numpy("contributions")
    for result, given in zip(results, contributions, strict=True):
        raised = {reason["field"]: reason["contribution"] for reason in result["reasons"]}
        assert {name: given[at] for name, at in column.items() if given[at] > 0} == raised
    expected = model.score(rows, explain=True)
    assert contributions.sum(axis=1).tolist() == expected.contributions.sum(axis=1).tolist()


@both_ways
def test_one_applicant_is_answered_as_score_answers_it(
    client: Any, service: Service, model: Model, applicants: Matrix, is_binary: bool
) -> None:
    """A single row, which is scored on another path than a batch, has exactly the same results."""
    for row in without_gaps(applicants)[:10, None]:
        answer = client.infer(model.contract.name, [tensor("applicants", row, is_binary=is_binary)])

        assert answer.as_numpy("probability").tolist() == [scored(service, row)[0]["probability"]]


@both_ways
def test_tensors_by_field_are_answered_like_a_matrix(
    client: Any, model: Model, fields: tuple[Field, ...], applicants: Matrix, is_binary: bool
) -> None:
    """With FP64, FP32, INT64 and BYTES."""
    rows = without_gaps(applicants)
    rows[:, 1::2] = np.round(rows[:, 1::2])  # exact in FP32

    answer = client.infer(model.contract.name, by_field(rows, fields, is_binary=is_binary))

    assert answer.as_numpy("probability").tolist() == model.score(rows).probability.tolist()


def test_nullable_fields_may_be_left_out(
    client: Any, model: Model, fields: tuple[Field, ...], applicants: Matrix
) -> None:
    """They count as missing."""
    rows = without_gaps(applicants)[:5].copy()
    given = [
        made for made, field in zip(by_field(rows, fields, is_binary=True), fields, strict=True) if not field.nullable
    ]
    rows[:, [field.nullable for field in fields]] = np.nan

    answer = client.infer(model.contract.name, given)

    assert answer.as_numpy("probability").tolist() == model.score(rows).probability.tolist()


@pytest.mark.parametrize("level_type", [np.int64, np.int32, np.float64, np.float32])
def test_levels_may_be_given_by_their_index(
    client: Any, model: Model, fields: tuple[Field, ...], applicants: Matrix, level_type: type
) -> None:
    """As whole numbers of any datatype; shape [n, 1] is accepted like [n]."""
    rows = without_gaps(applicants)
    given = [
        tensor(field.name, rows[:, [at]].astype(level_type if field.kind == "category" else np.float64), is_binary=True)
        for at, field in enumerate(fields)
    ]

    answer = client.infer(model.contract.name, given)

    assert answer.as_numpy("probability").tolist() == model.score(rows).probability.tolist()


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@both_ways
def test_a_compressed_request_is_answered_like_another(
    client: Any, model: Model, applicants: Matrix, is_binary: bool, algorithm: str
) -> None:
    """tritonclient compresses JSON and binary tensors together."""
    rows = without_gaps(applicants)
    given = [tensor("applicants", rows, is_binary=is_binary)]

    answer = client.infer(model.contract.name, given, request_compression_algorithm=algorithm)

    assert answer.as_numpy("probability").tolist() == model.score(rows).probability.tolist()


def test_a_byte_order_mark_before_the_json_is_ignored(service: Service, model: Model, applicants: Matrix) -> None:
    """It counts towards Inference-Header-Content-Length."""
    raw = applicants.astype("<f8").tobytes()
    matrix = {"name": "applicants", "shape": list(applicants.shape), "datatype": "FP64"}
    head = BOM_UTF8 + json.dumps({"inputs": [matrix | {"parameters": {"binary_data_size": len(raw)}}]}).encode()

    answer = httpx.post(
        f"{service.base}/v2/models/{model.contract.name}/infer",
        content=head + raw,
        headers={"Inference-Header-Content-Length": str(len(head))},
        trust_env=False,
    )

    assert answer.json()["outputs"][0]["data"] == model.score(applicants).probability.tolist()


def test_only_requested_outputs_are_returned(client: Any, model: Model, applicants: Matrix) -> None:
    """Probability and decision by default; the id of the request is returned."""
    given = [tensor("applicants", applicants, is_binary=True)]
    name = model.contract.name

    plain = client.infer(name, given, request_id="17").get_response()
    result = client.infer(name, given, outputs=[triton.InferRequestedOutput("decision", binary_data=False)])

    assert (plain["id"], plain["model_name"], plain["model_version"]) == ("17", name, model.contract.version)
    assert [output["name"] for output in plain["outputs"]] == ["probability", "decision"]
    assert [(output["name"], output["datatype"], output["shape"]) for output in result.get_response()["outputs"]] == [
        ("decision", "INT64", [len(applicants)])
    ]


def test_json_rows_may_be_nested_and_null_is_missing(service: Service, model: Model, applicants: Matrix) -> None:
    """The data of a JSON tensor is flat or a list of rows."""
    rows = [[None if np.isnan(value) else value for value in row] for row in applicants.tolist()]
    body = {"inputs": [{"name": "applicants", "shape": list(applicants.shape), "datatype": "FP64", "data": rows}]}

    answer = httpx.post(f"{service.base}/v2/models/{model.contract.name}/infer", json=body, trust_env=False).json()

    assert answer["outputs"][0]["data"] == model.score(applicants).probability.tolist()


@pytest.mark.parametrize(("name", "version"), [("another", ""), ("test", "1")], ids=["name", "version"])
def test_another_model_or_version_is_404(client: Any, applicants: Matrix, name: str, version: str) -> None:
    """The problem names the model in service."""
    with pytest.raises(InferenceServerException, match="the one in service is 'test'"):
        client.infer(name, [tensor("applicants", applicants, is_binary=True)], model_version=version)


Change = Callable[[list[dict[str, Any]]], object]

WRONG: dict[str, tuple[Change, list[str]]] = {
    "no input": (lambda inputs: inputs.clear(), ["/inputs"]),
    "an unknown field": (lambda inputs: inputs[0].update(name="Age"), ["/inputs/0/name", "/inputs"]),
    "a field twice": (lambda inputs: inputs[1].update(name="Amount"), ["/inputs"]),
    "a missing field": (lambda inputs: inputs.pop(0), ["/inputs"]),
    "other lengths": (lambda inputs: inputs[0].update(shape=[1], data=[1.5]), ["/inputs"]),
    "a shape that isn't filled": (lambda inputs: inputs[0].update(shape=[3]), ["/inputs/0/shape"]),
    "a row for a column": (lambda inputs: inputs[0].update(shape=[1, 2]), ["/inputs/0/shape"]),
    "no length": (lambda inputs: inputs[0].update(shape=[]), ["/inputs/0/shape"]),
    "a length of nothing": (lambda inputs: inputs[0].update(shape=[0], data=[]), ["/inputs/0/shape/0"]),
    "huge lengths": (lambda inputs: inputs[0].update(shape=[2**63, 2]), ["/inputs/0/shape"]),
    "an unknown datatype": (lambda inputs: inputs[0].update(datatype="FP16"), ["/inputs/0/datatype"]),
    "texts for numbers": (lambda inputs: inputs[0].update(datatype="BYTES", data=["1", "2"]), ["/inputs/0/datatype"]),
    "numbers for texts": (lambda inputs: inputs[2].update(data=[1, 2]), ["/inputs/2/data"] * 2),
    "fractions for INT64": (lambda inputs: inputs[0].update(datatype="INT64"), ["/inputs/0/data"] * 2),
    "booleans": (lambda inputs: inputs[0].update(data=[True, False]), ["/inputs/0/data"] * 2),
    "unknown levels": (lambda inputs: inputs[2].update(data=["tent", "boat"]), ["/inputs/2/data"] * 2),
    "a level beyond the last": (lambda inputs: inputs[2].update(datatype="INT64", data=[0, 3]), ["/inputs/2/data"]),
    "a missing value of a field that needs one": (
        lambda inputs: inputs[0].update(data=[None, 1.5]),
        ["/inputs/0/data"],
    ),
    "a number beyond all measure": (lambda inputs: inputs[0].update(data=[1e101, 1.5]), ["/inputs/0/data"]),
    "an infinite FP32": (lambda inputs: inputs[0].update(datatype="FP32", data=[1e50, 1]), ["/inputs/0/data"]),
    "neither data nor bytes": (lambda inputs: inputs[0].pop("data"), ["/inputs/0"]),
    "bytes that aren't there": (
        lambda inputs: inputs[0].update(parameters={"binary_data_size": 16}),
        ["/inputs/0/parameters/binary_data_size"],
    ),
    "faults in several inputs": (
        lambda inputs: [
            inputs[0].update(data=[None, 1]),
            inputs[1].update(data=[1e101, 1]),
            inputs[2].update(data=["a", "own"]),
        ],
        ["/inputs/0/data", "/inputs/1/data", "/inputs/2/data"],
    ),
    "several that can't be read": (
        lambda inputs: [inputs[0].update(shape=[3]), inputs[1].update(data=["x", 1]), inputs[3].pop("data")],
        ["/inputs/0/shape", "/inputs/1/data", "/inputs/3"],
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_every_fault_of_the_inputs_is_named(
    service: Service, model: Model, fields: tuple[Field, ...], wrong: str
) -> None:
    """400 with a pointer for each fault."""
    change, pointers = WRONG[wrong]
    inputs = [
        {"name": field.name, "shape": [2], "datatype": "FP64", "data": [1.5, 0.5]}
        if field.kind == "number"
        else {"name": field.name, "shape": [2], "datatype": "BYTES", "data": [field.levels[0], field.levels[1]]}
        for field in fields
    ]
    change(inputs)

    assert refusal(service, model, {"inputs": inputs}) == (400, pointers)


def test_a_matrix_of_another_width_is_refused(service: Service, model: Model) -> None:
    """As are texts and ragged rows."""
    pointers = []
    for change in ({"shape": [1, 4]}, {"datatype": "BYTES", "data": ["x"] * 4, "shape": [2, 2]}, {"shape": [2, 2]}):
        data = [[1, 2, 3], [4]] if change == {"shape": [2, 2]} else [1, 2, 3, 4]
        matrix = {"name": "applicants", "datatype": "FP64", "data": data, **change}
        pointers.append(refusal(service, model, {"inputs": [matrix]}))

    assert pointers == [(400, ["/inputs/0/shape"]), (400, ["/inputs/0/datatype"]), (400, ["/inputs/0/data"])]


def test_unknown_and_repeated_outputs_are_refused(service: Service, model: Model, vector: list[Any]) -> None:
    """400 with a pointer to the output."""
    body = {"inputs": [{"name": "applicants", "shape": [1, 5], "datatype": "FP64", "data": vector}]}

    assert refusal(service, model, body | {"outputs": [{"name": "class"}]}) == (400, ["/outputs/0/name"])
    assert refusal(service, model, body | {"outputs": [{"name": "decision"}] * 2}) == (400, ["/outputs"])


@pytest.mark.parametrize("length", ["-1", "1e3", "999999", "0" * 5000, "x"])
def test_a_wrong_length_of_the_json_is_refused(service: Service, model: Model, length: str) -> None:
    """400 for any invalid Inference-Header-Content-Length."""
    status, pointers = refusal(service, model, b'{"inputs": []}', **{"Inference-Header-Content-Length": length})

    assert (status, pointers) == (400, [""])


def test_bytes_that_no_tensor_claims_are_refused(service: Service, model: Model, vector: list[Any]) -> None:
    """As are binary tensors whose size is not a multiple of their element size."""
    head = {"inputs": [{"name": "applicants", "shape": [1, 5], "datatype": "FP64"}]}
    found = []
    for size, sent in ((40, 48), (36, 36), (40, 32)):
        head["inputs"][0]["parameters"] = {"binary_data_size": size}  # type: ignore[assignment]
        text = json.dumps(head).encode()
        length = {"Inference-Header-Content-Length": str(len(text))}
        found.append(refusal(service, model, text + bytes(sent), **length))

    size_pointer = "/inputs/0/parameters/binary_data_size"
    assert found == [(400, [""]), (400, [size_pointer]), (400, [size_pointer])]


def test_too_many_rows_are_refused_before_a_matrix_is_made(service: Service, model: Model) -> None:
    """413, even if only one tensor has too many rows."""
    many = {"shape": [101], "datatype": "FP64", "data": [1.0] * 101}
    matrix = {"name": "applicants", "shape": [101, 5], "datatype": "FP64", "data": [1.0] * 505}

    assert refusal(service, model, {"inputs": [{"name": "Income", **many}]}) == (413, [])
    assert refusal(service, model, {"inputs": [matrix]}) == (413, [])


@pytest.mark.parametrize("member", [b"9" * 5000, b'"\xff\xfe"'])
def test_an_unknown_member_must_be_valid_json(service: Service, applicants: Matrix, member: bytes) -> None:
    """Unknown members are ignored, but invalid JSON in them is 400."""
    row = without_gaps(applicants)[:1]
    inputs = {"inputs": [{"name": "applicants", "shape": [1, 5], "datatype": "FP64", "data": row.ravel().tolist()}]}
    body = json.dumps(inputs).encode()[:-1] + b',"x":' + member + b"}"

    answer = httpx.post(f"http://127.0.0.1:{service.port}/v2/models/test/infer", content=body)

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem:invalid-applicants")
