"""A card's `missing`: numbers that the exported graph takes as it takes an empty cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from scipy.special import expit

from model.changes import find_changes
from model.contract import Training
from model.loading import load_model
from model.session import Model
from tests.train.conftest import train_without_report
from train.candidates import CANDIDATES
from train.card import Card, CardDataset, CardField, check_card
from train.card_inference import Choices, infer_card
from train.contract import make_contract
from train.dataset import encode_protected, encode_table
from train.errors import TrainingError
from train.export import draw_reference, export
from train.leakage import measure_fields
from train.proof_rows import draw_test_rows
from train.readers.describe import describe
from train.table import read_table

CODES = (365243.0, -999.0)
CARD = Card(
    CardDataset(name="test", path="test.csv", target="bad", default=1),
    {
        "days": CardField("Days", "number", minimum=-100.0, maximum=0.0, nullable=True, reason="Days", missing=CODES),
        "amount": CardField("Amount", "number", minimum=0.0, maximum=50.0, reason="Amount", changeable=True),
        "rooms": CardField("Rooms", "number", minimum=0.0, maximum=9.0, nullable=True, reason="Rooms", missing=(0.0,)),
        "home": CardField("Home", "category", levels=("own", "rent"), reason="Home"),
    },
)
CANDIDATE = pytest.mark.parametrize("candidate", ["logistic", "boosting"])
"""Imputed and scaled numbers, and numbers unchanged."""


def draw_rows(rows: int, seed: int) -> Any:
    """Applicants with codes and with empty cells, float64, shape (rows, 4)."""
    random = np.random.default_rng(seed)
    days = np.where(random.random(rows) < 0.2, random.choice([*CODES, np.nan], rows), random.uniform(-100, 0, rows))
    rooms = np.where(random.random(rows) < 0.2, np.nan, random.integers(0, 6, rows))
    return np.column_stack([days, random.uniform(0, 50, rows), rooms, random.integers(0, 2, rows)])


@cache
def export_candidate(candidate: str) -> Model:
    """A model trained on rows with codes."""
    X = draw_rows(800, 0)
    days = np.where(np.isin(X[:, 0], CODES) | np.isnan(X[:, 0]), 40.0, X[:, 0])
    y = (np.random.default_rng(1).random(len(X)) < expit(0.05 * days + 0.05 * X[:, 1])).astype(int)
    pipeline = CANDIDATES[candidate].build(list(CARD.inputs.values()), 0).fit(X, y)
    training = Training(candidate, len(X), 0, float(y.mean()), 0, "data", "card", "commit", {})
    contract = make_contract(CARD, training, "2026-01-02T03:04:05Z", {})
    return load_model(export(describe(pipeline), contract, draw_reference(X, 0)))


@CANDIDATE
@given(rows=st.integers(0, 10_000).map(lambda seed: draw_rows(16, seed)))
def test_a_code_and_an_empty_cell_have_the_same_answer_bit_by_bit(candidate: str, rows: Any) -> None:
    """Probability, decision and contributions."""
    model = export_candidate(candidate)
    empty = rows.copy()
    empty[np.isin(rows[:, 0], CODES), 0] = np.nan
    empty[rows[:, 2] == 0.0, 2] = np.nan

    with_codes, without = model.score(rows, explain=True), model.score(empty, explain=True)

    np.testing.assert_array_equal(with_codes.probability, without.probability)
    np.testing.assert_array_equal(with_codes.decision, without.decision)
    np.testing.assert_array_equal(with_codes.contributions, without.contributions)


@CANDIDATE
def test_golden_rows_and_the_check_of_the_export_have_every_code(candidate: str) -> None:
    """As it is, not rounded."""
    contract = export_candidate(candidate).contract
    golden = np.array(contract.golden.applicants, dtype=np.float64)
    pipeline = CANDIDATES[candidate].build(list(CARD.inputs.values()), 0)
    X = draw_rows(50, 0)
    described = describe(pipeline.fit(X, np.arange(50) % 2))
    tested = np.concatenate(list(draw_test_rows(described, list(contract.fields), X[:1], 0)))

    for column, field in enumerate(contract.fields):
        assert set(field.missing) <= set(golden[:, column])
        assert set(field.missing) <= set(tested[:, column])


def test_a_code_is_no_proposal() -> None:
    """Nobody changes to a missing value, nor from one."""
    model = export_candidate("boosting")
    fields = tuple(structs.replace(field, changeable=field.kind == "number") for field in model.contract.fields)
    model = structs.replace(model, contract=structs.replace(model.contract, fields=fields))

    for row in draw_rows(60, 2):
        for change in find_changes(model, row, 2):
            assert change.to not in {"0", "365243", "-999", "missing"}
            assert change.value != "missing"


@pytest.mark.parametrize("codes", [(float("nan"),), (float("inf"),), (1e300,)])
def test_a_code_that_no_applicant_can_have_is_refused(codes: tuple[float, ...]) -> None:
    """NaN is missing without it."""
    field = structs.replace(CARD.fields["days"], missing=codes)

    with pytest.raises(TrainingError, match="'days' of the card has a number that means missing and isn't finite"):
        check_card(structs.replace(CARD, fields=CARD.fields | {"days": field}))


def test_codes_of_a_category_are_refused() -> None:
    """Its missing values are those that no level is named as."""
    field = structs.replace(CARD.fields["home"], missing=(1.0,))

    with pytest.raises(TrainingError, match="is a category and has numbers that mean missing; remove missing"):
        check_card(structs.replace(CARD, fields=CARD.fields | {"home": field}))


def test_training_counts_codes_as_missing(write_table: Callable[..., Path]) -> None:
    """The matrix has the number, protected fields and the check for leakage a missing value."""
    rows = np.arange(300)
    table = read_table(write_table(days=np.where(rows % 5, -rows - 0.5, 365243), age=np.where(rows % 5, rows, -999)))
    card = infer_card(table, Choices("outcome", "number"))

    data = encode_table(table, card)

    assert card.fields["days"].missing == (365243.0,)
    assert (data.X[:, list(card.inputs).index("days")] == 365243.0).sum() == 60
    assert np.isnan(encode_protected(table, card)["age"]).sum() == 60
    assert len(measure_fields(data, card.inputs, 0)) == len(card.inputs)


def test_a_trained_model_file_takes_the_proposed_codes_and_tells_them(
    write_table: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the table to the file; the protected column beside it is told too."""
    rows = np.arange(600)
    path = write_table(600, days=np.where(rows % 5, -rows - 0.5, 365243), SEX=rows % 2 + 1)
    data = ("--data", str(path), "--target", "outcome", "--id", "number", "--model", "logistic")

    train_without_report(*data, "--out", str(tmp_path))

    told = " ".join(capsys.readouterr().out.split())
    assert "days: 365243 counts as missing. 365243 in 120 rows, all others from -599.5 to -1.5: most likely" in told
    assert "If that is a real value: --allow days." in told
    assert "SEX: Not used: sex, which equal-treatment law protects" in told
    model = load_model((tmp_path / "model.onnx").read_bytes())
    fields = {field.name: field for field in model.contract.fields}
    assert fields["days"].missing == (365243.0,)
    assert "SEX" not in fields
    row = np.array([[0.0 if name != "days" else 365243.0 for name in fields]])
    np.testing.assert_array_equal(
        model.score(row).probability, model.score(np.where(row == 365243.0, np.nan, row)).probability
    )


def test_a_field_of_codes_alone_is_refused(write_table: Callable[..., Path]) -> None:
    """As an empty column is."""
    table = read_table(write_table(days=np.full(300, 365243)))
    inferred = infer_card(table, Choices("outcome", "number"))
    field = CardField("Days", "number", nullable=True, reason="Days", missing=(365243.0,))
    card = structs.replace(inferred, fields=inferred.fields | {"days": field})

    with pytest.raises(TrainingError, match=r"'days' .* is empty in all 300 rows"):
        encode_table(table, card)
