"""A backtest that holds something of everything, and one that holds next to nothing."""

from __future__ import annotations

from model.estimates import Estimate
from model.maturity import Maturity
from model.stability import ShiftVerdict
from monitor.backtest import Backtest, Month, Version
from monitor.calibration import Calibration, CalibrationBin
from monitor.change_point import ChangePoint
from monitor.costs import PolicyCost, RejectRange
from monitor.performance import ChallengerComparison, ExpectedPerformance
from monitor.profit import Profit
from monitor.reviews import ReviewGroup
from monitor.rule_effects import RuleEffect
from monitor.shifts import BinShare, FieldShift
from monitor.summary import ModelName
from monitor.verdict import Verdict
from monitor.vintages import Vintage

MODEL = ModelName("credit", "2", "a" * 64)


def make_empty() -> Backtest:
    """Of a record without decisions."""
    return Backtest(
        at="2026-03-05T10:00:00.000000Z",
        start=None,
        end=None,
        model=MODEL,
        decisions=0,
        accepted=0,
        outcomes=0,
        versions=[],
        maturity=Maturity(0, None, 0),
        months=[],
        windows=[],
        bins=[],
        vintages=[],
        change=None,
        costs=[],
        reviews=[],
        rejected=RejectRange(0, 0, None, None, None),
        expected=ExpectedPerformance(0, 0, None, None, None, None),
        challenger=None,
        drift_decisions=0,
        drift=[],
        verdict=Verdict("keep", "Keep: there is nothing to judge by", [], []),
    )


def make_full(label: str = "Monthly income") -> Backtest:
    """Of a year in which the default rate rose by half in September; `label` is the name of whatever has one."""
    model = ModelName(label, label, "b" * 64)
    return Backtest(
        at="2026-03-05T10:00:00.000000Z",
        start="2025-01-01T00:00:07.000000Z",
        end="2025-12-31T23:59:00.000000Z",
        model=model,
        decisions=60_000,
        accepted=41_000,
        outcomes=38_400,
        versions=[Version(MODEL, 10_000, 8_000), Version(model, 50_000, 30_400)],
        maturity=Maturity(90, None, 1_200),
        months=[_make_month(number) for number in range(1, 13)],
        windows=[
            _make_calibration("latest 500", 500, 1.5, 1e-7),
            _make_calibration("latest 2,000", 2_000, 1.3, 0.002),
            _make_calibration("all", 30_400, 1.02, 0.4),
        ],
        bins=[_make_bin(number) for number in range(10)],
        vintages=[_make_vintage(number) for number in range(1, 13)],
        change=ChangePoint(
            time="2025-09-03T08:00:00.000000Z",
            low="2025-08-20T08:00:00.000000Z",
            high="2025-09-10T08:00:00.000000Z",
            chance=1e-9,
            before=1.01,
            after=1.52,
            outcomes_before=25_000,
            outcomes_after=5_400,
        ),
        costs=[
            _make_cost("as it was", 12_345.0, None),
            _make_cost("model alone", 12_400.0, 0.2),
            _make_cost("thresholds by outcomes", 11_200.0, 0.15),
            _make_cost("challenger", 11_900.0, None),
        ],
        reviews=[
            ReviewGroup("review", "accept", False, 800, 500, 60, Estimate(0.12, 0.09, 0.15), 0.21, -35.5, -40.0),
            ReviewGroup("refuse", "accept", True, 40, 0, 0, None, None, None, 12.0),
        ],
        rejected=RejectRange(19_000, 38_400, 0.07, 0.41, 0.18),
        expected=ExpectedPerformance(50_000, 34_000, 0.11, 0.81, 0.74, 0.31),
        challenger=ChallengerComparison(
            name=label,
            version="3",
            sha256="c" * 64,
            decisions=20_000,
            swap_set=[[12_000, 900, 100], [800, 2_200, 0], [0, 1_000, 3_000]],
            outcomes=9_000,
            trained=None,
            seen=0,
            auc=Estimate(0.79, 0.78, 0.8),
            champion_auc=Estimate(0.77, 0.76, 0.78),
            difference=Estimate(0.02, 0.01, 0.03),
            chance=0.0004,
            cost_difference=Estimate(-0.02, -0.03, -0.01),
        ),
        drift_decisions=2_000,
        drift=[
            FieldShift("", "", 0.04, 0.02, "stable", []),
            _make_shift(label, 0.31, "significant shift"),
            _make_shift("Age", 0.12, "moderate shift"),
            _make_shift("Debt", 0.01, "stable"),
        ],
        verdict=Verdict(
            "recalibrate",
            "Recalibrate: defaults are 1.5 times as frequent as predicted",
            [
                "Of the latest 500 outcomes 18.0% (14.9–21.6) defaulted, 12.0% were predicted.",
                f"Applicants have shifted in {label}.",
            ],
            ["The order of the probabilities is right: AUC 0.74 (0.68–0.80), 0.75 expected."],
            since="2025-09-03",
        ),
        unpriced=17,
        profit=[
            Profit("2025-01", 3_000, 300, 250, 41_000.0, 35_000.0, 47_000.0, 30_000.0, 90_000.0, 101_000.0),
            Profit("all", 3_000, 300, 250, 41_000.0, 35_000.0, 47_000.0, 30_000.0, 90_000.0, 101_000.0),
        ],
        rules=[RuleEffect(label, "review", 400, 300, 200, 90, Estimate(0.1, 0.05, 0.18), 0.2, 1_234.5)],
    )


def _make_month(number: int) -> Month:
    has_outcomes = number != 6
    observed = Estimate(0.1 + 0.06 * (number >= 9), 0.085, 0.19)
    return Month(
        month=f"2025-{number:02}",
        decisions=5_000,
        accepted=3_400 + 10 * number,
        outcomes=3_200 if has_outcomes else 0,
        observed=observed if has_outcomes else None,
        predicted=0.11 if has_outcomes else None,
        ratio=Estimate(observed.value / 0.11, 0.77, 1.7) if has_outcomes else None,
        auc=Estimate(0.75, 0.72, 0.78) if has_outcomes else None,
        slope=Estimate(0.98, 0.8, 1.15) if has_outcomes else None,
        intercept=Estimate(-0.05, -0.2, 0.1) if has_outcomes else None,
    )


def _make_calibration(name: str, count: int, ratio: float, chance: float) -> Calibration:
    return Calibration(
        name=name,
        start="2025-09-10",
        end="2025-12-20",
        count=count,
        defaults=round(0.12 * ratio * count),
        observed=Estimate(0.12 * ratio, 0.11 * ratio, 0.13 * ratio),
        predicted=0.12,
        ratio=Estimate(ratio, 0.9 * ratio, 1.1 * ratio),
        intercept=Estimate(ratio - 1, ratio - 1.1, ratio - 0.9),
        chance=chance,
        slope=Estimate(0.97, 0.85, 1.1),
        slope_chance=0.6,
        auc=Estimate(0.74, 0.68, 0.8),
        expected_auc=0.75,
        auc_chance=0.4,
    )


def _make_bin(number: int) -> CalibrationBin:
    predicted = 0.02 + 0.03 * number
    return CalibrationBin(3_040, predicted, Estimate(1.05 * predicted, 0.8 * predicted, 1.4 * predicted))


def _make_vintage(number: int) -> Vintage:
    rates: list[float | None] = [0.008 * month * (1 + 0.5 * (number >= 9)) for month in range(14 - number)]
    return Vintage(f"2025-{number:02}", 3_400, 3_200, [*rates, *[None] * (11 + number)])


def _make_cost(name: str, cost: float, threshold: float | None) -> PolicyCost:
    return PolicyCost(
        name=name,
        review_from=threshold,
        refuse_from=threshold,
        decisions=60_000,
        accepted=41_000,
        reviewed=0,
        refused=19_000,
        known=38_400,
        cost=cost,
        per_decision=cost / 38_400,
        known_defaults=2_100,
        amount_lost=1_234_567.8 if threshold is None else None,
        unknown=21_600,
        low=cost,
        high=cost + 19_000,
        expected=cost + 4_000,
    )


def _make_shift(label: str, psi: float, verdict: ShiftVerdict) -> FieldShift:
    bins = [BinShare("≤ 1000", 0.3, 0.1), BinShare("1000 – 2000", 0.5, 0.5), BinShare("> 2000", 0.2, 0.4)]
    return FieldShift(label.lower(), label, psi, 0.02, verdict, bins)
