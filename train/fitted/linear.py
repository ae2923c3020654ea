"""Logistic regression: log-odds = (x · coefficients + intercept) / divisor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from train.fitted.steps import Matrix


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear model of the log-odds: coefficients float64, shape (n_columns,).

    `center`: the mean of each column over the training rows where the model itself tells it, shape (n_columns,).
    `divisor`: of sums that are exact, divided once.
    """

    coefficients: Matrix
    intercept: float
    center: Matrix | None = None
    divisor: float = 1.0

    def log_odds(self, rows: Matrix) -> Matrix:
        """Log-odds, shape (m,), of encoded rows, shape (m, n_columns)."""
        total: Matrix = rows @ self.coefficients + self.intercept
        return total if self.divisor == 1.0 else total / self.divisor

    def negated(self) -> Linear:
        """The log-odds of the other class; exact, because only signs change."""
        return replace(self, coefficients=-self.coefficients, intercept=-self.intercept)

    def complemented(self) -> Linear:
        """1 − the value."""
        turned = self.negated()
        return replace(turned, intercept=self.divisor + turned.intercept)

    def scaled(self, slope: float, offset: float) -> Linear:
        """slope · value + offset, without divisor."""
        factor = slope / self.divisor
        intercept = self.intercept * factor + offset
        return replace(self, coefficients=self.coefficients * factor, intercept=intercept, divisor=1.0)

    def divided(self) -> Linear:
        """The same value but for rounding, without divisor."""
        return self if self.divisor == 1.0 else self.scaled(1.0, 0.0)
