"""Random chains of scikit-learn's transformers as steps, bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, SelectPercentile, VarianceThreshold
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from tests.train.readers.readings import read

# Binning tells of equal edges, imputers of columns without values.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def draw(seed: int, rows: int = 60) -> tuple[pd.DataFrame, Any]:
    """Numbers with gaps, words with gaps, small whole numbers, and an outcome."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "income": random.normal(size=rows) * 10.0 ** random.integers(-3, 6),
            "debt": random.choice([0.0, 1.5, -2.0, np.nan], rows),
            "age": random.integers(18, 80, rows).astype(np.float64),
            "children": random.integers(0, 5, rows).astype(np.float64),
            "home": random.choice(np.array(["own", "rent", "other", np.nan], dtype=object), rows),
        }
    )
    return table, random.integers(0, 2, rows)


STARTS: dict[str, Callable[[], Any]] = {
    "median": lambda: SimpleImputer(strategy="median"),
    "constant": lambda: SimpleImputer(strategy="constant", fill_value=-1.0, add_indicator=True),
    "frequent": lambda: SimpleImputer(strategy="most_frequent"),
    "zero is missing": lambda: make_pipeline(SimpleImputer(), SimpleImputer(missing_values=0.0, strategy="mean")),
}
LATER: dict[str, Callable[[], Any]] = {
    "standard": StandardScaler,
    "uncentered": lambda: StandardScaler(with_mean=False),
    "min max": MinMaxScaler,
    "clipped": lambda: MinMaxScaler((-1, 2), clip=True),
    "max abs": MaxAbsScaler,
    "robust": RobustScaler,
    "uniform": lambda: QuantileTransformer(n_quantiles=20),
    "ordinal bins": lambda: KBinsDiscretizer(3, encode="ordinal", strategy="quantile"),
    "bins": lambda: KBinsDiscretizer(4, strategy="uniform", encode="onehot-dense"),
    "binarizer": lambda: Binarizer(threshold=0.5),
    "abs": lambda: FunctionTransformer(np.abs),
    "square": lambda: FunctionTransformer(np.square),
    "clip": lambda: FunctionTransformer(np.clip, kw_args={"a_min": -1.0, "a_max": None}),
    "identity": FunctionTransformer,
    "variance": VarianceThreshold,
    "union": lambda: FeatureUnion([("a", StandardScaler()), ("b", "passthrough")], transformer_weights={"a": 0.3}),
    "passthrough": lambda: "passthrough",
}
WORDS: dict[str, Callable[[], Any]] = {
    "one hot": lambda: OneHotEncoder(handle_unknown="ignore"),
    "dense": lambda: OneHotEncoder(handle_unknown="error", sparse_output=False, drop="first"),
    "filled": lambda: make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(drop="if_binary")),
    "unknown": lambda: make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OrdinalEncoder()),
    "infrequent": lambda: OneHotEncoder(min_frequency=12, handle_unknown="infrequent_if_exist"),
    "ordinal": lambda: OrdinalEncoder(encoded_missing_value=-1),
}
REMAINDERS: dict[str, Callable[[], Any]] = {
    "drop": lambda: "drop",
    "passthrough": lambda: "passthrough",
    "codes": lambda: OneHotEncoder(handle_unknown="error"),
}


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.sampled_from(sorted(STARTS)),
    st.lists(st.sampled_from(sorted(LATER)), max_size=3),
    st.sampled_from(sorted(WORDS)),
    st.sampled_from(sorted(REMAINDERS)),
    st.sampled_from([["income", "debt"], [0, 1], slice("income", "debt"), slice(0, 2), [True, True, *[False] * 3]]),
    st.sampled_from([0.0, 0.3, 1.0]),
)
def test_random_chains_give_what_the_library_gives(
    seed: int, start: str, later: list[str], words: str, remainder: str, numbers: Any, density: float
) -> None:
    """Numbers and words, by name, position, slice or mask, dense and sparse."""
    table, outcome = draw(seed)
    chain = make_pipeline(STARTS[start](), *(LATER[name]() for name in later))
    transformer = ColumnTransformer(
        [("numbers", chain, numbers), ("words", WORDS[words](), ["home"]), ("age", StandardScaler(), [-3])],
        remainder=REMAINDERS[remainder](),
        sparse_threshold=density,
    ).fit(table, outcome)

    read(transformer, table).check(transformer, table)


@pytest.mark.parametrize(
    "selector",
    [
        SelectKBest(k=2),
        SelectPercentile(percentile=50),
        SelectFromModel(LogisticRegression()),
        RFE(LogisticRegression(), n_features_to_select=1),
    ],
)
def test_selected_columns_are_those_that_the_selector_kept(selector: Any) -> None:
    """Whatever chose them."""
    table, outcome = draw(3)
    numbers = table[["income", "age", "children"]]
    chain = make_pipeline(StandardScaler(), selector).fit(numbers, outcome)

    read(chain, numbers).check(chain, numbers)


def test_columns_keep_the_names_that_the_next_step_knows() -> None:
    """A ColumnTransformer whose output is a data frame names its columns anew."""
    table, outcome = draw(4)
    table = table[["income", "age", "children"]]
    first = ColumnTransformer([("scale", StandardScaler(), ["age", "income"])], remainder="passthrough")
    second = ColumnTransformer([("keep", "passthrough", ["remainder__children", "scale__income"])])
    chain = Pipeline([("first", first), ("second", second)]).set_output(transform="pandas").fit(table, outcome)

    read(chain, table).check(chain, table)


def test_selectors_choose_columns_by_type() -> None:
    """Words and numbers."""
    table, outcome = draw(5)
    numbers = ("numbers", SimpleImputer(), make_column_selector(dtype_include=np.number))
    transformer = ColumnTransformer(
        [numbers, ("words", OrdinalEncoder(), make_column_selector(dtype_exclude=np.number))]
    ).fit(table, outcome)

    read(transformer, table).check(transformer, table)


def test_a_matrix_with_words_is_read_by_position() -> None:
    """Without names."""
    table, outcome = draw(6)
    matrix = table.to_numpy(dtype=object)
    transformer = ColumnTransformer(
        [("numbers", SimpleImputer(), [0, 1, 2]), ("words", OneHotEncoder(handle_unknown="ignore"), [-1])],
        transformer_weights={"words": 0.25},
    ).fit(matrix, outcome)

    read(transformer, matrix).check(transformer, matrix)


def test_sparse_columns_are_multiplied_by_the_inverse_scale() -> None:
    """As scikit-learn does; a division may differ by an ulp."""
    table = draw(7)[0].drop(columns="home")
    chain = make_pipeline(
        ColumnTransformer(
            [("codes", OneHotEncoder(handle_unknown="ignore"), ["children"]), ("age", "passthrough", ["age"])],
            sparse_threshold=1.0,
        ),
        MaxAbsScaler(),
        StandardScaler(with_mean=False),
    ).fit(table)

    assert all(column.is_sparse for column in read(chain, table).after)
    read(chain, table).check(chain, table)


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (KNNImputer(), "KNNImputer can't be exported exactly: it searches the training rows"),
        (Normalizer(), "Normalizer can't be exported exactly: it divides each row by its own length"),
        (FunctionTransformer(lambda x: x + 1), "FunctionTransformer of <lambda>"),
        (FunctionTransformer(np.round, kw_args={"decimals": 2}), "FunctionTransformer of round"),
        (QuantileTransformer(n_quantiles=5, output_distribution="normal"), "to a normal distribution can't be"),
    ],
)
def test_transformers_without_an_exact_export_are_refused(transformer: Any, message: str) -> None:
    """In one sentence, which tells what to use instead."""
    table = draw(8)[0][["income", "age"]]

    with pytest.raises(ValueError, match=message):
        read(transformer.fit(table), table)
