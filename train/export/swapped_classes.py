"""A classifier whose first class means default, with its classes in the order that everything else expects.

Used by fitted_model.py: a model where 1 means good is imported like any other, because good is then the first class and
default the second, of its probabilities and of its log-odds (learners.py).
"""

from __future__ import annotations

from typing import Any

from train.dataset import Matrix


class SwappedClasses:
    """A fitted classifier with two classes, swapped; what isn't said here is the classifier's own."""

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def __getattr__(self, name: str) -> Any:
        return getattr(self.classifier, name)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> list[Any]:
        """Good and default."""
        return list(self.classifier.classes_)[::-1]

    def predict_proba(self, rows: Any) -> Matrix:
        """Probabilities of good and of default: float, shape (n, 2)."""
        probabilities: Matrix = self.classifier.predict_proba(rows)[:, ::-1]
        return probabilities


def unswap(classifier: Any) -> Any:
    """The classifier as its library knows it."""
    return classifier.classifier if isinstance(classifier, SwappedClasses) else classifier
