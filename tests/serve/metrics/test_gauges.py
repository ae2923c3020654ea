"""Gauges of the model file and of the summary of records, and none that is out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import httpx
import msgspec
import pytest
from prometheus_client import Metric
from starlette.types import ASGIApp

from model.bins import Bins
from model.contract import Contract, Training
from model.session import Model
from model.stability import FALSE_ALARMS, chi2_quantile
from monitor.shifts import BinShare, FieldShift
from monitor.summary import ChallengerSummary, ModelName, Monitor, Volume, Window
from serve.app import create_app_for_model
from serve.metrics.gauges import describe_monitor, describe_reference


def make_window(name: str, mean: float | None, fields: list[FieldShift]) -> Window:
    """A window with the probability's shift if it has a mean."""
    probability = FieldShift("", "Probability of default", 0.3, 0.02, "significant shift", [])
    start, end = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    shift = None if mean is None else probability
    return Window(name, start, end, 10, 7, 2, 1, mean, 0.25, shift, fields, Volume(20, 14, 4, 2))  # type: ignore[arg-type]


AGE = FieldShift("Age", "Age", 0.125, 0.01, "moderate shift", [BinShare("≤ 30", 0.5, 0.25)])

MONITOR = Monitor(
    at="2026-01-02T00:00:00Z",
    counted=100,
    waiting=3,
    model=ModelName("test", "v2", "0" * 64),
    fields=1,
    windows=[make_window("hour", None, []), make_window("week", 0.2, [AGE])],
    days=[],
    weeks=[],
    challenger=None,
    headline="Age has shifted.",
)

SHIFT = FieldShift("", "Probability of default", 0.5, 0.25, "significant shift", [])

CHALLENGER = ChallengerSummary(
    "test", "v3", "1" * 64, 10, [[5, 1, 0], [1, 1, 0], [0, 0, 2]], 0.8, 0.3, 0.2, SHIFT, "2025-12-26T00:00:00Z"
)


def read(families: Iterable[Metric]) -> dict[tuple[str, ...], float]:
    """The values by name and the values of the labels."""
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_the_summary_of_the_records_is_shown_as_gauges() -> None:
    """A window without decisions has no mean and no index; the probability's label `field` is empty."""
    assert read(describe_monitor(MONITOR)) == {
        ("credit_population_stability", "v2", "", "week"): 0.3,
        ("credit_population_stability", "v2", "Age", "week"): 0.125,
        ("credit_population_stability_noise", "v2", "", "week"): 0.02,
        ("credit_population_stability_noise", "v2", "Age", "week"): 0.01,
        ("credit_mean_probability", "v2", "week"): 0.2,
        ("credit_decisions_in_window", "v2", "hour", "accept"): 7,
        ("credit_decisions_in_window", "v2", "hour", "review"): 2,
        ("credit_decisions_in_window", "v2", "hour", "refuse"): 1,
        ("credit_decisions_in_window", "v2", "week", "accept"): 7,
        ("credit_decisions_in_window", "v2", "week", "review"): 2,
        ("credit_decisions_in_window", "v2", "week", "refuse"): 1,
        ("credit_monitor_waiting",): 3,
        ("credit_monitor_timestamp_seconds",): 1767312000,
    }


def test_a_challenger_is_compared_with_the_model_in_service() -> None:
    """Agreement, means, swap set, and the index of its probabilities."""
    found = read(describe_monitor(msgspec.structs.replace(MONITOR, challenger=CHALLENGER)))

    of_challenger = {key[:1] + key[3:]: value for key, value in found.items() if key[1:3] == ("v2", "v3")}
    swaps = {key[1:]: value for key, value in of_challenger.items() if key[0] == "credit_challenger_swap_set"}
    assert swaps["accept", "review"] == 1
    assert sum(swaps.values()) == 10
    assert {key[0]: value for key, value in of_challenger.items() if not key[1:]} == {
        "credit_challenger_agreement": 0.8,
        "credit_challenger_mean_probability": 0.3,
        "credit_challenger_stability": 0.5,
        "credit_challenger_stability_noise": 0.25,
    }


@pytest.fixture
def contract(model: Model) -> Contract:
    """A contract with bins: of the first field half are missing."""
    fields = [Bins((30, 70), 100, (50.0,)), *[Bins((200,), 0)] * 4]
    return msgspec.structs.replace(model.contract, bins=tuple(fields), probability_bins=Bins((60, 140), 0, (0.5,)))


def test_the_reference_is_that_of_the_model_file(contract: Contract) -> None:
    """Default rate, share of missing values, applicants by bin."""
    found = read(describe_reference(contract, by_bin=True))

    version = contract.version
    assert found["credit_expected_probability", version] == contract.training.default_rate
    assert found["credit_expected_missing_share", version, "Amount"] == 0.5
    assert found["credit_expected_missing_share", version, "Income"] == 0
    assert found["credit_reference_applicants", version, "Amount", "02: > 50"] == 70
    assert found["credit_reference_applicants", version, "", "01: ≤ 0.5"] == 60


def test_the_factor_of_noise_is_that_of_all_possible_bins(contract: Contract) -> None:
    """Of a look at all fields and the probability together."""
    found = read(describe_reference(contract, by_bin=True))

    # Of five fields and the probability; two bins and missing values.
    assert found["credit_noise_factor", contract.version, "Amount"] == chi2_quantile(1 - FALSE_ALARMS / 6, 2)


def test_with_records_the_bins_are_not_told(contract: Contract) -> None:
    """The indices come from the records."""
    names = {name for name, *_ in read(describe_reference(contract, by_bin=False))}

    assert names == {"credit_expected_probability", "credit_expected_missing_share"}


def test_a_model_imported_without_data_expects_nothing(model: Model) -> None:
    """It has no default rate and no bins."""
    imported: Training = msgspec.structs.replace(model.contract.training, default_rate=None)
    contract = msgspec.structs.replace(model.contract, training=imported)

    assert read(describe_reference(contract, by_bin=True)) == {}


@pytest.mark.parametrize("folder", [False, True])
def test_what_a_summary_no_longer_has_is_gone(
    model: Model,
    connect: Callable[[ASGIApp], httpx.Client],
    folder: bool,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A field that is gone and a version that is replaced have no series; with shared files of metrics too."""
    if folder:
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    app = create_app_for_model(model)
    client, metrics = connect(app), app.state.service.metrics
    metrics.record_monitor(MONITOR)
    before = client.get("/metrics").text

    metrics.record_monitor(msgspec.structs.replace(MONITOR, model=ModelName("test", "v9", "2" * 64), windows=[]))

    after = client.get("/metrics").text
    assert 'credit_population_stability{field="Age",version="v2",window="week"} 0.125' in before
    assert "credit_monitor_waiting 3.0" in after
    assert 'version="v2"' not in after
