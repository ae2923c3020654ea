"""Contributions of a linear model of products of columns, such as those of PolynomialFeatures. Used by reasons.py.

The Shapley values of coefficient · u · w, where u is of one field and w of another, relative to a reference population
with means E: ½ coefficient (u w + u E[w] − E[u] w − E[u w]) for the first field, and the same with u and w swapped for
the second: the mean of what the field adds before and after the other.
"""

from __future__ import annotations

import numpy as np

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.shapley import FieldNumbers
from train.fitted.linear import Linear
from train.fitted.mixing import Products


def explain_products(
    branch: Branch,
    columns: str,
    model: Linear,
    products: Products,
    field_of_column: FieldNumbers,
    n_fields: int,
    reference: Matrix,
) -> None:
    """The contributions of each product's fields, of which there are one or two.

    `columns` names the tensor of the factors, (n, n_columns); `reference`: those of the reference population, float64,
    shape (m, n_columns).
    """
    first, second, owners = _split_factors(products, field_of_column)
    u, w = first.emit(branch, columns), second.emit(branch, columns)
    u_reference, w_reference = first.apply(reference), second.apply(reference)
    u_mean = branch.constant("first_mean", u_reference.mean(axis=0))
    w_mean = branch.constant("second_mean", w_reference.mean(axis=0))
    mean = branch.constant("product_mean", (u_reference * w_reference).mean(axis=0))
    half = branch.constant("half_coefficients", model.coefficients / 2)
    # What both have in common, and what one gains and the other loses.
    common = branch.add("Sub", [branch.add("Mul", [u, w]), mean])
    gain = branch.add("Sub", [branch.add("Mul", [u, w_mean]), branch.add("Mul", [u_mean, w])])
    parts = [branch.add("Mul", [branch.add(sign, [common, gain]), half]) for sign in ("Add", "Sub")]
    values = branch.add("Transpose", [branch.add("Concat", parts, axis=1)])
    branch.add_up(values, owners, n_fields)


def _split_factors(products: Products, field_of_column: FieldNumbers) -> tuple[Products, Products, FieldNumbers]:
    """The products of each one's first field, those of its second field (1 if there is none), and all their fields."""
    first, second, owners = [], [], []
    for factors in products.factors:
        fields = sorted({int(field_of_column[column]) for column in factors})
        first.append(tuple(column for column in factors if field_of_column[column] == fields[0]))
        second.append(tuple(column for column in factors if field_of_column[column] != fields[0]))
        owners.append((fields[0], fields[-1]))
    return Products(tuple(first)), Products(tuple(second)), np.array(owners, dtype=np.int64).T.ravel()
