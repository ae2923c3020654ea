"""The gate: a model whose probabilities disagree with the outcomes of the hold-out isn't written as model.onnx.

It goes to the folder `rejected` with its report and model card, which say why and what may help, as the error does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from model.formatting import format_count, format_decimal
from train.report.calibration import GATE_CONFIDENCE
from train.report.costs import Costs
from train.report.findings import Findings
from train.report.probability_checks import describe_rule, has_fallen
from train.report.samples import Sample
from train.report.stability import PROBABILITY

REJECTED = "rejected"
"""Name of the folder, in that of the model."""

MAX_NAMED = 5
"""Most fields that the error names."""

NEWER = "train on newer rows (leave old ones out), and judge on rows that weren't used for choosing"


def explain_rejection(findings: Findings, out: Path) -> str | None:
    """What training ends with where the model may not be used, None if it may. `out`: folder of the model."""
    reason = describe_rejection(findings, out / REJECTED / "model.onnx")
    if reason is None:
        return None
    return f"{reason} {out / 'model.onnx'} wasn't written; the model and its report are in {out / REJECTED}"


def describe_rejection(findings: Findings, path: Path = Path(REJECTED, "model.onnx")) -> str | None:
    """Why the model at `path` may not be used and what may help, as sentences; None if it may."""
    gate = findings.gate
    if findings.trained is None or not gate.calibration.is_rejected:
        return None
    reason = (
        f"{_name(findings)} the mean predicted probability is {format_decimal(gate.calibration.ratio.value)} times the "
        f"default rate, {describe_rule(GATE_CONFIDENCE, gate.calibration.noise)}, so that the threshold would be "
        f"wrong; {_explain(findings)}"
    )
    return f"{'. '.join([reason, *_describe_cost(gate.costs), *_advise(findings, path)])}."


def list_shifted(findings: Findings) -> list[str]:
    """The fields that shifted beyond noise, the most first, with their index."""
    shifted = [one for one in findings.shifts if one.verdict != "stable" and one.label != PROBABILITY]
    ranked = sorted(shifted, key=lambda one: -one.psi.value)
    return [f"{one.label} (PSI {format_decimal(one.psi.value, 2)})" for one in ranked]


def _name(findings: Findings) -> str:
    count = format_count(findings.gate.count)
    if findings.in_time is None:
        return f"on the {count} hold-out rows"
    return f"out of time, on the newest {count} rows, since {findings.contract.training.since},"


def _describe_cost(costs: Costs) -> Iterator[str]:
    """What the policy costs where one decision for all costs no more."""
    constant, decision = min((costs.accept_all, "accepting"), (costs.refuse_all, "refusing"))
    if costs.cost.value >= constant:
        cost = format_decimal(costs.cost.value)
        yield f"The policy costs {cost} per applicant, {decision} all {format_decimal(constant)}"


def _explain(findings: Findings) -> str:
    in_time = findings.in_time
    if in_time is None:
        ratio = format_decimal(findings.main.calibration.ratio.value)
        return (
            f"on all rows, most of them predicted by cross-validation, it is {ratio} times; {_suggest(findings.main)}"
        )
    ratio = format_decimal(in_time.calibration.ratio.value)
    if in_time.calibration.is_rejected:
        return f"in time it is {ratio} times; {_suggest(in_time)}"
    shifted = list_shifted(findings)
    more = f" and {len(shifted) - MAX_NAMED} more" if len(shifted) > MAX_NAMED else ""
    # A shift alone leaves the ratio at 1, as long as the model is right about the applicants of now.
    change = "the relation of the inputs to the outcome has changed since then"
    if shifted:
        change += (
            f", or isn't known where the inputs have moved to: shifted most {', '.join(shifted[:MAX_NAMED])}{more}"
        )
    else:
        change += ": no input has shifted beyond noise"
    return f"in time it is {ratio} times, so {change}"


def _suggest(sample: Sample) -> str:
    if sample.calibration.is_rejected:
        return "a line through the log-odds doesn't mend it: try another --model"
    return "of 100 calibrated models one has such a hold-out by chance: see the calibration in the report"


def is_order_lost(gate: Sample, in_time: Sample) -> bool:
    """Whether more risk by the model is no longer more risk out of time, which no line through the log-odds mends."""
    is_reversed = has_fallen(gate.auc, in_time.auc) and gate.calibration.slope.value <= 0
    return gate.auc.value <= 0.5 or is_reversed


def _advise(findings: Findings, path: Path) -> Iterator[str]:
    """What is left of the order of applicants out of time, and what may help where the model is right in time."""
    gate, in_time = findings.gate, findings.in_time
    if in_time is None:
        return
    order = f"AUC {format_decimal(gate.auc.value)}, in time {format_decimal(in_time.auc.value)}"
    is_right_in_time = not in_time.calibration.is_rejected
    if is_order_lost(gate, in_time):
        chance = "worse than chance" if gate.auc.high < 0.5 else "no better than chance"
        yield f"Out of time the model orders applicants {chance} ({order}): a recalibration can't mend that"
        if is_right_in_time:
            yield "Train on rows after the change alone, or wait for more of them"
    elif is_right_in_time and has_fallen(gate.auc, in_time.auc):
        yield f"The order of applicants is worse too ({order}), which a recalibration can't mend: {NEWER}"
    elif is_right_in_time:
        target, slope = findings.card.dataset.target, " --slope" if gate.calibration.is_slope_off else ""
        yield (
            f"The order of applicants holds ({order}): recalibrate the rejected model to newer outcomes: python -m "
            f"train recalibrate --model {quote(str(path))} --data NEW.csv --target {quote(target)}{slope}; or {NEWER}"
        )
