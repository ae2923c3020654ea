"""Classifiers made of others: calibration, voting, bagging, chosen thresholds and searches.

A reader gets `read`, which describes an inner classifier or pipeline by members (classifiers.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from train.fitted.links import Affine, Interpolation, Links, Sigmoid
from train.fitted.model import Member
from train.fitted.steps import Select
from train.readers.columns import Column
from train.readers.optbinning import read_scorecard

Columns = tuple[Column, ...]
Members = tuple[Member, ...]
Read = Callable[[Any, Columns], Members]


def read_inner(attribute: str) -> Callable[[Any, Columns, Read], Members]:
    """A reader of wrappers whose probability is that of the classifier in an attribute."""
    return lambda model, columns, read: read(getattr(model, attribute), columns)


def read_calibrated(model: Any, columns: Columns, read: Read) -> Members:
    """A CalibratedClassifierCV: the mean of its calibrated classifiers, one for each fold or a single one."""
    return tuple(_read_one_calibrated(one, columns, read) for one in model.calibrated_classifiers_)


def _read_one_calibrated(calibrated: Any, columns: Columns, read: Read) -> Member:
    # scikit-learn before 1.4 calls it base_estimator in some versions.
    inner = calibrated.estimator if hasattr(calibrated, "estimator") else calibrated.base_estimator
    members = read(inner, columns)
    if len(members) > 1:
        raise ValueError(
            f"a CalibratedClassifierCV of a {type(inner).__name__} can't be exported, because the calibration would "
            "come after a mean of several classifiers; calibrate each of them instead"
        )
    (member,) = members
    (calibrator,) = calibrated.calibrators
    # The calibrator takes the decision function where there is one (`_get_response_values`, sklearn/utils).
    takes_decision = hasattr(inner, "decision_function")
    links = _read_calibrator(calibrator, takes_decision)
    if not takes_decision:
        return replace(member, links=(*member.links, *links))
    first = member.links[0]
    if not isinstance(first, Affine) or isinstance(links[0], Affine):
        return replace(member, links=links)
    # The decision function is the log-odds divided by a power of two.
    scaled = member.function.scaled(first.slope, 0.0)
    return replace(member, function=scaled, links=(Affine(1 / first.slope, 0.0), *links))


def _read_calibrator(calibrator: Any, takes_decision: bool) -> Links:
    name = type(calibrator).__name__
    if name == "_SigmoidCalibration":
        return (Affine(-float(calibrator.a_), -float(calibrator.b_)), Sigmoid())
    if name == "IsotonicRegression" and calibrator.X_thresholds_.dtype == np.float64:
        return (Interpolation(calibrator.X_thresholds_, calibrator.y_thresholds_),)
    if name == "_TemperatureScaling" and takes_decision:
        return (Affine(2 * float(calibrator.beta_), 0.0), Sigmoid())
    described = {
        "IsotonicRegression": "isotonic calibration of probabilities in float32 jumps where they round; "
        "fit it with method='sigmoid'",
        "_TemperatureScaling": "temperature scaling of probabilities adds 1e-12 to them; fit it with method='sigmoid'",
    }
    raise ValueError(
        f"this CalibratedClassifierCV can't be exported: {described.get(name, f'its calibrator is a {name}')}"
    )


def read_corrected(model: Any, columns: Columns, read: Read) -> Members:
    """A CorrectedClassifier (train/correction.py): a line through the log-odds of its classifier."""
    (member,) = read(model.estimator, columns)
    if member.links != (Sigmoid(),):
        raise ValueError(f"a {type(model).__name__} of a classifier without log-odds can't be exported; correct others")
    scale = Affine(float(model.slope), float(model.intercept))
    return (replace(member, links=(scale, Sigmoid()), rounding=member.rounding * max(1.0, scale.slope)),)


def read_voting(model: Any, columns: Columns, read: Read) -> Members:
    """A VotingClassifier with voting="soft": the weighted mean of its classifiers."""
    if model.voting != "soft":
        raise ValueError("a VotingClassifier with voting='hard' has no probability; fit it with voting='soft'")
    kept = [inner != "drop" for _, inner in model.estimators]
    weights = np.ones(len(kept)) if model.weights is None else np.asarray(model.weights, dtype=np.float64)
    return _average(model.estimators_, weights[kept], [columns] * len(model.estimators_), read)


def read_bagging(model: Any, columns: Columns, read: Read) -> Members:
    """A BaggingClassifier: the mean of its classifiers, each of some of the columns."""
    chosen = [tuple(np.asarray(places).tolist()) for places in model.estimators_features_]
    own = [tuple(columns[place] for place in places) for places in chosen]
    return tuple(
        replace(member, steps=(Select(places), *member.steps))
        for inner, after, places in zip(model.estimators_, own, chosen, strict=True)
        for member in _share(read(inner, after), 1.0)
    )


def _average(inner: list[Any], weights: Any, columns: list[Columns], read: Read) -> Members:
    return tuple(
        member
        for one, weight, own in zip(inner, weights, columns, strict=True)
        for member in _share(read(one, own), float(weight))
    )


def _share(members: Members, weight: float) -> Members:
    """The members of one classifier, which together have a weight; a single one has it exactly."""
    if len(members) == 1:
        return (replace(members[0], weight=weight),)
    total = sum(member.weight for member in members)
    return tuple(replace(member, weight=member.weight / total * weight) for member in members)


def refuse_stacking(model: Any, columns: Columns, read: Read) -> Members:
    """Raises ValueError."""
    raise ValueError(
        f"a {type(model).__name__} can't be exported with exact reasons, because its last classifier takes the "
        "probabilities of others; export one of them, or vote with VotingClassifier(voting='soft')"
    )


WRAPPERS: dict[str, Callable[[Any, Columns, Read], Members]] = {
    "CalibratedClassifierCV": read_calibrated,
    "CorrectedClassifier": read_corrected,
    "VotingClassifier": read_voting,
    "BaggingClassifier": read_bagging,
    "BalancedBaggingClassifier": read_bagging,
    "FixedThresholdClassifier": read_inner("estimator_"),
    "TunedThresholdClassifierCV": read_inner("estimator_"),
    "FrozenEstimator": read_inner("estimator"),
    "GridSearchCV": read_inner("best_estimator_"),
    "RandomizedSearchCV": read_inner("best_estimator_"),
    "HalvingGridSearchCV": read_inner("best_estimator_"),
    "HalvingRandomSearchCV": read_inner("best_estimator_"),
    "BayesSearchCV": read_inner("best_estimator_"),
    "OptunaSearchCV": read_inner("best_estimator_"),
    "Scorecard": read_scorecard,
    "StackingClassifier": refuse_stacking,
}
"""Name of the class → reader of a classifier made of others."""
