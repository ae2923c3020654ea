"""Linear classifiers of scikit-learn: logistic regression, with and without cross-validation, and SGD on log loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from train.fitted.linear import Linear
from train.fitted.links import Affine, Links, Sigmoid
from train.readers.classifier import Classifier


def read_linear(model: Any) -> Classifier:
    """The coefficients of a fitted linear classifier with two classes; its value is the decision function.

    Raises ValueError for an SGDClassifier with a loss that has no sigmoid. With multi_class="multinomial", which
    scikit-learn before 1.8 has, the probability is the softmax of the value and its negative.
    """
    loss = getattr(model, "loss", "log_loss")
    if loss not in ("log_loss", "log"):
        raise ValueError(
            f"a {type(model).__name__} with loss={loss!r} can't be exported; fit it with loss='log_loss', "
            "whose probability is the sigmoid of its decision function"
        )
    is_softmax = getattr(model, "multi_class", "") == "multinomial"
    links: Links = (Affine(2.0, 0.0), Sigmoid()) if is_softmax else (Sigmoid(),)
    intercept = float(np.ravel(model.intercept_)[0])
    return Classifier(Linear(np.asarray(model.coef_, dtype=np.float64).ravel(), intercept), links)
