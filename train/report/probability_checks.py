"""Checks of the probabilities: their order, their level, over time, and what deciding by them costs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from model.estimates import CONFIDENCE, Estimate
from model.formatting import format_count, format_decimal, format_estimate, format_percent
from train.report.agreement import RATIO_LIMITS
from train.report.calibration import GATE_CONFIDENCE, SLOPE_LIMITS, Calibration
from train.report.check import Check
from train.report.findings import Findings
from train.report.formatting import format_money
from train.report.profit import WITHOUT_REVIEWS
from train.report.samples import ALL, HOLDOUT, NEW, Sample
from train.time_formats import format_day

MAX_AUC_LOSS = 0.02
"""A fall of AUC from in time to out of time beyond it, and beyond sampling noise, is to be reviewed."""

MAX_REVIEWED = 0.2
"""Above this share of manual reviews, which count as always right, the profit of a policy is to be reviewed."""

MAX_UNSEEN = 0.2
"""A hold-out so small that it could only reject a ratio further from 1 than this is to be reviewed."""


def check_discrimination(findings: Findings) -> Iterator[Check]:
    """Whether the model ranks applicants better than chance, and as well out of time as in time."""
    main, in_time = findings.main, findings.in_time
    is_worse = in_time is not None and has_fallen(main.auc, in_time.auc)
    where = f"AUC {format_estimate(main.auc)}"
    if in_time is not None:
        where = f"AUC in time {format_estimate(in_time.auc)}, out of time {format_estimate(main.auc)}"
    yield Check(
        "Discrimination",
        "fail" if main.auc.low <= 0.5 else "review" if is_worse else "pass",
        f"{where}, Gini {format_decimal(main.quality.gini, 3)}, KS {format_decimal(main.quality.ks, 3)}, out of sample "
        f"on {format_count(main.count)} applications. An AUC of 0.5 is no better than chance."
        f"{f' The fall of AUC over time is above {MAX_AUC_LOSS:g} and beyond sampling noise.' if is_worse else ''}",
    )


def has_fallen(later: Estimate, earlier: Estimate) -> bool:
    """Whether an AUC out of time is below that in time by more than MAX_AUC_LOSS and by more than noise."""
    loss = earlier.value - later.value
    noise = math.hypot(later.high - later.low, earlier.high - earlier.low) / 2
    return loss > MAX_AUC_LOSS and loss > noise


def check_calibration(findings: Findings) -> Iterator[Check]:
    """Whether probabilities agree with default rates; it fails where the model is rejected."""
    main, gate, in_time = findings.main, findings.gate, findings.in_time
    level, line = gate.calibration, main.calibration
    count = f"{format_count(gate.count)} applications"
    sentences = [
        f"Mean predicted probability divided by observed default rate {_name(gate)} ({count}): "
        f"{format_estimate(level.ratio)}{_describe_ratio(level)}"
    ]
    if in_time is not None:
        sentences.append(f"In time: {format_estimate(in_time.calibration.ratio)}")
    sentences.append(
        f"{_capitalize(_name(main))}: calibration slope {format_estimate(line.slope)}{_describe_slope(line)}; "
        f"calibration error {format_decimal(line.error, 4)}, where sampling noise alone gives "
        f"{format_decimal(line.noise_error, 4)}"
    )
    smallest = max(level.noise, RATIO_LIMITS[1] - 1)
    if not level.is_rejected:
        few = ", too few to tell whether the level is right" if smallest > MAX_UNSEEN else ""
        sentences.append(f"{count} can show only deviations beyond ±{format_decimal(smallest, 2)}{few}")
    needs_review = level.is_outside or line.is_slope_off or not line.is_error_noise or smallest > MAX_UNSEEN
    yield Check(
        "Calibration",
        "fail" if level.is_rejected else "review" if needs_review else "pass",
        f"{'. '.join(sentences)}.",
    )


def _name(sample: Sample) -> str:
    """The population of a figure."""
    names = {ALL: "on all applications", HOLDOUT: "on the hold-out", NEW: "on the new rows"}
    return names.get(sample.title, sample.title.lower())


def _capitalize(text: str) -> str:
    return text[0].upper() + text[1:]


def describe_rule(confidence: float, noise: float) -> str:
    """Where a ratio of mean probability and default rate is that is rejected with this confidence."""
    low, high = RATIO_LIMITS
    return (
        f"outside {low}–{high} and further from 1 than sampling noise explains "
        f"({format_percent(confidence, 0)}: ±{format_decimal(noise, 2)})"
    )


def _describe_ratio(calibration: Calibration) -> str:
    low, high = RATIO_LIMITS
    if not calibration.is_outside:
        return ""
    if calibration.is_rejected:
        return f", {describe_rule(GATE_CONFIDENCE, calibration.noise)}"
    noise = "at the edge of" if calibration.is_miscalibrated else "but within"
    return (
        f", outside {low}–{high}, {noise} sampling noise "
        f"({format_percent(GATE_CONFIDENCE, 0)}: ±{format_decimal(calibration.noise, 2)})"
    )


def _describe_slope(calibration: Calibration) -> str:
    slope = calibration.slope.value
    if not calibration.is_slope_off:
        return ""
    if slope < 0:
        kind = "where the model says more risk, there was less"
    else:
        kind = f"probabilities are too {'extreme' if slope < 1 else 'moderate'}"
    return f", outside {SLOPE_LIMITS[0]}–{SLOPE_LIMITS[1]} beyond sampling noise: {kind}"


def check_validation_over_time(findings: Findings) -> Iterator[Check]:
    """Whether the model was tested on applications that are newer than those it was trained on, and holds there."""
    if findings.in_time is not None:
        checks = (*check_discrimination(findings), *check_calibration(findings))
        broken = [f"{one.title} ({one.result})" for one in checks if one.result != "pass"]
        found = f"Not passed there: {', '.join(broken)}" if broken else "Order and level hold there"
        yield Check(
            "Validation over time",
            "review" if broken else "pass",
            f"Tested out of time. {findings.gate.sentence} {found}.",
        )
    elif findings.gate.title == HOLDOUT:
        yield Check(
            "Validation over time",
            "review",
            "Not tested over time: the hold-out is random. Name the column of the time of application in the card, "
            "time = …, or with --time.",
        )


def check_windows(findings: Findings) -> Iterator[Check]:
    """Whether a model of newer applications alone is better out of time."""
    windows = findings.trained.windows if findings.trained else ()
    if not windows:
        return
    better = [window for window in windows if window.verdict == "better"]
    best = min(better or windows, key=lambda window: window.log_loss)
    yield Check(
        "Training windows",
        "review" if better else "pass",
        f"Out of time a model of the {format_count(best.rows)} training applications since {format_day(best.since)} "
        f"alone is better: log loss {format_decimal(best.log_loss, 4)}, a difference of "
        f"{format_estimate(best.log_loss_difference, 4)}. On this hold-out the newer part alone did better; confirm it "
        "on later rows."
        if better
        else "No model of newer training applications alone is better out of time by more than sampling noise.",
    )


def check_policy(findings: Findings) -> Iterator[Check]:
    """Whether the policy costs less than one decision for all, and whether its threshold is the cheapest."""
    costs = findings.main.costs
    cheapest_constant = min(costs.accept_all, costs.refuse_all)
    is_cheaper = costs.cost.high < cheapest_constant
    in_time = findings.in_time
    where = "" if in_time is None else f" out of time, {format_decimal(in_time.costs.cost.value)} in time"
    yield Check(
        "Cost of the policy",
        "fail" if costs.cost.value >= cheapest_constant else "pass" if is_cheaper else "review",
        f"{format_estimate(costs.cost)} per applicant{where}; accepting all costs "
        f"{format_decimal(costs.accept_all, 3)}, refusing all {format_decimal(costs.refuse_all, 3)}.",
    )
    optimum = costs.empirical_threshold
    if findings.contract.policy.money is None:
        implied = f"The costs imply a threshold at a probability of {format_percent(costs.theoretical_threshold)}"
    else:
        implied = (
            "The largest expected profit refuses where the expected loss is at least "
            f"{format_percent(costs.theoretical_threshold, 0)} of expected loss and gain"
        )
    yield Check(
        "Decision threshold",
        "review" if optimum.excludes(costs.theoretical_threshold) else "pass",
        f"{implied}; the cheapest threshold on the observed outcomes is {format_percent(optimum.value)} (95% interval "
        f"{format_percent(optimum.low)}–{format_percent(optimum.high)}).",
    )


def check_profit(findings: Findings) -> Iterator[Check]:
    """Whether a policy in money earns as much as one threshold for all, and loses what it expects."""
    profit = findings.main.profit
    if profit is None:
        return
    own, constant = (
        next(one for one in profit.policies if one.title == title) for title in ("this policy", "one threshold for all")
    )
    plain = next((one for one in profit.policies if one.title == WITHOUT_REVIEWS), None)
    condition, reviews = "", ""
    if plain is not None:
        condition = " if reviews are always right"
        reviews = (
            f" {format_percent(own.reviewed)} of applicants are reviewed; without reviews the policy realizes "
            f"{format_money(plain.realized)}."
        )
    needs_review = profit.advantage.high < 0 or own.realized.value < 0 or own.reviewed > MAX_REVIEWED
    yield Check(
        "Profit of the policy",
        "review" if needs_review else "pass",
        f"Realized {format_money(own.realized)} per applicant{condition}, expected {format_money(own.expected)}; one "
        f"threshold for all realizes {format_money(constant.realized.value)}, a difference of "
        f"{format_money(profit.advantage)}.{reviews}",
    )
    losses = profit.losses
    if losses is not None:
        low, high = RATIO_LIMITS
        is_off = losses.agreement.is_rejected(CONFIDENCE)
        reach = losses.agreement.noise(CONFIDENCE)
        noise = (
            f", outside {low}–{high}, {'beyond' if is_off else 'but within'} the {reach:.2f} that chance alone may give"
        )
        yield Check(
            "Expected loss",
            "review" if is_off else "pass",
            f"The accepted lose {format_money(losses.realized)} in all, where {format_money(losses.expected)} are "
            f"expected: expected / realized {format_estimate(losses.ratio, 2)}"
            f"{noise if losses.agreement.is_outside else ''}.",
        )
