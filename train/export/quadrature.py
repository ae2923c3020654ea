"""Gauss–Legendre quadrature of the integrand of path-dependent Shapley values (path_shapley.py)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from train.dataset import Matrix


@dataclass(frozen=True, slots=True)
class Quadrature:
    """Points and weights on [0, 1]: float64, shape (n_points,)."""

    points: Matrix
    weights: Matrix


@cache
def choose_points(n_fields: int) -> Quadrature:
    """The points for a path that asks `n_fields` fields, whose integrand is a polynomial of degree n_fields − 1."""
    points, weights = np.polynomial.legendre.leggauss(max((n_fields + 1) // 2, 1))
    return Quadrature((points + 1) / 2, weights / 2)


def differentiate(rule: Quadrature, shares: Matrix) -> tuple[Matrix, Matrix]:
    """The factor s − r of a field over its factor r + t (s − r), for s = 0 and for s = 1.

    `shares`: r, float64, shape (…). The first, −1 / (1 − t), has shape (n_points,), the second (…, n_points).
    """
    rest = (1 - shares)[..., None]
    return -1 / (1 - rule.points), rest / (shares[..., None] + rule.points * rest)
