"""What each rule beside the model does: how many it holds for and decides, and what it costs or saves."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import structs

from model.bins import MIN_COUNT
from model.estimates import Estimate
from train.dataset import Matrix
from train.judged import REVIEW, Judged
from train.report.intervals import default_rate, mean_of_known, scale
from train.target import Labels
from train.weights import weighted_mean


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """One rule on out-of-sample predictions.

    n_holds: applicants whom it holds for. n_decided: those of them whose final decision is the rule's. n_changed: those
    of these whom the model alone would treat more mildly; share: of all applicants. default_rate: of the changed. cost:
    of the policy less that of the policy without this rule alone, in all: above 0 the rule costs, below it saves. Both
    None where it changes fewer than 20 decisions, whose outcomes would be told; cost None too where reviews are given
    or spared and the policy has no price for them.
    """

    name: str
    n_holds: int
    n_decided: int
    n_changed: int
    share: float
    default_rate: Estimate | None
    cost: Estimate | None


def measure_rules(
    y: Labels, probability: Matrix, applicants: Matrix, judged: Judged, weight: Matrix | None = None
) -> tuple[RuleFigures, ...]:
    """Measure each rule of a policy that decides about n applicants.

    y: int64, (n,), 1 = default. probability, weight: float64, (n,). applicants: float64, (n, n_fields).
    """
    policy, known = judged.policy, judged.is_known
    total = float(known.sum() if weight is None else weight[known].sum())
    own = structs.replace(policy, rules=()).decide(probability, applicants)
    deciding = policy.find_deciding_rules(judged.decision, applicants)
    measured = []
    for number, rule in enumerate(policy.rules):
        changed = deciding[:, number] & (rule.index > own)
        without = structs.replace(policy, rules=policy.rules[:number] + policy.rules[number + 1 :])
        milder = without.decide(probability, applicants)
        change = judged.costs(y) - judged.decide(milder).costs(y)
        is_told = changed.sum() >= MIN_COUNT
        reviews = (judged.decision != milder) & ((judged.decision == REVIEW) | (milder == REVIEW))
        is_priced = policy.cost_review is not None or not reviews.any()
        measured.append(
            RuleFigures(
                name=rule.name,
                n_holds=int(rule.when.holds(applicants).sum()),
                n_decided=int(deciding[:, number].sum()),
                n_changed=int(changed.sum()),
                share=weighted_mean(changed, weight),
                default_rate=default_rate(y, changed, weight) if is_told else None,
                cost=scale(mean_of_known(change, weight), total) if is_told and is_priced else None,
            )
        )
    return tuple(measured)
