"""The verdict on the model in service, by rules: keep, watch, recalibrate or retrain, with the figures it rests on.

Each look runs several tests. Their levels are chosen so that all of them together raise a false alarm in one or two
looks of a hundred, and find a rise of the default rate by half nearly as often with 500 outcomes as any test of that
level could: docs/monitor.md says how often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from model.formatting import format_count, format_decimal, format_estimate, format_percent, format_percent_estimate
from model.maturity import Maturity, describe_maturity
from monitor.calibration import Calibration
from monitor.change_point import ChangePoint
from monitor.performance import ChallengerComparison
from monitor.shifts import FieldShift

Action = Literal["keep", "watch", "recalibrate", "retrain"]

ENOUGH_OUTCOMES, ENOUGH_DEFAULTS = 100, 10
"""Outcomes, and defaults expected among them, below which nothing is concluded from them: one default more or less
would move the default rate by a tenth."""

MORE_CHANCE, FEWER_CHANCE = 0.02, 0.005
"""Chance below which there are more, or fewer, defaults than predicted, of each of three overlapping windows. More are
to be found early, as each costs the lender; half of such alarms without a change would be of fewer."""

RATIO_LIMITS = (0.8, 1.25)
"""Observed / predicted default rate that is not worth a new version: a threshold that follows from the costs moves by
as much, and applicants between the two cost about the same either way. A large window would find far less."""

CHANGE_CHANCE = 0.0025
"""Chance below which a change point counts, if the ratio after it is beyond RATIO_LIMITS."""

SLOPE_CHANCE, SLOPE_LIMITS = 0.001, (0.8, 1.25)
"""Chance below which the slope is off, of each window, and slopes that are left as they are: between them the odds of
an applicant ten times as risky as another differ by a factor of 6 to 18."""

AUC_CHANCE, AUC_LOSS = 0.001, 0.02
"""Chance below which the AUC is lower than the probabilities promise, of each window, and a loss that is accepted."""

CHALLENGER_CHANCE = 0.01
"""Chance below which the challenger orders applicants better."""

HEADLINES: dict[Action, str] = {
    "keep": "Keep the model",
    "watch": "Watch the model: applicants have shifted",
    "recalibrate": "Recalibrate the model: its probabilities are off, their order is not",
    "retrain": "Retrain the model: its probabilities no longer order applicants as they did",
}

NOT_JUDGED = "Keep the model for now: its probabilities can't be judged yet"
"""Headline of keep where too few outcomes are known."""

ACTIONS: tuple[Action, ...] = ("keep", "watch", "recalibrate", "retrain")
"""From the mildest to the strongest."""


class Verdict(Struct, frozen=True):
    """What to do, with a headline without a full stop; `reasons`: for the action; `evidence`: all else that was found.

    `since`: the day (YYYY-MM-DD) of the first decision of those that the action rests on; None = all. `is_judged`:
    whether there are outcomes enough to judge the probabilities.

    keep: nothing speaks against the model. watch: applicants have shifted, which by itself makes no probability wrong.
    recalibrate: the probabilities are off and ordered well. retrain: their order is broken. A better challenger is
    evidence alone: it doesn't make the model worse, and when to change it is for people to decide.
    """

    action: Action
    headline: str
    reasons: list[str]
    evidence: list[str]
    since: str | None = None
    is_judged: bool = True


class _Finding(Struct, frozen=True):
    """A sentence, the action that it speaks for, and the first day of the decisions that it rests on, None = all."""

    action: Action
    sentence: str
    since: str | None = None


def judge(
    windows: Sequence[Calibration],
    change: ChangePoint | None,
    shifts: Sequence[FieldShift],
    challenger: ChallengerComparison | None,
    maturity: Maturity,
    champion: str = "",
) -> Verdict:
    """The verdict on what was measured.

    `shifts`: of the probability and the fields, empty if not measured. `champion`: SHA-256 of the model in service.
    """
    tested = [window for window in windows if _is_enough(window)]
    findings = [
        *(finding for window in tested for finding in _judge_window(window)),
        *(changed := list(_judge_change(change, tested))),
        *_judge_shifts(shifts),
        *([] if challenger is None else [_Finding("keep", _judge_challenger(challenger, champion))]),
    ]
    action: Action = max((finding.action for finding in findings), key=ACTIONS.index, default="keep")
    # A change point tells best which decisions are alike.
    grounds = [one for one in findings if one.action == action]
    days = [one.since or "" for one in changed if one.action == action] or [one.since or "" for one in grounds]
    reasons = [one.sentence for one in grounds]
    others = [one.sentence for one in findings if one.action != action]
    headline = HEADLINES[action] if action != "keep" or tested else NOT_JUDGED
    if action == "keep":
        reasons, others = [], reasons
    evidence = [*others, *_list_evidence(windows, tested)]
    if maturity.left_out or maturity.window:
        told = f"Outcomes left out: {format_count(maturity.left_out)}; {describe_maturity(maturity)}."
        evidence.insert(0 if maturity.window else len(evidence), told)
    return Verdict(action, headline, reasons, evidence, min(days, default="") or None, bool(tested))


def _is_enough(window: Calibration) -> bool:
    defaults = max(window.defaults, window.predicted * window.count)
    return window.count >= ENOUGH_OUTCOMES and defaults >= ENOUGH_DEFAULTS


def _is_off(window: Calibration) -> bool:
    """Whether the default rate is another than the predicted one, beyond chance and by enough to matter."""
    least, most = RATIO_LIMITS
    ratio = window.ratio.value
    return (ratio > most and window.chance < MORE_CHANCE) or (ratio < least and window.chance < FEWER_CHANCE)


def _judge_window(window: Calibration) -> Iterator[_Finding]:
    since = None if window.name == "all" else window.start
    if _is_off(window):
        yield _Finding(
            "recalibrate",
            f"Default rate {format_percent_estimate(window.observed)} on {_name(window)}, predicted "
            f"{format_percent(window.predicted)}: observed / predicted {format_estimate(window.ratio, 2)}, beyond "
            f"{RATIO_LIMITS[0]}–{RATIO_LIMITS[1]}; {_write_chance(window.chance)}.",
            since,
        )
    if window.slope is not None and window.slope_chance is not None and window.slope_chance < SLOPE_CHANCE:
        least, most = SLOPE_LIMITS
        found = f"Calibration slope {format_estimate(window.slope, 2)} on {_name(window)}"
        chance = _write_chance(window.slope_chance)
        if window.slope.value < least:
            told = f"{found}: applicants differ less than the probabilities say, and below {least}; {chance}."
            yield _Finding("retrain", told, since)
        elif window.slope.value > most:
            told = f"{found}: applicants differ more than the probabilities say, and above {most}; {chance}."
            yield _Finding("recalibrate", told, since)
    if window.auc is not None and window.expected_auc is not None and window.auc_chance is not None:
        is_lower = window.auc.value < window.expected_auc - AUC_LOSS
        if is_lower and window.auc_chance < AUC_CHANCE:
            yield _Finding(
                "retrain",
                f"AUC {format_estimate(window.auc)} on {_name(window)}, where the probabilities promise "
                f"{format_decimal(window.expected_auc)}; {_write_chance(window.auc_chance)}.",
                since,
            )


def _judge_change(change: ChangePoint | None, tested: Sequence[Calibration]) -> Iterator[_Finding]:
    if change is None or not tested:
        return
    is_off = not RATIO_LIMITS[0] <= change.after <= RATIO_LIMITS[1]
    yield _Finding(
        "recalibrate" if is_off and change.chance < CHANGE_CHANCE else "keep",
        f"Observed / predicted default rate changed from {format_decimal(change.before, 2)} to "
        f"{format_decimal(change.after, 2)} with the decisions of {change.time[:10]} (95% interval {change.low[:10]} "
        f"to {change.high[:10]}); {_write_chance(change.chance)}.",
        change.time[:10],
    )


def _judge_shifts(shifts: Sequence[FieldShift]) -> Iterator[_Finding]:
    for shift in shifts:
        if shift.verdict != "stable":
            yield _Finding(
                "watch",
                f"{shift.label}: {shift.verdict} of the applicants against those of training, population stability "
                f"index {format_decimal(shift.psi)} where chance alone stays below {format_decimal(shift.noise)}.",
            )


def _judge_challenger(challenger: ChallengerComparison, champion: str) -> str:
    name = f"The challenger {challenger.name} {challenger.version}"
    if challenger.sha256 == champion:
        return f"{name} is the model in service itself: give another to compare it with."
    difference, costs, count = challenger.difference, challenger.cost_difference, format_count(challenger.outcomes)
    if difference is None or challenger.chance is None or costs is None:
        return f"{name} can't be judged yet: {count} outcomes of decisions that both answered are known."
    is_other = challenger.chance < CHALLENGER_CHANCE
    is_better, is_worse = is_other and difference.value > 0, is_other and difference.value < 0
    is_cheaper, is_dearer = costs.high < 0, costs.low > 0
    order = "better" if is_better else "worse" if is_worse else "neither better nor worse beyond chance"
    cost = "less" if is_cheaper else "more" if is_dearer else "neither more nor less beyond chance"
    found = (
        f"{name} orders applicants {order} (AUC {_write_signed(difference.value)}) and costs {cost} "
        f"({format_estimate(costs)} per decision) on the {count} outcomes of decisions that both answered"
    )
    if challenger.seen:
        return (
            f"{found}. {format_count(challenger.seen)} of these outcomes were known before it was trained, so that it "
            f"may have seen them: judge it on later ones (--from {challenger.trained}), or in the shadow."
        )
    is_next = (is_better or is_cheaper) and not is_worse and not is_dearer
    return f"{found}{': consider it as the next version' if is_next else ''}."


def _list_evidence(windows: Sequence[Calibration], tested: Sequence[Calibration]) -> Iterator[str]:
    for window in tested:
        if not _is_off(window):
            slope = "" if window.slope is None else f", calibration slope {format_estimate(window.slope, 2)}"
            yield (f"Observed / predicted default rate {format_estimate(window.ratio, 2)} on {_name(window)}{slope}.")
    if not tested:
        found = windows[-1] if windows else None
        expected = 0.0 if found is None else found.predicted * found.count
        yield (
            f"{format_count(found.count if found else 0)} outcomes of the model's decisions are known, with "
            f"{format_count(expected)} defaults to be expected: too few to judge its probabilities, which takes "
            f"{ENOUGH_OUTCOMES} and {ENOUGH_DEFAULTS}."
        )


def _name(window: Calibration) -> str:
    return (
        f"{window.name} {format_count(window.count)} outcomes"
        if window.name == "all"
        else f"the {window.name} outcomes"
    )


def _write_chance(chance: float) -> str:
    """How often chance alone does as much."""
    if chance < 0.0001:
        return "chance alone: less than 1 in 10,000"
    return f"chance alone: {format_percent(chance, 2)}"


def _write_signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{format_decimal(value)}"
