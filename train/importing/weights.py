"""Class weights and resampling, which make the probabilities of a model no default rates, and their correction.

A model that was fitted with the odds of its second class multiplied by a factor gives odds that are larger by that
factor (Elkan, The Foundations of Cost-Sensitive Learning, 2001, theorem 2); dividing by it corrects them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from train.errors import TrainingError
from train.fitted.links import Odds, Sigmoid
from train.fitted.model import FittedModel
from train.readers.names import INNER, WRAPPERS_OF_ONE


@dataclass(frozen=True, slots=True)
class Reweighting:
    """One thing that changed the odds of the second class in training.

    `factor`: what multiplied them. `odds`: what they were afterwards. Both are None where that can't be told.
    """

    what: str
    factor: float | None = None
    odds: float | None = None


def find_reweighting(fitted: Any) -> tuple[Reweighting, ...]:
    """What a fitted pipeline or classifier says of its weights and samplers, in the order in which they act.

    A calibrated classifier has none: its calibration saw the rows as they are.
    """
    return tuple(_find(fitted))


def _find(fitted: Any) -> Iterator[Reweighting]:
    kind = type(fitted).__name__
    if kind == "CalibratedClassifierCV":
        return
    if kind.endswith(WRAPPERS_OF_ONE):
        yield from _find(next(getattr(fitted, name) for name in INNER if hasattr(fitted, name)))
    elif hasattr(fitted, "steps"):
        samplers = [step for _, step in fitted.steps if hasattr(step, "fit_resample")]
        for sampler in [*samplers, *getattr(fitted, "resampled_by", ())]:
            yield _read_sampler(sampler)
        yield from _find(fitted.steps[-1][1])
    elif kind == "VotingClassifier":
        found = {tuple(_find(one)) for one in fitted.estimators_}
        if len(found) == 1:
            yield from found.pop()
        elif found:
            yield Reweighting("class weights of some of the classifiers of its VotingClassifier")
    else:
        yield from _read_weights(fitted, kind)


def _read_sampler(sampler: Any) -> Reweighting:
    kind = type(sampler).__name__
    strategy = getattr(sampler, "sampling_strategy", None)
    equal = ("auto", "not majority", "minority") if "Under" not in kind else ("auto", "not minority", "majority")
    # Samplers that also clean (SMOTETomek, EditedNearestNeighbours) leave shares that nobody wrote down.
    is_exact = re.fullmatch(r"SMOTE(NC|N)?|BorderlineSMOTE|SVMSMOTE|KMeansSMOTE|Random(Over|Under)Sampler", kind)
    return Reweighting(f"resampling with {kind}", odds=1.0 if is_exact and strategy in equal else None)


def _read_weights(model: Any, kind: str) -> Iterator[Reweighting]:
    parameters = model.get_params() if hasattr(model, "get_params") else {}
    weights = parameters.get("class_weight")
    if isinstance(weights, str):  # "balanced", and "balanced_subsample" of forests
        yield Reweighting(f"class_weight={weights!r} of its {kind}", odds=1.0)
    elif isinstance(weights, dict):
        good, bad = (float(weights.get(value, 1.0)) for value in np.ravel(model.classes_).tolist())
        if good != bad:
            yield Reweighting(f"class_weight={weights} of its {kind}", factor=bad / good)
    for name, value in _read_booster(model, parameters).items():
        if name == "is_unbalance" and value:
            yield Reweighting(f"is_unbalance of its {kind}", odds=1.0)
        elif name == "scale_pos_weight" and value != 1:
            yield Reweighting(f"scale_pos_weight={value:g} of its {kind}", factor=value)
    automatic = parameters.get("auto_class_weights")
    if automatic not in (None, "None"):
        yield Reweighting(
            f"auto_class_weights={automatic!r} of its {kind}", odds=1.0 if automatic == "Balanced" else None
        )
    elif (weights := parameters.get("class_weights")) is not None:
        good, bad = weights.values() if isinstance(weights, dict) else weights
        yield Reweighting(f"class_weights={weights} of its {kind}", factor=float(bad) / float(good))
    if kind.startswith("Balanced"):
        yield Reweighting(f"the resampling of its {kind}", odds=1.0)


def _read_booster(model: Any, parameters: dict[str, Any]) -> dict[str, float]:
    """scale_pos_weight and is_unbalance, as the booster itself keeps them."""
    if hasattr(model, "save_raw") or hasattr(model, "get_booster"):
        booster = model.get_booster() if hasattr(model, "get_booster") else model
        objective = json.loads(booster.save_raw("json"))["learner"]["objective"]
        return {"scale_pos_weight": float(objective.get("reg_loss_param", {}).get("scale_pos_weight", 1))}
    if hasattr(model, "model_to_string") or hasattr(model, "booster_"):
        text = (model.booster_ if hasattr(model, "booster_") else model).model_to_string()
        found = re.findall(r"^\[(scale_pos_weight|is_unbalance): (.+)\]$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}
    if "scale_pos_weight" in parameters:
        return {"scale_pos_weight": float(parameters["scale_pos_weight"] or 1)}
    return {}


@dataclass(frozen=True, slots=True)
class Prior:
    """What --prior says: the default rate of the population, and of the rows as they were weighted in training."""

    rate: float
    trained: float | None = None


def correction_factor(found: tuple[Reweighting, ...], prior: Prior, default: int) -> float:
    """What the odds of default are multiplied by, so that they are those of a population with this default rate.

    `default`: the index of the class that means default. Raises TrainingError where the weighted rate isn't known.
    """
    population = prior.rate / (1 - prior.rate)
    if prior.trained is not None:
        return population * (1 - prior.trained) / prior.trained
    factor, odds = 1.0, None
    for one in found:
        if one.factor is not None:
            factor, odds = factor * one.factor, None if odds is None else odds * one.factor
        elif one.odds is not None:
            odds = one.odds
        else:
            odds = math.nan
    if not found or (odds is not None and math.isnan(odds)):
        what = f"{found[-1].what} doesn't tell the" if found else "the model doesn't tell its"
        raise TrainingError(
            f"{what} share of defaults in the rows as they were weighted in training, which --prior needs; "
            f"add it: --prior {prior.rate:g}:SHARE"
        )
    if odds is None:
        return 1 / factor if default == 1 else factor
    return population / odds if default == 1 else population * odds


def correct(described: FittedModel, factor: float) -> FittedModel:
    """The same model with its odds of default multiplied by a factor; a sum in log-odds stays one."""
    link, ask = Odds(factor), described.ask
    # The slope of the correction at either end.
    described = replace(described, rounding=described.rounding * max(factor, 1 / factor))
    if len(described.members) == 1 and not described.outer and described.members[0].links == (Sigmoid(),):
        member = described.members[0]
        shifted = replace(member, function=member.function.scaled(1.0, math.log(factor)))
        return replace(described, members=(shifted,), ask=lambda rows: link.apply(ask(rows)))
    return replace(described, outer=(*described.outer, link), ask=lambda rows: link.apply(ask(rows)))


def shift(threshold: float, factor: float) -> float:
    """The threshold on the corrected probability that decides as this one does on the model's own."""
    return float(Odds(factor).apply(np.array(threshold)))
