"""A transformer for some columns of a table, whose places its results take: what training code does by assignment.

`table[columns] = scaler.transform(table[columns])` and a LabelEncoder beside the model for each column of words are
written so, and saved as a dict without the places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class Partly(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Applies a fitted transformer to the columns at `places` of a table with the columns `names`.

    `step`: takes and gives as many columns as there are places; a LabelEncoder takes one column as a list.
    """

    def __init__(self, step: Any, places: tuple[int, ...], names: tuple[str, ...]) -> None:
        self.step = step
        self.places = places
        self.names = names

    @property
    def feature_names_in_(self) -> Any:
        """The columns of the whole table."""
        return np.array(self.names, dtype=object)

    @property
    def n_features_in_(self) -> int:
        """Their number."""
        return len(self.names)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Partly:
        """Nothing to fit: the step is fitted."""
        return self

    def transform(self, X: Any) -> Any:
        """The same table with these columns transformed."""
        table = pd.DataFrame(X, columns=list(self.names)) if not isinstance(X, pd.DataFrame) else X.copy()
        chosen = table.iloc[:, list(self.places)]
        if type(self.step).__name__ == "LabelEncoder":
            values = np.asarray(self.step.transform(chosen.iloc[:, 0]))[:, None]
        else:
            values = self.step.transform(chosen if hasattr(self.step, "feature_names_in_") else chosen.to_numpy())
        if hasattr(values, "toarray"):
            values = values.toarray()
        for place, column in zip(self.places, np.asarray(values).T, strict=True):
            table.isetitem(place, column)
        return table
