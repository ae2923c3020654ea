"""Logistic regression: log-odds = x · coefficients + intercept."""

from __future__ import annotations

from dataclasses import dataclass, replace

from train.fitted.steps import Matrix


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear model of the log-odds: coefficients float64, shape (n_columns,).

    `center`: the mean of each column over the training rows where the model itself tells it, shape (n_columns,).
    """

    coefficients: Matrix
    intercept: float
    center: Matrix | None = None

    def log_odds(self, rows: Matrix) -> Matrix:
        """Log-odds, shape (m,), of encoded rows, shape (m, n_columns)."""
        return rows @ self.coefficients + self.intercept

    def negated(self) -> Linear:
        """The log-odds of the other class; exact, because only signs change."""
        return replace(self, coefficients=-self.coefficients, intercept=-self.intercept)

    def complemented(self) -> Linear:
        """1 − the value."""
        turned = self.negated()
        return replace(turned, intercept=1.0 + turned.intercept)

    def scaled(self, slope: float, offset: float) -> Linear:
        """slope · value + offset."""
        return replace(self, coefficients=self.coefficients * slope, intercept=self.intercept * slope + offset)
