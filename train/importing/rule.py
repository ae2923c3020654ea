"""The rule of the model's owner: from which probability of default on an applicant is refused.

It comes from the command line, else from the card, else from the file. Nothing is assumed where none of them has one.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from train.card import CardPolicy, CardValue
from train.errors import TrainingError
from train.importing.bundle import Bundle
from train.policy import COST_DEFAULT, COST_GOOD
from train.readers.names import INNER

ASK = (
    "from which probability of default on you refuse, --threshold P, or what an accepted default costs for each unit "
    "that a refused good applicant costs, --costs DEFAULT:GOOD"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A card's policy, and where it is from."""

    policy: CardPolicy
    source: str


def find_rule(
    options: argparse.Namespace, carded: CardPolicy, bundle: Bundle, default: int, classes: list[CardValue]
) -> Rule | None:
    """The owner's rule, None if nobody states one; `default`: index of the class that means default.

    A threshold beside a model whose second class is good may be meant either way, which is asked.
    """
    plain = structs.replace(
        carded,
        threshold=None,
        cost_default=None,
        cost_good=None,
        cost_review=None,
        exposure=None,
        lgd=None,
        margin=None,
    )
    if options.threshold is not None:
        return Rule(structs.replace(plain, threshold=options.threshold), "--threshold")
    if options.costs is not None:
        costs = structs.replace(plain, cost_default=options.costs[0], cost_good=options.costs[1])
        # Beside an exposure it is an amount of money, and the costs here are in a unit of their own.
        return Rule(structs.replace(costs, cost_review=None if carded.exposure else carded.cost_review), "--costs")
    if carded.has_rule:
        return Rule(carded, "the card")
    stated = read_threshold(bundle.fitted, default)
    if stated is not None:
        return Rule(structs.replace(plain, threshold=stated), f"the file's {type(bundle.fitted).__name__}")
    if bundle.threshold is None:
        return None
    if default == 0:
        other = f"{1 - bundle.threshold:.12g}"
        raise TrainingError(
            f"the file has the threshold {bundle.threshold:g}, and the model's second class {classes[1]!r} isn't "
            f"default; say what is refused: from a probability of default of {other} on, --threshold {other}, or of "
            f"{bundle.threshold:g} on, --threshold {bundle.threshold:g}"
        )
    return Rule(structs.replace(plain, threshold=bundle.threshold), "the file")


def read_threshold(fitted: Any, default: int) -> float | None:
    """The threshold on the probability of default of a Fixed- or TunedThresholdClassifier, None if there is none.

    Such a wrapper predicts its positive class from the threshold on, `>=`.
    """
    kind = type(fitted).__name__
    if kind not in ("FixedThresholdClassifier", "TunedThresholdClassifierCV"):
        inner = next((getattr(fitted, name) for name in INNER if hasattr(fitted, name)), None)
        return None if inner is None or hasattr(fitted, "steps") else read_threshold(inner, default)
    value = getattr(fitted, "best_threshold_", getattr(fitted, "threshold", "auto"))
    threshold = 0.5 if isinstance(value, str) else float(value)
    if fitted.response_method == "decision_function" or not 0 < threshold < 1:
        return None
    classes, label = fitted.classes_.tolist(), getattr(fitted, "pos_label", None)
    if label is None and classes != [0, 1]:  # 1 and True are the positive class unless another is named
        return None
    positive = classes.index(1 if label is None else label)
    if positive == default:
        return threshold
    # Good from the threshold on: default as soon as its probability is above the rest.
    return math.nextafter(1 - threshold, 1)


def describe_rule(rule: Rule) -> str:
    """The rule in one line."""
    policy = rule.policy
    if policy.threshold is not None:
        return f"Refused from a probability of default of {policy.threshold:.6g} on ({rule.source})"
    if policy.exposure is not None:
        return (
            f"Expected profit decides: exposure {policy.exposure}, LGD {policy.lgd:g}, margin {policy.margin} "
            f"({rule.source})"
        )
    bad, good = policy.cost_default or COST_DEFAULT, policy.cost_good or COST_GOOD
    return f"Costs {bad:g} : {good:g} for an accepted default and a refused good applicant ({rule.source})"
