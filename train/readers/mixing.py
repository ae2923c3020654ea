"""Linear models of columns that mix fields (PCA, PolynomialFeatures) as linear models of columns that don't.

A sum of sums is folded into one sum. Products stay, as the last step, if they are of at most two fields: then Shapley
values have a closed form (train/export/quadratic.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from train.fitted.linear import Linear
from train.fitted.mixing import Products, Project
from train.fitted.model import Member
from train.fitted.steps import Arithmetic, Matrix, Owners, Parallel, Select, Steps, follow_steps
from train.fitted.trees import Trees

Folded = tuple[Steps, Matrix, float]
"""Steps, the coefficients of their columns, and what is added to the intercept."""


def unmix(member: Member, width: int) -> Member:
    """The same member without columns of several fields, or of none, but products at its end.

    `width`: the number of columns that the object was fitted on. Raises ValueError where that isn't possible.
    """
    owners: Owners = tuple(frozenset([number]) for number in range(width))
    if not _is_mixed(follow_steps(member.steps, owners)):
        return member
    linear = member.function
    if isinstance(linear, Trees):
        raise ValueError(  # noqa: TRY004
            "trees on columns that mix fields, such as those of PCA and PolynomialFeatures, have no exact reasons by "
            "field; fit the trees on the fields themselves"
        )
    steps, coefficients, offset = _fold(member.steps, owners, linear.coefficients)
    return replace(member, steps=steps, function=Linear(coefficients, linear.intercept + offset))


def _is_mixed(owners: Owners) -> bool:
    return any(len(owner) != 1 for owner in owners)


def _fold(steps: Steps, owners: Owners, coefficients: Matrix) -> Folded:
    """The sum of coefficients · columns after `steps`, with fewer steps."""
    if not _is_mixed(follow_steps(steps, owners)):
        return steps, coefficients, 0.0
    *rest, last = steps
    before = tuple(rest)
    entering = follow_steps(before, owners)
    offset = 0.0
    if isinstance(last, Products):
        return _fold_products(before, last, entering, coefficients)
    if isinstance(last, Parallel):
        return _fold_branches(before, last, owners, coefficients)
    if isinstance(last, Project):
        offset = float(last.offset @ coefficients)
        coefficients = last.weights @ coefficients
    elif isinstance(last, Arithmetic) and last.operation in ("multiply", "divide"):
        coefficients = coefficients * last.operand if last.operation == "multiply" else coefficients / last.operand
    elif isinstance(last, Arithmetic):
        offset = float(last.operand @ coefficients) * (1.0 if last.operation == "add" else -1.0)
    elif isinstance(last, Select):
        summed = np.zeros(len(entering))
        np.add.at(summed, list(last.columns), coefficients)
        coefficients = summed
    else:
        raise ValueError(
            f"a step ({type(last).__name__}) after PCA or PolynomialFeatures computes more than a sum, so that reasons "
            "by field can't be exact; put it before them"
        )
    before, coefficients, more = _fold(before, owners, coefficients)
    return before, coefficients, offset + more


def _fold_products(before: Steps, last: Products, entering: Owners, coefficients: Matrix) -> Folded:
    if _is_mixed(entering) or any(len(owner) > 2 for owner in last.follow(entering)):
        raise ValueError(
            "products of three fields, or of columns that mix fields, can't be exported with exact reasons by field; "
            "fit PolynomialFeatures with degree=2, on the fields themselves"
        )
    # The constant column is part of the intercept.
    is_kept = np.array([bool(factors) for factors in last.factors])
    products = Products(tuple(factors for factors in last.factors if factors))
    return (*before, products), coefficients[is_kept], float(coefficients[~is_kept].sum())


def _fold_branches(before: Steps, last: Parallel, owners: Owners, coefficients: Matrix) -> Folded:
    entering = follow_steps(before, owners)
    widths = [len(follow_steps(branch, entering)) for branch in last.branches]
    parts = np.split(coefficients, np.cumsum(widths)[:-1])
    folded = [_fold(branch, entering, part) for branch, part in zip(last.branches, parts, strict=True)]
    offset = sum(more for _, _, more in folded)
    if _is_mixed(entering):
        if any(steps for steps, _, _ in folded):
            raise ValueError(
                "the columns of PCA or PolynomialFeatures enter several transformers, so that reasons by field can't "
                "be exact; put these transformers before them"
            )
        total = np.sum([own for _, own, _ in folded], axis=0)
        before, total, more = _fold(before, owners, total)
        return before, total, offset + more
    coefficients = np.concatenate([own for _, own, _ in folded])
    return (*before, *_lift_products([steps for steps, _, _ in folded], entering)), coefficients, offset


def _lift_products(branches: list[Steps], entering: Owners) -> Steps:
    """Parallel branches, with the products at their ends after all of them."""
    factors: list[tuple[int, ...]] = []
    shortened: list[Steps] = []
    width = 0
    for branch in branches:
        products = branch[-1] if branch and isinstance(branch[-1], Products) else None
        own = branch[:-1] if products else branch
        own_width = len(follow_steps(own, entering))
        own_factors = products.factors if products else tuple((column,) for column in range(own_width))
        factors.extend(tuple(width + column for column in product) for product in own_factors)
        shortened.append(own)
        width += own_width
    if all(len(product) == 1 for product in factors):
        return (Parallel(tuple(branches)),)
    return Parallel(tuple(shortened)), Products(tuple(factors))
