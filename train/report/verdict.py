"""The verdict on a model: each thing a risk committee asks, answered in a sentence with its figure.

The page, the model card and the terminal show these same sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rich.console import Console

from train.report.calibration import GATE
from train.report.fairness import FOUR_FIFTHS
from train.report.findings import Findings
from train.report.words import estimate, percent

PROXY = 0.7
"""From this AUC on, the inputs say more of a protected field than chance and habit do."""

NOISE_FACTOR = 1.5
"""A calibration error up to this many times what perfect probabilities show is noise."""


MARKS = {"good": ("✓", ""), "look": ("?", "yellow"), "bad": ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, whether the evidence is as it should be, and the answer."""

    question: str
    status: Literal["good", "look", "bad"]
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answers, and what follows from them in one sentence."""

    headline: str
    answers: tuple[Answer, ...]


def judge(findings: Findings) -> Verdict:
    """The verdict on what was found."""
    answers = tuple(answer for ask in QUESTIONS for answer in ask(findings))
    bad = sum(answer.status == "bad" for answer in answers)
    look = sum(answer.status == "look" for answer in answers)
    if bad:
        return Verdict(f"The evidence speaks against using this model: {_things(bad)} below", answers)
    if look:
        return Verdict(f"The evidence supports this model; {_things(look)} people have to decide on", answers)
    return Verdict("The evidence supports this model", answers)


def _things(number: int) -> str:
    return "one thing" if number == 1 else f"{number} things"


def _ranks(found: Findings) -> Iterator[Answer]:
    value = found.auc
    yield Answer(
        "Does it tell good from bad?",
        "good" if value.low > 0.5 else "bad",
        f"AUC {estimate(value)} on {found.calibration.count:,} applications it had not seen; one half is chance.",
    )


def _is_calibrated(found: Findings) -> Iterator[Answer]:
    low, high = GATE
    held, every = found.holdout, found.calibration
    is_close = low <= held.ratio.value <= high
    is_even = every.error <= NOISE_FACTOR * every.noise_error
    yield Answer(
        "Are its probabilities probabilities?",
        "good" if is_close and is_even else "look",
        f"Mean probability over default rate is {estimate(held.ratio)} on {held.count:,} held out"
        f"{'' if is_close else f', outside {low}–{high} but within noise'}; calibration error {every.error:.4f}, "
        f"where perfect probabilities would show {every.noise_error:.4f} by chance.",
    )


def _pays(found: Findings) -> Iterator[Answer]:
    costs = found.costs
    simple = min(costs.accept_all, costs.refuse_all)
    status: Literal["good", "look", "bad"] = "good" if costs.cost.high < simple else "look"
    yield Answer(
        "Does its policy pay?",
        "bad" if costs.cost.value >= simple else status,
        f"It costs {estimate(costs.cost)} per applicant; accepting all {costs.accept_all:.3f}, refusing all "
        f"{costs.refuse_all:.3f}.",
    )
    best = costs.empirical
    yield Answer(
        "Is its threshold right?",
        "look" if best.excludes(costs.theoretical) else "good",
        f"The costs say refuse from {percent(costs.theoretical)}; in hindsight {percent(best.value)} would have been "
        f"cheapest (95 % interval {percent(best.low)}–{percent(best.high)}).",
    )


def _goes_the_known_way(found: Findings) -> Iterator[Answer]:
    if not found.directions:
        yield Answer("Does risk move as people know?", "look", "The card states no direction of risk to check.")
        return
    worst = min(direction.holds for direction in found.directions)
    broken = [direction.label for direction in found.directions if direction.holds < 1]
    yield Answer(
        "Does risk move as people know?",
        "look" if broken else "good",
        f"{len(found.directions)} stated directions, each tried on a grid: "
        + (f"{', '.join(broken)} hold in {percent(worst)} of steps at worst." if broken else "all hold in 100 %."),
    )


def _is_fair(found: Findings) -> Iterator[Answer]:
    if not found.fairness:
        yield Answer(
            "Does it treat groups alike?",
            "look",
            "Nothing can be said: the card names no protected field (use = false) with two groups of 50 people.",
        )
    for field in found.fairness:
        flagged = [group for group in field.groups if group.is_flagged]
        named = ", ".join(f"{group.name} {estimate(group.ratio, 2)}" for group in flagged)
        yield Answer(
            f"Does it treat groups alike: {field.label}?",
            "look" if flagged else "good",
            f"Never an input. Accepted less than {FOUR_FIFTHS:g} times as often as “{field.best}”: {named}."
            if flagged
            else f"Never an input. Every group is accepted at least {FOUR_FIFTHS:g} times as often as any other.",
        )
        misjudged = [group for group in field.groups if group.is_misjudged]
        named = ", ".join(f"{group.name} {estimate(group.calibration, 2)}" for group in misjudged)
        yield Answer(
            f"Are its probabilities right by {field.label}?",
            "look" if misjudged else "good",
            f"Mean probability over default rate: {named}."
            if misjudged
            else "No group's mean probability is off its default rate by more than noise.",
        )
        yield Answer(
            f"Do other fields give {field.label} away?",
            "look" if field.proxy_auc >= PROXY else "good",
            f"The inputs tell its groups apart with AUC {field.proxy_auc:.2f}; one half is not at all.",
        )


def _is_stable(found: Findings) -> Iterator[Answer]:
    moved = [shift.label for shift in found.shifts if shift.verdict != "stable"]
    yield Answer(
        "Are those held out like the rest?",
        "look" if moved else "good",
        f"Stability index beyond noise: {', '.join(moved)}." if moved else "No field, and not the score, moved.",
    )


def _is_exact(found: Findings) -> Iterator[Answer]:
    proof = found.proof
    yield Answer(
        "Is the file the model that was fitted?",
        "good",
        f"On {proof.rows:,} rows at most {proof.largest_difference:.1e} apart in probability, "
        f"{proof.decisions_differ} decisions differ.",
    )


QUESTIONS: tuple[Callable[[Findings], Iterator[Answer]], ...] = (
    _ranks,
    _is_calibrated,
    _pays,
    _goes_the_known_way,
    _is_fair,
    _is_stable,
    _is_exact,
)


def show_verdict(console: Console, verdict: Verdict) -> None:
    """Print the verdict on the terminal: a line an answer, marked."""
    console.print(f"{verdict.headline}:", style="bold")
    for answer in verdict.answers:
        mark, style = MARKS[answer.status]
        console.print(f"  {mark} {answer.question} {answer.text}", style=style, markup=False)
