"""Requests are counted by path and status, timed, and known while they last."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve.counters import Ledger
from serve.traffic import SECONDS, STATUSES, Traffic


def test_a_request_is_counted_where_it_belongs(tmp_path: Path) -> None:
    """By route and status; its time in one bin, and in the sum."""
    traffic = Traffic(("/score", "/predict"), Ledger(str(tmp_path)))

    traffic.enter()
    traffic.count("/predict", 413, 0.003)
    traffic.exit()

    assert {
        ("requests", ("/predict", "413")): 1.0,
        ("seconds", ("/predict", "0.005")): 1.0,
        ("seconds_sum", ("/predict",)): 0.003,
    } == {key: count for key, count in Ledger(str(tmp_path)).add_up().items() if count}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_own_counter(tmp_path: Path, status: int) -> None:
    """No other one moves."""
    Traffic(("/score",), Ledger(str(tmp_path))).count("/score", status, 0.001)

    counted = [key for key, count in Ledger(str(tmp_path)).add_up().items() if key[0] == "requests" and count]
    assert [("requests", ("/score", str(status)))] == counted


@pytest.mark.parametrize("status", [0, 204, 307, 499])
def test_a_status_of_another_kind_is_counted_as_other(tmp_path: Path, status: int) -> None:
    """A client that hung up, a redirection: there is no end to what can be."""
    Traffic(("/score",), Ledger(str(tmp_path))).count("other", status, 0.001)

    assert 1.0 == Ledger(str(tmp_path)).add_up()["requests", ("other", "other")]


@pytest.mark.parametrize(
    ("seconds", "edge"), [(0.0, "0.0001"), (0.0001, "0.0001"), (0.00011, "0.0002"), (10.0, "10"), (10.1, "+Inf")]
)
def test_a_time_is_counted_in_the_bin_whose_end_it_does_not_exceed(tmp_path: Path, seconds: float, edge: str) -> None:
    """From a tenth of a millisecond to whatever it takes."""
    Traffic(("/score",), Ledger(str(tmp_path))).count("/score", 200, seconds)

    assert 1.0 == Ledger(str(tmp_path)).add_up()["seconds", ("/score", edge)]


def test_requests_in_flight_are_those_that_entered_and_did_not_leave(tmp_path: Path) -> None:
    """Of all processes together."""
    traffics = [Traffic(("/score",), Ledger(str(tmp_path))) for _ in range(2)]
    for traffic in traffics:
        traffic.enter()
        traffic.enter()
    traffics[0].exit()

    assert 3.0 == Ledger(str(tmp_path)).add_up()["in_flight", ()]


def test_the_bins_ascend() -> None:
    """Otherwise nothing would be where it belongs."""
    assert sorted(set(SECONDS)) == list(SECONDS)
