"""Explainable boosting machines of interpret: the same probability in every bin, also one ulp beside each cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from interpret.glassbox import ExplainableBoostingClassifier

from tests.train.readers.exports import load_export
from train.dataset import Matrix
from train.fitted.linear import Linear
from train.proof import prove
from train.readers.describe import describe

pytestmark = pytest.mark.filterwarnings(
    "ignore:Missing values detected", "ignore:Interactions with 3 or more terms are not graphed"
)

ROUNDING = 1e-12

WORDS = ["own", "rent", "with parents"]


def make_table(rows: int) -> pd.DataFrame:
    """Numbers, 0/1 columns and words, with missing cells."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "income": random.normal(size=rows),
            "debt": np.where(random.random(rows) < 0.1, np.nan, random.normal(size=rows)),
            "loans": random.integers(0, 9, rows),
            "is_client": random.integers(0, 2, rows),
            "rate": random.choice([-3, 0.5, 1.0, 2.25], rows),
            "home": random.choice(np.array([*WORDS, None], dtype=object), rows),
        }
    )
    table["default"] = (table["income"] * table["debt"].fillna(1) + random.normal(size=rows) > 0).astype(int)
    return table


def fit(table: pd.DataFrame, **settings: object) -> ExplainableBoostingClassifier:
    """A small machine; `rate` is nominal although its values are numbers."""
    types = [None] * 4 + ["nominal", "nominal"]
    model = ExplainableBoostingClassifier(feature_types=types, n_jobs=1, outer_bags=2, max_rounds=100, **settings)
    return model.fit(table.drop(columns="default"), table["default"])


def encode(table: pd.DataFrame) -> Matrix:
    """The same applicants as the graph takes them."""
    home = table["home"].map({word: float(number) for number, word in enumerate(WORDS)})
    return table.drop(columns="default").assign(home=home).to_numpy(dtype=np.float64)


@pytest.mark.parametrize("interactions", [0, 3, [(0, 1), (1, 5), (4, 5), (0, 1, 5)]])
def test_export_is_exact(interactions: object) -> None:
    """Terms of one to three fields; the proof places rows at every cut and one ulp to either side."""
    table = make_table(600)
    model = fit(table, interactions=interactions)
    described = describe(model)
    applicants = encode(table)
    expected = model.predict_proba(table.drop(columns="default"))[:, 1]
    np.testing.assert_allclose(described.probability(applicants), expected, atol=ROUNDING, rtol=0)
    # Unlike the training rows: no reference applicants are needed.
    exported = load_export(described, applicants[:1])
    prove(described, exported, applicants, seed=0)


def test_reasons_of_a_main_effect() -> None:
    """The score of the applicant's bin minus its mean over the training rows."""
    table = make_table(600)
    model = fit(table, interactions=0)
    exported = load_export(describe(model), encode(table)[:1])
    terms = model.eval_terms(table.drop(columns="default"))
    actual = exported.score(encode(table), explain=True).contributions
    np.testing.assert_allclose(actual, terms - terms.mean(axis=0), atol=ROUNDING, rtol=0)


def test_words_are_levels_and_others_are_allowed() -> None:
    """A nominal column of numbers stays a column of numbers."""
    inputs = {one.name: one for one in describe(fit(make_table(300).dropna(), interactions=0)).inputs}
    assert (inputs["home"].levels, inputs["home"].is_open) == (tuple(WORDS), True)
    assert (inputs["rate"].levels, inputs["rate"].is_open) == ((), False)


def test_another_link_is_refused() -> None:
    """Three classes have scores of their own."""
    table = make_table(300).dropna()
    model = fit(table.assign(default=np.arange(len(table)) % 3), interactions=0)
    with pytest.raises(ValueError, match=r"tells 3 classes apart|link 'mlogit'"):
        describe(model)


def test_linear_center_is_zero() -> None:
    """The columns of the linear model are Shapley values relative to the training rows."""
    (member,) = describe(fit(make_table(300).dropna(), interactions=0)).members
    assert isinstance(member.function, Linear)
    assert member.function.center is not None
    assert not member.function.center.any()
