"""Ids are found by name and content, counts aren't."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.card_inference import Choices, infer_card
from train.card_notes import advise, list_columns
from train.identifiers import MIN_DISTINCT, explain_identifier
from train.table import read_table

ROWS = 2_000
NAMES = Path(__file__).parent / "protected_names.csv"
IDS = (
    *("id", "Loan_ID", "LoanNr", "LoanNr_ChkDgt", "customer_id", "BorrowerID", "SK_ID_CURR", "member_id", "loanid"),
    *("kundennummer", "Kunden-Nr", "loan_no", "AccountNumber", "Account No.", "numero de contrato", "NumDossier"),
    *("uuid", "ListingKey", "vertragsnummer", "application number", "client_identifier"),
)
COUNTS = (
    *("number_of_dependents", "no_of_loans", "CNT_CHILDREN", "NumberOfOpenCreditLines", "num_credit_lines", "CLNO"),
    *("NoEmp", "number_of_customers", "DAYS_ID_PUBLISH", "paid", "account_length", "NumberOfShares", "loan_count"),
)
"""Those of other meanings, whatever their content."""


def explain(name: str, values: Iterable[object]) -> str:
    """Why a column of texts with these values is an id."""
    return explain_identifier(name, pd.Series([str(value) for value in values]), ".")


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("per_row", [1, 3])
def test_ids_are_found_and_told_with_what_to_do(name: str, per_row: int) -> None:
    """In several languages, of each row or of a few, as numbers or as texts."""
    numbers = np.random.default_rng(0).permutation(ROWS) // per_row + 100_000

    why = explain(name, numbers)

    assert f"with {len(set(numbers)):,} distinct values in 2,000 rows" in why
    assert "--id" in why
    assert "--group" in why
    assert explain(name, (f"LP{number}" for number in numbers))


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("distinct", [5, 700, ROWS])
def test_numbers_of_things_are_none(name: str, distinct: int) -> None:
    """However many distinct ones there are."""
    assert not explain(name, np.random.default_rng(0).permutation(ROWS) % distinct)


@given(name=st.sampled_from(IDS), distinct=st.integers(2, MIN_DISTINCT), start=st.integers(-100, 100_000))
def test_codes_of_a_few_levels_stay_inputs(name: str, distinct: int, start: int) -> None:
    """Whatever their name: a family status may be written as its id."""
    assert not explain(name, np.arange(ROWS) % distinct + start)


@pytest.mark.parametrize("values", [-np.arange(ROWS), np.arange(ROWS) + 0.5])
def test_quantities_are_no_ids(values: np.ndarray) -> None:
    """Numbers below 0, or with a fraction."""
    assert not explain("customer_id", values)


def test_names_of_public_tables_with_few_values_raise_no_alarm() -> None:
    """Of the fields that models use."""
    names = [row["name"] for row in csv.DictReader(NAMES.read_text().splitlines())]
    values = np.random.default_rng(0).permutation(ROWS) % 60 - 1

    assert [name for name in names if explain(name, values)] == []


def test_an_id_is_no_input_unless_allowed(write_table: Callable[..., Path]) -> None:
    """And told; floats of Parquet are read as whole numbers."""
    table = read_table(write_table(BorrowerID=np.random.default_rng(0).permutation(300) // 2 + 1_000))
    floats = explain_identifier("BorrowerID", table.cells["BorrowerID"].astype(float), ".")

    card = infer_card(table, Choices("outcome", "number"))
    kept = infer_card(table, Choices("outcome", "number", allowed=frozenset({"BorrowerID"})))

    assert list_columns(card, table)["BorrowerID"] == f"Not used: {floats}."
    assert "BorrowerID" not in card.inputs
    assert advise("BorrowerID", card.fields["BorrowerID"], is_inferred=True) == (
        " --allow BorrowerID keeps it as an input."
    )
    assert kept.inputs["BorrowerID"].kind == "number"
