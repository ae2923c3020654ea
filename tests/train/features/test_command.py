"""python -m train features: from a folder of tables to an artifact, and what is said when that can't be."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model.loading import load_model
from train.__main__ import main
from train.card import read_card

FILES = ["card.toml", "features.dropped.csv", "features.parquet"]
SOME_TABLES = "bureau,previous_application,credit_card"


def run(folder: Path, out: Path, *options: str) -> int:
    """The command, its results in `out`."""
    return main(["features", str(folder), "--out", f"{out}/features.parquet", "--card", f"{out}/card.toml", *options])


def names(folder: Path) -> list[str]:
    """Everything in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def copy(made_up: Path, tmp_path: Path) -> Path:
    """The made-up tables, to be spoiled."""
    return Path(shutil.copytree(made_up, tmp_path / "tables"))


def rewrite(path: Path, **columns: Any) -> None:
    """Replace columns of a CSV file; None removes one."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name, values in columns.items():
        table = table.drop(columns=name) if values is None else table.assign(**{name: values})
    table.to_csv(path, index=False)


@pytest.fixture(scope="module")
def finished(made_up: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves of the made-up tables."""
    out = tmp_path_factory.mktemp("finished")
    assert 0 == run(made_up, out)
    return out


def test_it_leaves_the_features_the_dropped_columns_and_a_card(finished: Path) -> None:
    """Three files, nothing beside them; kept and dropped columns are all there are."""
    assert FILES == names(finished)
    table = pd.read_parquet(finished / "features.parquet")
    dropped = pd.read_csv(finished / "features.dropped.csv")
    fields = read_card(finished / "card.toml").fields

    assert ["SK_ID_CURR", "TARGET", *fields] == list(table.columns)
    assert not set(dropped["dropped"]) & set(fields)
    assert set(dropped["kept"].dropna()) <= set(fields)
    assert table["SK_ID_CURR"].is_monotonic_increasing
    assert {"POS_COUNT", "INSTAL_AMT_PAYMENT_MEAN"} & set(dropped["dropped"])


def test_the_card_is_readable_and_keeps_protected_fields_out(finished: Path) -> None:
    """Each input has a label and a reason in words; gender, family status and age are never inputs."""
    card = read_card(finished / "card.toml")

    assert "Earlier applications here: share of records with outcome 'Refused'" == (
        card.fields["PREV_NAME_CONTRACT_STATUS_Refused_MEAN"].label
    )
    assert "Instalments paid here: average days paid late" == card.inputs["INSTAL_DPD_MEAN"].reason
    assert "decreases" == card.inputs["EXT_SOURCE_2"].risk
    assert not {"CODE_GENDER", "NAME_FAMILY_STATUS", "DAYS_BIRTH", "DAYS_EMPLOYED_PERC"} & set(card.inputs)
    for name, field in card.inputs.items():
        assert name not in field.label
        assert "_" not in field.label.split("'")[0]


def test_tables_become_an_artifact(sample: Path, tmp_path: Path) -> None:
    """The two commands a user types; the artifact holds the fields of the card."""
    assert 0 == run(sample, tmp_path, "--without", SOME_TABLES)

    assert 0 == main([f"{tmp_path}/card.toml", "--model", "logistic", "--out", f"{tmp_path}/artifacts"])

    contract = load_model(tmp_path / "artifacts" / "model.onnx").contract
    assert "home_credit" == contract.name
    assert list(read_card(tmp_path / "card.toml").inputs) == [field.name for field in contract.fields]
    assert {"EXT_SOURCE_2", "OCCUPATION_TYPE", "INSTAL_DPD_MEAN"} <= {field.name for field in contract.fields}


def test_parquet_gives_the_same_features_as_csv(made_up: Path, finished: Path, tmp_path: Path) -> None:
    """Files or folders of parts; NaN and infinity in a column are missing values."""
    tables = tmp_path / "tables"
    for path in made_up.glob("*.csv"):
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
        if path.stem == "bureau":
            (tables / "bureau.parquet").mkdir(parents=True)
            table[:500].to_parquet(tables / "bureau.parquet" / "part-0.parquet")
            table[500:].to_parquet(tables / "bureau.parquet" / "part-1.parquet")
        else:
            tables.mkdir(exist_ok=True)
            table.to_parquet(tables / f"{path.stem}.parquet")

    assert 0 == run(tables, tmp_path)

    expected, actual = (pd.read_parquet(folder / "features.parquet") for folder in (finished, tmp_path))
    pd.testing.assert_frame_equal(expected, actual, rtol=1e-9)


def test_an_existing_card_says_what_is_computed_for_new_applications(
    made_up: Path, finished: Path, copy: Path, tmp_path: Path
) -> None:
    """--like: its fields, in its order, without a target, whatever levels the new tables happen to have."""
    rewrite(copy / "application_train.csv", TARGET=None)
    (copy / "application_train.csv").rename(copy / "application_test.csv")
    rewrite(copy / "POS_CASH_balance.csv", NAME_CONTRACT_STATUS="Never seen before")
    out = tmp_path / "out"
    like = ["--like", f"{finished}/card.toml", "--applications", "application_test"]

    assert 0 == run(copy, out, *like)

    assert ["features.parquet"] == names(out)
    old, new = (pd.read_parquet(folder / "features.parquet") for folder in (finished, out))
    assert [name for name in old.columns if name != "TARGET"] == list(new.columns)
    share = "POS_NAME_CONTRACT_STATUS_Completed_MEAN"
    assert [0.0] == new[share].dropna().unique().tolist()
    same = [name for name in new.columns if not name.startswith("POS_NAME")]
    pd.testing.assert_frame_equal(old[same], new[same], rtol=1e-9)


def test_a_card_that_needs_a_table_left_out_is_refused(
    made_up: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model must not be asked with columns that are silently empty."""
    assert 2 == run(made_up, tmp_path, "--like", f"{finished}/card.toml", "--without", "pos_cash")

    error = capsys.readouterr().err
    assert "can't be computed" in error
    assert "POS_MONTHS_BALANCE_MAX" in error
    assert [] == names(tmp_path)


def test_a_table_left_out_on_purpose_is_no_feature(made_up: Path, copy: Path, tmp_path: Path) -> None:
    """Leaving bureau out leaves its months out too; the others' features are there."""
    for name in ("bureau", "bureau_balance", "credit_card_balance"):
        (copy / f"{name}.csv").unlink()
    out = tmp_path / "out"

    assert 0 == run(copy, out, "--without", "bureau,credit_card")

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
    ("previous_application.csv", {"NAME_PORTFOLIO": [str(i) for i in range(10**6)]}, ["expected a category"]),
]


@pytest.mark.parametrize(("file", "columns", "words"), BROKEN, ids=[" ".join(row[2][:1]) for row in BROKEN])
def test_what_cant_be_computed_gets_one_sentence_and_no_file(
    file: str,
    columns: dict[str, Any] | None,
    words: list[str],
    copy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The file or column, and what depends on it; exit code 2, nothing written, nothing left behind."""
    if columns is None:
        (copy / file).unlink()
    else:
        rows = len(pd.read_csv(copy / file, usecols=[0]))
        cut = {name: values[:rows] if isinstance(values, list) else values for name, values in columns.items()}
        rewrite(copy / file, **cut)
    out = tmp_path / "out"

    assert 2 == run(copy, out)

    error = capsys.readouterr().err
    assert 1 == len(error.strip().splitlines())
    for word in words:
        assert word in error
    assert [] == names(out)


def test_an_absent_column_that_is_only_itself_a_feature_is_told(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else depends on it, so that the rest is computed; a column nobody knows isn't used."""
    rewrite(copy / "application_train.csv", OWN_CAR_AGE=None, SHOE_SIZE="42")

    assert 0 == run(copy, tmp_path / "out", "--without", SOME_TABLES)

    said = capsys.readouterr().out
    assert "has no OWN_CAR_AGE" in said
    assert "not used: SHOE_SIZE" in said
    assert "OWN_CAR_AGE" not in read_card(tmp_path / "out" / "card.toml").fields


def test_an_edited_card_is_never_replaced_but_an_unedited_one_is(
    made_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said before anything is computed."""
    card = tmp_path / "card.toml"
    assert 0 == run(made_up, tmp_path, "--without", SOME_TABLES)
    first = card.read_bytes()
    assert 0 == run(made_up, tmp_path, "--without", SOME_TABLES)
    assert first == card.read_bytes()
    card.write_bytes(first.replace(b'"Occupation"', b'"Trade"'))

    assert 2 == run(made_up, tmp_path, "--without", SOME_TABLES)

    assert "was edited" in capsys.readouterr().err
    assert b'"Trade"' in card.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--memory", "much"], "--memory 'much'"), (["--like", "nowhere.toml"], "can't read the card nowhere.toml")],
)
def test_options_that_cant_be_used_are_named(
    options: list[str], message: str, made_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was given."""
    assert 2 == run(made_up, tmp_path, *options)

    assert message in capsys.readouterr().err
    assert [] == names(tmp_path)


def test_an_unknown_table_to_leave_out_is_refused_with_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """argparse's own exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path, tmp_path, "--without", "cards")
    assert "previous_application,pos_cash,installments,credit_card" in capsys.readouterr().err


def test_a_folder_that_isnt_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rather than the first of its files."""
    assert 2 == run(tmp_path / "nowhere", tmp_path)

    assert "can't find the folder" in capsys.readouterr().err
