from __future__ import annotations

import pytest
from msgspec.structs import replace

from model.maturity import Maturity
from monitor.backtest import Backtest
from monitor.next_step import STEPS, Given, choose_next_step
from monitor.verdict import Action, Verdict
from tests.monitor.backtests import make_empty, make_full

GIVEN = Given("sqlite:///my decisions.db", "model.onnx", ("--maturity", "90"), "2024-01-01", "2025-11-30")


def decide(action: Action, since: str | None = None, backtest: Backtest | None = None) -> Backtest:
    return replace(backtest or make_full(), verdict=Verdict(action, "So it is", [], [], since))


@pytest.mark.parametrize(
    ("backtest", "command"),
    [
        (
            decide("keep"),
            "monitor backtest --decisions 'sqlite:///my decisions.db' --from 2024-01-01 --maturity 90 --gate",
        ),
        (
            decide("watch"),
            "monitor backtest --decisions 'sqlite:///my decisions.db' --from 2024-01-01 --maturity 90 --gate",
        ),
        (
            decide("recalibrate", "2025-09-03"),
            "train recalibrate --model model.onnx --decisions 'sqlite:///my decisions.db' --from 2025-09-03 "
            "--to 2025-12-20",
        ),
        (
            decide("retrain"),
            "train CARD.toml --decisions 'sqlite:///my decisions.db' --from 2024-01-01 --to 2025-12-20",
        ),
        (
            decide("retrain", None, replace(make_full(), maturity=Maturity(0, None, 0))),
            "train CARD.toml --decisions 'sqlite:///my decisions.db' --from 2024-01-01 --to 2025-11-30",
        ),
    ],
)
def test_the_command_is_complete(backtest: Backtest, command: str) -> None:
    """Database, file and window as given; the decisions that the verdict rests on, or those that were chosen."""
    assert choose_next_step(backtest, GIVEN) == (STEPS[backtest.verdict.action], f"python -m {command}")


def test_what_is_not_known_is_a_placeholder() -> None:
    """The file of the model; the database is that of the service."""
    backtest = decide("recalibrate", None, make_empty())
    assert choose_next_step(backtest, Given())[1] == (
        "python -m train recalibrate --model FILE --decisions DECISIONS_URL"
    )
