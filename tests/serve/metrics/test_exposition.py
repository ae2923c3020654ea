"""GET /metrics, parsed as Prometheus does: equal to what was sent, over all workers, without applicants' values."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from starlette.types import ASGIApp

from decisions.recorder import RecorderStatus
from model.bins import Bins
from model.contract import Field
from model.policy import DECISIONS
from model.session import Matrix, Model
from serve.app import create_app_for_model
from serve.challenger import ShadowStatus
from serve.metrics.collectors import Collectors
from serve.metrics.exposition import remove_dead_workers, write_metrics
from serve.metrics.gauges import describe_monitor
from serve.schemas.responses import ModelIdentity
from serve.settings import METRICS_FOLDER_VARIABLE
from tests.monitor.monitors import make_monitor
from train.bins import make_bins

VERSION = "2026.01.02-abcdef01"
NAME = ModelIdentity("test", VERSION, "0" * 64)

Labels = tuple[tuple[str, str], ...]
Samples = dict[tuple[str, Labels], float]

WORKER = """
import sys
import numpy as np
from model.contract import Field
from model.session import Scores
from serve.metrics.recorder import Metrics
from serve.schemas.responses import ModelIdentity

metrics = Metrics()
name = ModelIdentity("test", sys.argv[1], "0" * 64)
fields = [Field("Amount", "Amount", "", "number", (), 0.0, 1.0, True, "High")]
metrics.set_model(name, fields)
for _ in range(int(sys.argv[2])):
    metrics.record_request("/score", 200, 0.001)
    metrics.record_scores(name, fields, np.array([[2.0]]), Scores(np.array([0.25]), np.array([1]), np.zeros((0, 1))))
metrics.flush(int(sys.argv[2]))
if len(sys.argv) > 3:
    print("ready", flush=True)
    sys.stdin.read()
"""
"""A worker: counts this many requests of one applicant each, sets as many in flight, and ends at once, or with a third
argument at the end of its input."""


def parse(text: str) -> Samples:
    """All samples by name and labels; checks that families have a type and samples are unique."""
    families = list(text_string_to_metric_families(text))
    assert all(family.documentation for family in families)
    assert len({family.name for family in families}) == len(families)
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def scrape(client: httpx.Client) -> Samples:
    """The text of GET /metrics."""
    response = client.get("/metrics")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/plain; version=1.0.0; charset=utf-8")
    return parse(response.text)


def one(found: Samples, sample: str, /, **labels: str) -> float:
    """The value of one sample."""
    return found[sample, tuple(sorted(labels.items()))]


@pytest.fixture
def client(model: Model, connect: Callable[[ASGIApp], httpx.Client]) -> httpx.Client:
    """A client of a service that gets no other requests."""
    return connect(create_app_for_model(model))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PROMETHEUS_MULTIPROC_DIR of the workers; this process reads it."""
    monkeypatch.setenv(METRICS_FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def to_json(matrix: Matrix) -> list[list[float | None]]:
    """Rows of the matrix as JSON."""
    return [[None if np.isnan(cell) else cell for cell in row] for row in matrix.tolist()]


def test_every_request_is_counted_by_path_and_status(client: httpx.Client, vector: list[Any]) -> None:
    """The path label is that of the route, so that clients can't create series."""
    for _ in range(3):
        client.post("/predict", json={"data": [vector]})
    client.post("/predict", json={"data": []})
    client.get("/v2/models/test")
    client.get("/v2/models/another")
    client.get("/nowhere")
    client.get("/nowhere/else")

    found = scrape(client)

    requests = {labels: count for (name, labels), count in found.items() if name == "http_requests_total"}
    assert requests == {
        (("path", "/predict"), ("status", "200")): 3,
        (("path", "/predict"), ("status", "400")): 1,
        (("path", "/v2/models/{name}"), ("status", "200")): 1,
        (("path", "/v2/models/{name}"), ("status", "404")): 1,
        (("path", "other"), ("status", "404")): 2,
    }


def test_times_are_a_histogram(client: httpx.Client, vector: list[Any]) -> None:
    """Cumulative, with +Inf, and its count equals the number of requests."""
    for _ in range(5):
        client.post("/score", json={"applicants": [vector]})

    found = scrape(client)

    buckets = [value for (name, _), value in found.items() if name == "http_request_seconds_bucket"]
    assert buckets == sorted(buckets)
    assert one(found, "http_request_seconds_bucket", path="/score", le="+Inf") == buckets[-1] == 5
    assert one(found, "http_request_seconds_count", path="/score") == 5
    assert one(found, "http_request_seconds_sum", path="/score") > 0


def test_one_request_is_in_flight_while_it_asks(client: httpx.Client) -> None:
    """GET /metrics counts itself."""
    client.get("/livez")

    assert one(scrape(client), "http_requests_in_flight") == 1


def test_the_model_in_service_is_named(client: httpx.Client, model: Model) -> None:
    """As an info metric with name, version and hash."""
    assert one(scrape(client), "credit_model_info", name="test", version=VERSION, sha256=model.sha256) == 1


def test_decisions_missing_values_and_probabilities_are_counted(
    client: httpx.Client, model: Model, applicants: Matrix
) -> None:
    """In every request format, each applicant exactly once."""
    client.post("/predict", json={"data": to_json(applicants)})
    for alone in to_json(applicants):
        client.post("/score", json={"applicants": [alone]})
    client.post("/predict", json={"data": to_json(applicants[:1])})
    tensor = {"name": "applicants", "shape": [64, 5], "datatype": "FP64", "data": to_json(applicants)}
    client.post("/v2/models/test/infer", json={"inputs": [tensor]})
    client.post(
        "/score",
        content="Amount,Income,Home,Client,Debt/Income~12m\n150,,,True,1\n",
        headers={"content-type": "text/csv"},
    )
    client.post("/score", json={"applicants": [*to_json(applicants), ["wrong"]]})

    found = scrape(client)

    row = np.array([[150, np.nan, np.nan, 1, 1]])
    everybody = np.concatenate([applicants, applicants, applicants[:1], applicants, row])
    scores = model.score(everybody)
    assert one(found, "credit_applicants_total", version=VERSION) == len(everybody)
    for index, word in enumerate(DECISIONS):
        count = (scores.decision == index).sum()
        assert one(found, "credit_decisions_total", version=VERSION, decision=word) == count
    for column, field in enumerate(model.contract.fields):
        count = np.isnan(everybody[:, column]).sum()
        assert one(found, "credit_missing_values_total", version=VERSION, field=field.name) == count
    assert one(found, "credit_out_of_bounds_total", version=VERSION, field="Amount") == 1
    for edge in ("0.05", "0.5", "1"):
        count = (scores.probability <= float(edge)).sum()
        assert one(found, "credit_probability_bucket", version=VERSION, le=edge) == count
    assert one(found, "credit_probability_count", version=VERSION) == len(everybody)
    assert one(found, "credit_probability_sum", version=VERSION) == pytest.approx(scores.probability.sum())


def test_probabilities_are_a_histogram_as_prometheus_defines_it(client: httpx.Client, applicants: Matrix) -> None:
    """Its bounds ascend to +Inf, its counts never fall, and the last one is the count."""
    client.post("/predict", json={"data": to_json(applicants)})

    families = text_string_to_metric_families(client.get("/metrics").text)

    (family,) = [family for family in families if family.name == "credit_probability"]
    buckets = [sample for sample in family.samples if sample.name == "credit_probability_bucket"]
    ends, counts = [float(sample.labels["le"]) for sample in buckets], [sample.value for sample in buckets]
    (count,) = [sample.value for sample in family.samples if sample.name == "credit_probability_count"]
    assert family.type == "histogram"
    assert ends == [*np.arange(1, 21) / 20, np.inf]
    assert counts == sorted(counts)
    assert counts[-2] == counts[-1] == count == len(applicants)


def test_a_model_without_requests_has_zeros(client: httpx.Client, fields: tuple[Field, ...]) -> None:
    """All series exist from the start."""
    found = scrape(client)

    assert one(found, "credit_applicants_total", version=VERSION) == 0
    assert one(found, "credit_probability_count", version=VERSION) == 0
    for field in fields:
        assert one(found, "credit_missing_values_total", version=VERSION, field=field.name) == 0


def test_names_and_labels_are_those_of_the_document(
    model: Model, training_rows: Matrix, connect: Callable[[ASGIApp], httpx.Client], vector: list[Any], root: Path
) -> None:
    """docs/operations.md lists every metric with its labels; without DECISIONS_URL there are none of records."""
    table = (root / "docs" / "operations.md").read_text().partition("## Metrics")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z_0-9, ]+) \| ([a-z0-9_, ]*)\| ", table, re.MULTILINE)
    documented = {
        name.strip(): {label.strip() for label in labels.split(",") if label.strip()}
        for names, labels in rows
        for name in names.split(",")
        if name.strip() != "metric"
    }
    bins = make_bins(model.contract.fields, training_rows)
    contract = msgspec.structs.replace(model.contract, bins=bins, probability_bins=Bins((200, 200), 0, (0.5,)))
    client = connect(create_app_for_model(msgspec.structs.replace(model, contract=contract)))
    client.post("/score", json={"applicants": [vector]})
    collectors = Collectors()
    before = {family.name for family in collectors.registry.collect()}
    collectors.recording.update(RecorderStatus(True, 0, 0, 0, 0, ""), [])
    collectors.challenger.update(ShadowStatus(True, 0, 0, 0))

    added = [family for family in collectors.registry.collect() if family.name not in before]
    of_records = name_labels(sample for family in added for sample in family.samples)
    of_records |= name_labels(sample for family in describe_monitor(make_monitor()) for sample in family.samples)
    others = name_labels(
        sample for family in text_string_to_metric_families(client.get("/metrics").text) for sample in family.samples
    )

    assert others | of_records == documented
    assert others.keys() & of_records.keys() == set()


def name_labels(samples: Iterable[Sample]) -> dict[str, set[str]]:
    """The names of the labels of each metric; a histogram counts as one."""
    found: dict[str, set[str]] = {}
    for sample in samples:
        family = re.sub(r"_(bucket|count|sum)$", "", sample.name)
        found.setdefault(family, set()).update(sample.labels.keys() - {"le"})
    return found


def test_whichever_worker_is_asked_answers_for_all(folder: Path, root: Path) -> None:
    """Including workers that have ended: their counters stay, their gauges don't."""
    for count in (2, 3):
        subprocess.run([sys.executable, "-c", WORKER, VERSION, str(count)], cwd=root, check=True)
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, VERSION, "4", "stay"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as living:
        assert living.stdout is not None
        assert living.stdout.readline() == b"ready\n"

        found = parse(write_metrics(CollectorRegistry(), NAME).decode())

        living.communicate()

    assert one(found, "http_requests_total", path="/score", status="200") == 9
    assert one(found, "http_request_seconds_count", path="/score") == 9
    assert one(found, "credit_applicants_total", version=VERSION) == 9
    assert one(found, "credit_out_of_bounds_total", version=VERSION, field="Amount") == 9
    assert one(found, "credit_probability_bucket", version=VERSION, le="0.2") == 0
    assert one(found, "credit_probability_bucket", version=VERSION, le="0.25") == 9
    assert one(found, "credit_probability_bucket", version=VERSION, le="+Inf") == 9
    assert one(found, "credit_probability_sum", version=VERSION) == pytest.approx(9 * 0.25)
    assert one(found, "http_requests_in_flight") == 4


def test_workers_with_different_models_are_told_apart(folder: Path, root: Path) -> None:
    """As during a reload, when one worker has the new model already."""
    for version, count in (("old", 2), ("new", 3)):
        subprocess.run([sys.executable, "-c", WORKER, version, str(count)], cwd=root, check=True)

    found = parse(write_metrics(CollectorRegistry(), NAME).decode())

    assert one(found, "http_requests_total", path="/score", status="200") == 5
    for version, count in (("old", 2), ("new", 3)):
        assert one(found, "credit_applicants_total", version=version) == count
        assert one(found, "credit_probability_count", version=version) == count


def test_a_service_whose_workers_have_counted_nothing_yet_names_its_model(folder: Path) -> None:
    """An empty folder of metrics is no error."""
    found = parse(write_metrics(CollectorRegistry(), NAME).decode())

    assert found == {("credit_model_info", (("name", "test"), ("sha256", NAME.sha256), ("version", VERSION))): 1}


def test_only_the_gauges_of_dead_workers_are_removed(tmp_path: Path) -> None:
    """Those of this process stay, and so do all counters and histograms."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    kept = [f"{kind}_{ended.pid}.db" for kind in ("counter", "histogram")] + [f"gauge_livesum_{os.getpid()}.db"]
    for name in [*kept, f"gauge_livesum_{ended.pid}.db"]:
        (tmp_path / name).touch()

    remove_dead_workers(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_no_value_of_an_applicant_is_ever_in_it(client: httpx.Client) -> None:
    """Neither of valid nor of invalid requests, from fields, ids, paths or headers."""
    marker = "8765432109"
    applicant = {"id": marker, "Amount": int(marker), "Client": True, "Debt/Income~12m": 1}
    client.post("/score", json={"applicants": [applicant]})
    client.post("/score", json={"applicants": [{**applicant, "Home": marker, marker: 1}]})
    client.get(f"/{marker}", headers={"x-request-id": marker})
    client.post(f"/v2/models/{marker}/infer", json={})

    assert marker not in client.get("/metrics").text
