from __future__ import annotations

import pytest
from msgspec.structs import replace

from model.estimates import Estimate
from model.maturity import Maturity
from monitor.calibration import Calibration
from monitor.change_point import ChangePoint
from monitor.performance import ChallengerComparison
from monitor.shifts import FieldShift
from monitor.verdict import ACTIONS, HEADLINES, NOT_JUDGED, Action, Verdict, judge

GOOD = Calibration(
    name="latest 500",
    start="2026-01-01",
    end="2026-01-31",
    count=500,
    defaults=50,
    observed=Estimate(0.1, 0.08, 0.13),
    predicted=0.1,
    ratio=Estimate(1.0, 0.8, 1.3),
    intercept=Estimate(0.0, -0.3, 0.3),
    chance=0.9,
    slope=Estimate(1.0, 0.8, 1.2),
    slope_chance=0.9,
    auc=Estimate(0.75, 0.7, 0.8),
    expected_auc=0.75,
    auc_chance=0.5,
)

STABLE = FieldShift("income", "Income", 0.02, 0.03, "stable", [])

CHANGE = ChangePoint(
    time="2026-01-15T00:00:00.000000Z",
    low="2026-01-10T00:00:00.000000Z",
    high="2026-01-20T00:00:00.000000Z",
    chance=0.0005,
    before=1.0,
    after=1.6,
    outcomes_before=1_000,
    outcomes_after=200,
)

CHALLENGER = ChallengerComparison(
    name="credit",
    version="2",
    sha256="b" * 64,
    decisions=2_000,
    swap_set=[[2_000, 0, 0], [0, 0, 0], [0, 0, 0]],
    outcomes=1_000,
    trained=None,
    seen=0,
    auc=Estimate(0.78, 0.75, 0.81),
    champion_auc=Estimate(0.75, 0.72, 0.78),
    difference=Estimate(0.03, 0.01, 0.05),
    chance=0.002,
    cost_difference=Estimate(-0.02, -0.03, -0.01),
)

ALL_COUNT = Maturity(0, None, 0)


def decide(
    window: Calibration | None = GOOD,
    *,
    change: ChangePoint | None = None,
    shift: FieldShift = STABLE,
    challenger: ChallengerComparison | None = None,
    maturity: Maturity = ALL_COUNT,
) -> Verdict:
    """The verdict on one window, and what is given beside it."""
    return judge([] if window is None else [window], change, [shift], challenger, maturity)


def scale(ratio: float, chance: float) -> Calibration:
    return replace(GOOD, ratio=Estimate(ratio, ratio - 0.1, ratio + 0.1), chance=chance)


@pytest.mark.parametrize(
    ("window", "action"),
    [
        (GOOD, "keep"),
        (scale(1.5, 0.0001), "recalibrate"),
        (scale(1.5, 0.015), "recalibrate"),
        (scale(1.5, 0.03), "keep"),
        (scale(1.2, 0.0001), "keep"),
        (scale(0.6, 0.001), "recalibrate"),
        (scale(0.6, 0.015), "keep"),
        (replace(GOOD, slope=Estimate(0.5, 0.4, 0.6), slope_chance=0.0001), "retrain"),
        (replace(GOOD, slope=Estimate(0.9, 0.88, 0.92), slope_chance=0.0001), "keep"),
        (replace(GOOD, slope=Estimate(0.5, -0.1, 1.1), slope_chance=0.1), "keep"),
        (replace(GOOD, slope=Estimate(1.5, 1.4, 1.6), slope_chance=0.0001), "recalibrate"),
        (replace(GOOD, auc=Estimate(0.6, 0.55, 0.65), auc_chance=0.0001), "retrain"),
        (replace(GOOD, auc=Estimate(0.74, 0.739, 0.741), auc_chance=0.0001), "keep"),
        (replace(GOOD, slope=None, slope_chance=None, auc=None, expected_auc=None, auc_chance=None), "keep"),
        (replace(scale(3.0, 0.0001), count=99), "keep"),
        (replace(scale(3.0, 0.0001), predicted=0.01, defaults=9), "keep"),
        (replace(scale(3.0, 0.0001), predicted=0.01, defaults=15), "recalibrate"),
        (None, "keep"),
    ],
)
def test_action_for_a_window_of_outcomes(window: Calibration | None, action: Action) -> None:
    """Both beyond chance and beyond what matters, on enough outcomes."""
    verdict = decide(window)
    assert verdict.action == action
    assert verdict.headline == (HEADLINES[action] if verdict.is_judged else NOT_JUDGED)
    assert bool(verdict.reasons) == (action != "keep")
    assert verdict.evidence or verdict.reasons


def test_the_strongest_action_wins() -> None:
    """The others are named as evidence."""
    shifted = replace(STABLE, psi=0.3, verdict="significant shift")
    broken = replace(scale(1.6, 0.0001), slope=Estimate(0.3, 0.2, 0.4), slope_chance=0.0001)
    verdict = decide(broken, shift=shifted)
    assert verdict.action == "retrain"
    assert len(verdict.reasons) == 1
    assert any("Income" in sentence for sentence in verdict.evidence)
    assert any("1.60" in sentence for sentence in verdict.evidence)
    assert ACTIONS == ("keep", "watch", "recalibrate", "retrain")


def test_a_shift_alone_is_watched() -> None:
    """The field is named with its index and with what chance alone gives."""
    verdict = decide(shift=replace(STABLE, psi=0.12, verdict="moderate shift"))
    assert verdict.action == "watch"
    assert verdict.reasons == [
        "Income: moderate shift of the applicants against those of training, population stability index 0.120 where "
        "chance alone stays below 0.030."
    ]


@pytest.mark.parametrize(
    ("change", "action"),
    [
        (CHANGE, "recalibrate"),
        (replace(CHANGE, chance=0.02), "keep"),
        (replace(CHANGE, before=1.6, after=1.05), "keep"),
    ],
)
def test_a_change_point_is_named(change: ChangePoint, action: Action) -> None:
    """With its interval; it speaks for another action if what came after it is off."""
    verdict = decide(change=change)
    assert verdict.action == action
    (sentence,) = [one for one in [*verdict.reasons, *verdict.evidence] if "changed" in one]
    assert "2026-01-15 (95% interval 2026-01-10 to 2026-01-20)" in sentence


def test_a_better_challenger_is_evidence_alone() -> None:
    """It doesn't make the model worse."""
    verdict = decide(challenger=CHALLENGER)
    assert (verdict.action, verdict.reasons) == ("keep", [])
    assert "The challenger credit 2 orders applicants better (AUC +0.030) and costs less" in verdict.evidence[0]
    assert verdict.evidence[0].endswith("both answered: consider it as the next version.")


@pytest.mark.parametrize(
    ("difference", "chance", "cost", "order", "price"),
    [
        (-0.04, 0.001, Estimate(0.02, 0.01, 0.03), "worse (AUC −0.040)", "costs more"),
        (0.0, 1.0, Estimate(0.0, -0.1, 0.1), "neither better nor worse beyond chance", "neither more nor less"),
        (0.03, 0.001, Estimate(0.02, 0.01, 0.03), "better (AUC +0.030)", "costs more"),
        (-0.03, 0.001, Estimate(-0.02, -0.03, -0.01), "worse (AUC −0.030)", "costs less"),
    ],
)
def test_a_challenger_that_is_not_better_is_told(
    difference: float, chance: float, cost: Estimate, order: str, price: str
) -> None:
    """And isn't recommended, nor is one that is better in one respect and worse in the other."""
    found = replace(
        CHALLENGER,
        difference=Estimate(difference, difference - 0.1, difference + 0.1),
        chance=chance,
        cost_difference=cost,
    )
    sentence = decide(challenger=found).evidence[0]
    assert f"orders applicants {order}" in sentence
    assert price in sentence
    assert "consider" not in sentence


def test_a_challenger_that_may_have_seen_the_outcomes_is_not_recommended() -> None:
    """However good it looks on the outcomes that were known before it was trained."""
    sentence = decide(challenger=replace(CHALLENGER, trained="2026-03-05", seen=990)).evidence[0]
    assert sentence.endswith(
        "on the 1,000 outcomes of decisions that both answered. 990 of these outcomes were known before it was "
        "trained, so that it may have seen them: judge it on later ones (--from 2026-03-05), or in the shadow."
    )
    assert "consider" not in sentence


def test_a_challenger_that_cannot_be_compared_is_told() -> None:
    """As too little is known, or as it is the model in service."""
    unknown = replace(CHALLENGER, outcomes=3, difference=None, chance=None, cost_difference=None)
    assert decide(challenger=unknown).evidence[0] == (
        "The challenger credit 2 can't be judged yet: 3 outcomes of decisions that both answered are known."
    )
    same = judge([GOOD], None, [], CHALLENGER, ALL_COUNT, CHALLENGER.sha256).evidence[0]
    assert same == "The challenger credit 2 is the model in service itself: give another to compare it with."


@pytest.mark.parametrize(
    ("windows", "change", "since"),
    [
        ([scale(1.5, 0.0001)], None, "2026-01-01"),
        ([scale(1.5, 0.0001), replace(scale(1.5, 0.0001), name="all")], None, None),
        ([scale(1.5, 0.0001), replace(scale(1.4, 0.001), name="latest 2,000", start="2025-10-01")], None, "2025-10-01"),
        ([scale(1.5, 0.0001), replace(scale(1.5, 0.0001), name="all")], CHANGE, "2026-01-15"),
        ([scale(1.5, 0.0001)], replace(CHANGE, chance=0.02), "2026-01-01"),
        ([GOOD], CHANGE, "2026-01-15"),
        ([GOOD], None, None),
    ],
)
def test_the_decisions_that_the_action_rests_on(
    windows: list[Calibration], change: ChangePoint | None, since: str | None
) -> None:
    """Those after the change, or of the largest window that is off: a new version is made of them."""
    assert judge(windows, change, [], None, ALL_COUNT).since == since


def test_too_few_outcomes_are_told() -> None:
    """With what there are, and what it takes."""
    few = replace(GOOD, name="all", count=60, defaults=7, predicted=0.1)
    (told,) = decide(few).evidence
    assert told == (
        "60 outcomes of the model's decisions are known, with 6 defaults to be expected: too few to judge its "
        "probabilities, which takes 100 and 10."
    )
    assert decide(None).evidence[0].startswith("0 outcomes")
    assert [(one.action, one.headline, one.is_judged) for one in (decide(None), decide(few))] == [
        ("keep", "Keep the model for now: its probabilities can't be judged yet", False)
    ] * 2
    assert decide(None, shift=replace(STABLE, verdict="moderate shift")).headline == HEADLINES["watch"]


def test_outcomes_that_do_not_count_are_told() -> None:
    """With the age from which on they will, or with the performance window that was given."""
    read_off = decide(maturity=Maturity(90, None, 1_234)).evidence[-1]
    assert read_off.startswith("Outcomes left out: 1,234; decisions count from an age of 90 days (read off the record)")
    given = decide(maturity=Maturity(90, 90, 7)).evidence[0]
    assert given.startswith(
        "Outcomes left out: 7; a default counts within 90 days, the performance window, and decisions from an age of "
        "90 days on; the level of the probabilities can be compared with these only if"
    )
    longer = decide(maturity=Maturity(180, 90, 7)).evidence[0]
    assert "from an age of 180 days on, when it is known who didn't default; the level of" in longer
