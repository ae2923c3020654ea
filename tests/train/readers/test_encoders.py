"""Encoders and imputers as steps: levels, unknown and missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    LabelEncoder,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)

from tests.train.fitted.graphs import run_steps
from tests.train.readers.readings import read
from train.fitted.steps import apply_steps
from train.readers.columns import Column, Levels
from train.readers.encoders import read_label_encoders
from train.readers.imputers import read_imputer

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

WORDS = np.array([*["own"] * 8, *["rent"] * 5, *["other"] * 2, "boat", np.nan, np.nan, np.nan], dtype=object)
CODES = np.array([*[1.0] * 8, *[2.0] * 5, *[7.0] * 2, -1.0, np.nan, np.nan, np.nan])
TABLE = pd.DataFrame({"home": WORDS, "grade": CODES})
UNSEEN = pd.DataFrame({"home": np.array(["castle", "own"], dtype=object), "grade": [5.0, np.nan]})
OUTCOME = np.arange(len(TABLE)) % 3 == 0


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"handle_unknown": "ignore"},
        {"handle_unknown": "ignore", "drop": "first"},
        {"drop": "if_binary"},
        {"drop": np.array(["rent", 7.0], dtype=object)},
        {"handle_unknown": "ignore", "min_frequency": 3},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 3},
        {"handle_unknown": "infrequent_if_exist", "max_categories": 2, "drop": "first"},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 4},
        {"handle_unknown": "warn", "min_frequency": 0.2},
        {"min_frequency": 5, "drop": "first"},
        {"handle_unknown": "infrequent_if_exist"},
    ],
)
def test_one_hot_columns_are_the_librarys(settings: dict[str, Any], sparse: bool) -> None:
    """Of words and of numbers, also of unknown ones where the encoder takes them."""
    encoder = OneHotEncoder(**settings, sparse_output=sparse).fit(TABLE)

    reading = read(encoder, TABLE)

    reading.check(encoder, TABLE)
    assert all(column.is_sparse == sparse for column in reading.after)
    if settings.get("handle_unknown", "error") != "error":
        reading.check(encoder, UNSEEN)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"encoded_missing_value": -5},
        {"handle_unknown": "use_encoded_value", "unknown_value": -1},
        {"handle_unknown": "use_encoded_value", "unknown_value": np.nan, "encoded_missing_value": 9},
        {"handle_unknown": "use_encoded_value", "unknown_value": -1, "min_frequency": 3},
        {"max_categories": 2},
    ],
)
def test_ordinal_codes_are_the_librarys(settings: dict[str, Any]) -> None:
    """Also of unknown and missing values, and of infrequent levels."""
    encoder = OrdinalEncoder(**settings).fit(TABLE)

    reading = read(encoder, TABLE)

    reading.check(encoder, TABLE)
    if "handle_unknown" in settings:
        reading.check(encoder, UNSEEN)


def test_target_encoding_is_the_librarys() -> None:
    """An unknown level gets the mean of all."""
    encoder = TargetEncoder(target_type="binary")
    encoder.fit_transform(TABLE, OUTCOME)

    reading = read(encoder, TABLE)

    reading.check(encoder, TABLE)
    reading.check(encoder, UNSEEN)


def test_an_encoder_that_refuses_unknown_values_makes_its_field_a_category() -> None:
    """With exactly its levels in its order, also of numbers; one that takes them leaves a field of numbers."""
    closed = read(OneHotEncoder().fit(TABLE), TABLE)
    opened = read(OneHotEncoder(handle_unknown="ignore").fit(TABLE), TABLE)

    assert [levels.known for levels in closed.levels] == [["boat", "other", "own", "rent"], [-1.0, 1.0, 2.0, 7.0]]
    assert [levels.is_open for levels in closed.levels] == [False, False]
    assert [levels.known for levels in opened.levels] == [["boat", "other", "own", "rent"], []]
    assert [levels.is_open for levels in opened.levels] == [True, False]


def test_numbers_that_are_levels_can_be_used_as_numbers_too() -> None:
    """A scaler beside the encoder, and one after an imputer, see the numbers."""
    grades = TABLE[["grade"]]
    transformer = ColumnTransformer(
        [
            ("codes", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["grade"]),
            ("number", StandardScaler(), ["grade"]),
            ("filled", make_pipeline(SimpleImputer(strategy="mean"), StandardScaler()), ["grade"]),
            ("bins", make_pipeline(SimpleImputer(), KBinsDiscretizer(2, strategy="uniform")), ["grade"]),
        ]
    ).fit(grades)

    reading = read(transformer, grades)

    assert reading.levels[0].known == [-1.0, 1.0, 2.0, 7.0]
    reading.check(transformer, grades)


@pytest.mark.parametrize(
    "imputer",
    [
        SimpleImputer(strategy="most_frequent", add_indicator=True),
        SimpleImputer(strategy="constant", fill_value="gap"),
        SimpleImputer(strategy="constant", fill_value="rent", add_indicator=True),
    ],
)
def test_imputed_words_are_encoded_as_levels(imputer: SimpleImputer) -> None:
    """A word that only the imputer knows is a level too if the encoder saw it."""
    words = TABLE[["home"]]
    chain = make_pipeline(imputer, OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)).fit(words)

    reading = read(chain, words)

    reading.check(chain, words)
    reading.check(chain, UNSEEN[["home"]])


def test_a_word_that_means_missing_is_a_level() -> None:
    """After those of the encoder."""
    words = TABLE[["home"]].fillna("?")
    chain = make_pipeline(
        SimpleImputer(missing_values="?", strategy="most_frequent", add_indicator=True), OneHotEncoder()
    ).fit(words)

    reading = read(chain, words)

    assert reading.levels[0].known == ["boat", "other", "own", "rent", "?"]
    reading.check(chain, words)


NUMBERS = pd.DataFrame({"a": [1.0, np.nan, 3.0, -9.0], "b": [np.nan] * 4, "c": [2.0, -9.0, 5.0, 0.0]})


@pytest.mark.parametrize(
    "imputer",
    [
        SimpleImputer(),
        SimpleImputer(add_indicator=True),
        SimpleImputer(keep_empty_features=True, add_indicator=True),
        SimpleImputer(strategy="constant", fill_value=7.0),
        SimpleImputer(strategy="constant", fill_value=7.0, keep_empty_features=True),
        MissingIndicator(),
        MissingIndicator(features="all"),
        MissingIndicator(features="all", missing_values=-9.0),
    ],
)
def test_imputed_numbers_are_the_librarys(imputer: Any) -> None:
    """Columns without values are left out, indicators added, as the library does."""
    table = NUMBERS if np.isnan(imputer.missing_values) else NUMBERS.fillna(1.0)
    imputer.fit(table)

    read(imputer, table).check(imputer, table)


@pytest.mark.parametrize("missing", [-9.0, 0.0])
def test_other_numbers_can_mean_missing(missing: float) -> None:
    """Instead of NaN."""
    table = NUMBERS.fillna(1.0)
    imputer = SimpleImputer(missing_values=missing, strategy="median", add_indicator=True).fit(table)

    read(imputer, table).check(imputer, table)


def test_imputing_a_missing_value_by_itself_is_refused() -> None:
    """Libraries differ in whether columns are left out then."""
    imputer = SimpleImputer(strategy="constant", fill_value=np.nan).fit(NUMBERS[["a"]])

    with pytest.raises(ValueError, match="fills in NaN can't be exported"):
        read_imputer(imputer, (Column("a", Levels()),))


def test_label_encoders_beside_a_model_are_the_first_step() -> None:
    """By the names of the columns; a column without one stays."""
    encoder = LabelEncoder().fit(["rent", "own"])
    levels = (Levels(), Levels())
    columns = (Column("grade", levels[0]), Column("home", levels[1]))

    steps, after = read_label_encoders({"home": encoder}, columns)

    rows = np.array([[3.5, 1.0], [np.nan, 0.0]])
    assert (levels[1].known, levels[1].is_open) == (["own", "rent"], False)
    np.testing.assert_array_equal(apply_steps(steps, rows), rows)
    np.testing.assert_array_equal(run_steps(steps, rows), rows)
    assert [column.levels is None for column in after] == [False, True]


def test_a_label_encoder_for_an_unknown_column_is_refused() -> None:
    """With the names that are known."""
    with pytest.raises(ValueError, match="for the column 'house', expected one of: home"):
        read_label_encoders({"house": LabelEncoder().fit(["own"])}, (Column("home", Levels()),))
