"""python -m train features: files, notes and errors."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model.loading import load_model
from tests.train.conftest import train_without_report
from train.__main__ import main
from train.card import read_card

FILES = ["card.toml", "features.dropped.csv", "features.parquet"]
SOME_TABLES = "bureau,previous_application,credit_card"


def run(folder: Path, out: Path, *options: str) -> int:
    """Run the command with its results in `out`; the exit code."""
    return main(["features", str(folder), "--out", f"{out}/features.parquet", "--card", f"{out}/card.toml", *options])


def names(folder: Path) -> list[str]:
    """All names in a folder, including hidden files."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def copy(synthetic: Path, tmp_path: Path) -> Path:
    """A copy of the synthetic tables that a test may change."""
    return Path(shutil.copytree(synthetic, tmp_path / "tables"))


def rewrite(path: Path, **columns: Any) -> None:
    """Replace columns of a CSV file; None removes one."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name, values in columns.items():
        table = table.drop(columns=name) if values is None else table.assign(**{name: values})
    table.to_csv(path, index=False)


@pytest.fixture(scope="module")
def finished(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results for the synthetic tables."""
    out = tmp_path_factory.mktemp("finished")
    assert run(synthetic, out) == 0
    return out


def test_it_writes_the_features_the_dropped_columns_and_a_card(finished: Path) -> None:
    """Exactly three files; each dropped column names a kept one."""
    assert names(finished) == FILES
    table = pd.read_parquet(finished / "features.parquet")
    dropped = pd.read_csv(finished / "features.dropped.csv")
    fields = read_card(finished / "card.toml").fields

    assert list(table.columns) == ["SK_ID_CURR", "TARGET", *fields]
    assert not set(dropped["dropped"]) & set(fields)
    assert set(dropped["kept"].dropna()) <= set(fields)
    assert table["SK_ID_CURR"].is_monotonic_increasing
    assert {"POS_COUNT", "INSTAL_AMT_PAYMENT_MEAN"} & set(dropped["dropped"])


def test_the_card_has_labels_and_no_protected_inputs(finished: Path) -> None:
    """Labels and reasons don't contain column names; gender, family status and age are no inputs."""
    card = read_card(finished / "card.toml")

    assert (
        card.fields["PREV_NAME_CONTRACT_STATUS_Refused_MEAN"].label
    ) == "Earlier applications here: share of records with outcome 'Refused'"
    assert card.inputs["INSTAL_DPD_MEAN"].reason == "Instalments paid here: average days paid late"
    assert card.inputs["EXT_SOURCE_2"].risk == "decreases"
    assert not {"CODE_GENDER", "NAME_FAMILY_STATUS", "DAYS_BIRTH", "DAYS_EMPLOYED_PERC"} & set(card.inputs)
    for name, field in card.inputs.items():
        assert name not in field.label
        assert "_" not in field.label.split("'")[0]


def test_tables_become_an_artifact(tables: Path, tmp_path: Path) -> None:
    """features, then training; the artifact has the fields of the card."""
    assert run(tables, tmp_path, "--without", SOME_TABLES) == 0

    train_without_report(f"{tmp_path}/card.toml", "--model", "logistic", "--out", f"{tmp_path}/artifacts")

    contract = load_model(tmp_path / "artifacts" / "model.onnx").contract
    assert contract.name == "home_credit"
    assert list(read_card(tmp_path / "card.toml").inputs) == [field.name for field in contract.fields]
    assert {"EXT_SOURCE_2", "OCCUPATION_TYPE", "INSTAL_DPD_MEAN"} <= {field.name for field in contract.fields}


def test_parquet_gives_the_same_features_as_csv(synthetic: Path, finished: Path, tmp_path: Path) -> None:
    """As a file or as a folder of parts."""
    tables = tmp_path / "tables"
    for path in synthetic.glob("*.csv"):
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
        if path.stem == "bureau":
            (tables / "bureau.parquet").mkdir(parents=True)
            table[:500].to_parquet(tables / "bureau.parquet" / "part-0.parquet")
            table[500:].to_parquet(tables / "bureau.parquet" / "part-1.parquet")
        else:
            tables.mkdir(exist_ok=True)
            table.to_parquet(tables / f"{path.stem}.parquet")

    assert run(tables, tmp_path) == 0

    expected, actual = (pd.read_parquet(folder / "features.parquet") for folder in (finished, tmp_path))
    pd.testing.assert_frame_equal(actual, expected, rtol=1e-9)


def test_like_computes_the_fields_of_an_existing_card(
    synthetic: Path, finished: Path, copy: Path, tmp_path: Path
) -> None:
    """In its order, without a target, whatever levels the new tables have."""
    rewrite(copy / "application_train.csv", TARGET=None)
    (copy / "application_train.csv").rename(copy / "application_test.csv")
    rewrite(copy / "POS_CASH_balance.csv", NAME_CONTRACT_STATUS="Never seen before")
    out = tmp_path / "out"
    like = ["--like", f"{finished}/card.toml", "--applications", "application_test"]

    assert run(copy, out, *like) == 0

    assert names(out) == ["features.parquet"]
    old, new = (pd.read_parquet(folder / "features.parquet") for folder in (finished, out))
    assert [name for name in old.columns if name != "TARGET"] == list(new.columns)
    share = "POS_NAME_CONTRACT_STATUS_Completed_MEAN"
    assert new[share].dropna().unique().tolist() == [0.0]
    same = [name for name in new.columns if not name.startswith("POS_NAME")]
    pd.testing.assert_frame_equal(old[same], new[same], rtol=1e-9)


def test_like_needs_the_tables_of_the_cards_fields(
    synthetic: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field of a table that is left out is an error, not an empty column."""
    assert run(synthetic, tmp_path, "--like", f"{finished}/card.toml", "--without", "pos_cash") == 2

    error = capsys.readouterr().err
    assert "can't be computed" in error
    assert "POS_MONTHS_BALANCE_MAX" in error
    assert names(tmp_path) == []


def test_a_table_that_is_left_out_gives_no_features(synthetic: Path, copy: Path, tmp_path: Path) -> None:
    """Leaving out bureau leaves out bureau_balance too."""
    for name in ("bureau", "bureau_balance", "credit_card_balance"):
        (copy / f"{name}.csv").unlink()
    out = tmp_path / "out"

    assert run(copy, out, "--without", "bureau,credit_card") == 0

    columns = set(pd.read_parquet(out / "features.parquet").columns)
    assert "PREV_DAYS_DECISION_MEAN" in columns
    assert not [name for name in columns if name.startswith(("BURO_", "ACTIVE_", "CLOSED_", "CC_"))]


BROKEN: list[tuple[str, dict[str, Any] | None, list[str]]] = [
    ("credit_card_balance.csv", None, ["has no credit_card_balance.csv", "CC_…", "--without credit_card"]),
    ("bureau_balance.csv", None, ["has no bureau_balance.csv", "BURO_…", "--without bureau_balance"]),
    ("application_train.csv", None, ["has no application_train.csv", "all features"]),
    ("bureau.csv", {"AMT_ANNUITY": None}, ["no column 'AMT_ANNUITY'", "ACTIVE_AMT_ANNUITY_MAX"]),
    ("bureau.csv", {"SK_ID_BUREAU": None}, ["no column 'SK_ID_BUREAU'", "bureau_balance"]),
    ("installments_payments.csv", {"AMT_PAYMENT": None}, ["no column 'AMT_PAYMENT'", "INSTAL_PAYMENT_PERC_MAX"]),
    ("POS_CASH_balance.csv", {"SK_ID_CURR": None}, ["no column 'SK_ID_CURR'", "POS_SK_DPD_MAX"]),
    ("application_train.csv", {"TARGET": None}, ["no column 'TARGET'", "--like CARD"]),
    ("application_train.csv", {"AMT_CREDIT": None}, ["no column 'AMT_CREDIT'", "PAYMENT_RATE"]),
    ("POS_CASH_balance.csv", {"SK_DPD": "late"}, ["POS_CASH_balance.csv", "late"]),
    ("previous_application.csv", {"NAME_PORTFOLIO": [str(i) for i in range(10**5)]}, ["expected a category"]),
]


@pytest.mark.parametrize(("file", "columns", "words"), BROKEN, ids=[" ".join(row[2][:1]) for row in BROKEN])
def test_invalid_tables_are_refused(
    file: str,
    columns: dict[str, Any] | None,
    words: list[str],
    copy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line names the file or column and what depends on it; exit code 2, and no file remains."""
    if columns is None:
        (copy / file).unlink()
    else:
        rows = len(pd.read_csv(copy / file, usecols=[0]))
        cut = {name: values[:rows] if isinstance(values, list) else values for name, values in columns.items()}
        rewrite(copy / file, **cut)
    out = tmp_path / "out"

    assert run(copy, out) == 2

    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    for word in words:
        assert word in error
    assert names(out) == []


def test_absent_optional_and_unknown_columns_are_noted(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other features are computed."""
    rewrite(copy / "application_train.csv", OWN_CAR_AGE=None, SHOE_SIZE="42")

    assert run(copy, tmp_path / "out", "--without", SOME_TABLES) == 0

    printed = capsys.readouterr().out
    assert "has no OWN_CAR_AGE" in printed
    assert "which are not used: SHOE_SIZE" in printed
    assert "OWN_CAR_AGE" not in read_card(tmp_path / "out" / "card.toml").fields


def test_an_edited_card_is_never_replaced_but_an_unedited_one_is(
    synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and the edit is kept."""
    card = tmp_path / "card.toml"
    assert run(synthetic, tmp_path, "--without", SOME_TABLES) == 0
    first = card.read_bytes()
    assert run(synthetic, tmp_path, "--without", SOME_TABLES) == 0
    assert first == card.read_bytes()
    card.write_bytes(first.replace(b'"Occupation"', b'"Trade"'))

    assert run(synthetic, tmp_path, "--without", SOME_TABLES) == 2

    assert "was edited" in capsys.readouterr().err
    assert b'"Trade"' in card.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--memory", "much"], "--memory 'much'"), (["--like", "nowhere.toml"], "can't read the card nowhere.toml")],
)
def test_invalid_options_are_refused(
    options: list[str], message: str, synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message gives option and value."""
    assert run(synthetic, tmp_path, *options) == 2

    assert message in capsys.readouterr().err
    assert names(tmp_path) == []


def test_leaving_out_an_unknown_table_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists the known tables; exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path, tmp_path, "--without", "cards")
    assert "previous_application,pos_cash,installments,credit_card" in capsys.readouterr().err


def test_a_missing_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the folder."""
    assert run(tmp_path / "nowhere", tmp_path) == 2

    assert "can't find the folder" in capsys.readouterr().err
