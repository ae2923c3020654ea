"""The Home Credit features in pandas: the baseline of benchmarks/features.py and the reference of the tests.

An independent implementation, table by table in memory, which shares no code with train/features.
`python -m benchmarks.pandas_features DIR OUT.parquet` also drops near-duplicate columns and writes the result.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

KEY = "SK_ID_CURR"
Aggregations = dict[str, list[str]]

BUREAU: Aggregations = {
    "DAYS_CREDIT": ["min", "max", "mean", "var"],
    "DAYS_CREDIT_ENDDATE": ["min", "max", "mean"],
    "DAYS_CREDIT_UPDATE": ["mean"],
    "CREDIT_DAY_OVERDUE": ["max", "mean"],
    "AMT_CREDIT_MAX_OVERDUE": ["mean"],
    "AMT_CREDIT_SUM": ["max", "mean", "sum"],
    "AMT_CREDIT_SUM_DEBT": ["max", "mean", "sum"],
    "AMT_CREDIT_SUM_OVERDUE": ["mean"],
    "AMT_CREDIT_SUM_LIMIT": ["mean", "sum"],
    "AMT_ANNUITY": ["max", "mean"],
    "CNT_CREDIT_PROLONG": ["sum"],
    "MONTHS_BALANCE_MIN": ["min"],
    "MONTHS_BALANCE_MAX": ["max"],
    "MONTHS_BALANCE_SIZE": ["mean", "sum"],
}
RANGE = ["min", "max", "mean"]
PREVIOUS: Aggregations = {
    "AMT_ANNUITY": RANGE,
    "AMT_APPLICATION": RANGE,
    "AMT_CREDIT": RANGE,
    "APP_CREDIT_PERC": ["min", "max", "mean", "var"],
    "AMT_DOWN_PAYMENT": RANGE,
    "AMT_GOODS_PRICE": RANGE,
    "HOUR_APPR_PROCESS_START": RANGE,
    "RATE_DOWN_PAYMENT": RANGE,
    "DAYS_DECISION": RANGE,
    "CNT_PAYMENT": ["mean", "sum"],
}
POS: Aggregations = {
    "MONTHS_BALANCE": ["max", "mean", "size"],
    "SK_DPD": ["max", "mean"],
    "SK_DPD_DEF": ["max", "mean"],
}
INSTALLMENTS: Aggregations = {
    "NUM_INSTALMENT_VERSION": ["nunique"],
    "DPD": ["max", "mean", "sum"],
    "DBD": ["max", "mean", "sum"],
    "PAYMENT_PERC": ["max", "mean", "sum", "var"],
    "PAYMENT_DIFF": ["max", "mean", "sum", "var"],
    "AMT_INSTALMENT": ["max", "mean", "sum"],
    "AMT_PAYMENT": ["min", "max", "mean", "sum"],
    "DAYS_ENTRY_PAYMENT": ["max", "mean", "sum"],
}


def compute(folder: Path) -> pd.DataFrame:
    """Compute every feature from the CSV files in a folder; the index is SK_ID_CURR, sorted."""
    table = application(folder)
    for features in (bureau, previous_application, pos_cash, installments, credit_card):
        table = table.join(features(folder))
    return table.sort_index()


def application(folder: Path) -> pd.DataFrame:
    """The columns of application_train and ratios of them; categories unchanged."""
    table = read(folder, "application_train")
    # copy() joins the blocks that read_csv leaves, one a column; adding columns to those raises a PerformanceWarning.
    table = table[table["CODE_GENDER"] != "XNA"].set_index(KEY).copy()
    table["DAYS_EMPLOYED"] = table["DAYS_EMPLOYED"].replace(365243, float("nan"))
    table["DAYS_EMPLOYED_PERC"] = table["DAYS_EMPLOYED"] / table["DAYS_BIRTH"]
    table["INCOME_CREDIT_PERC"] = table["AMT_INCOME_TOTAL"] / table["AMT_CREDIT"]
    table["INCOME_PER_PERSON"] = table["AMT_INCOME_TOTAL"] / table["CNT_FAM_MEMBERS"]
    table["ANNUITY_INCOME_PERC"] = table["AMT_ANNUITY"] / table["AMT_INCOME_TOTAL"]
    table["PAYMENT_RATE"] = table["AMT_ANNUITY"] / table["AMT_CREDIT"]
    return table


def bureau(folder: Path) -> pd.DataFrame:
    """Months aggregated to credits, credits to applicants: all, active and closed ones."""
    months, states = one_hot(read(folder, "bureau_balance"))
    months = aggregate(months, "SK_ID_BUREAU", "", {"MONTHS_BALANCE": ["min", "max", "size"]} | mean_of(states))
    credits, shares = one_hot(read(folder, "bureau"))
    credits = credits.join(months, on="SK_ID_BUREAU")
    shares += [f"{state}_MEAN" for state in states]
    active, closed = credits[credits["CREDIT_ACTIVE_Active"]], credits[credits["CREDIT_ACTIVE_Closed"]]
    table = aggregate(credits, KEY, "BURO_", BUREAU | mean_of(shares))
    return table.join([aggregate(active, KEY, "ACTIVE_", BUREAU), aggregate(closed, KEY, "CLOSED_", BUREAU)])


def previous_application(folder: Path) -> pd.DataFrame:
    """Previous applications: all, approved and refused ones."""
    table, shares = one_hot(read(folder, "previous_application"))
    table["APP_CREDIT_PERC"] = finite(table["AMT_APPLICATION"] / table["AMT_CREDIT"])
    approved, refused = table[table["NAME_CONTRACT_STATUS_Approved"]], table[table["NAME_CONTRACT_STATUS_Refused"]]
    features = aggregate(table, KEY, "PREV_", PREVIOUS | mean_of(shares))
    return features.join(
        [aggregate(approved, KEY, "APPROVED_", PREVIOUS), aggregate(refused, KEY, "REFUSED_", PREVIOUS)]
    )


def pos_cash(folder: Path) -> pd.DataFrame:
    """Monthly balances of point-of-sale and cash loans."""
    table, shares = one_hot(read(folder, "POS_CASH_balance"))
    features = aggregate(table, KEY, "POS_", POS | mean_of(shares))
    return features.assign(POS_COUNT=table.groupby(KEY).size())


def installments(folder: Path) -> pd.DataFrame:
    """Days past due and before due, payment ratios and differences."""
    table = read(folder, "installments_payments")
    table["PAYMENT_PERC"] = finite(table["AMT_PAYMENT"] / table["AMT_INSTALMENT"])
    table["PAYMENT_DIFF"] = table["AMT_INSTALMENT"] - table["AMT_PAYMENT"]
    table["DPD"] = (table["DAYS_ENTRY_PAYMENT"] - table["DAYS_INSTALMENT"]).clip(lower=0)
    table["DBD"] = (table["DAYS_INSTALMENT"] - table["DAYS_ENTRY_PAYMENT"]).clip(lower=0)
    return aggregate(table, KEY, "INSTAL_", INSTALLMENTS).assign(INSTAL_COUNT=table.groupby(KEY).size())


def credit_card(folder: Path) -> pd.DataFrame:
    """Five statistics of every column of the monthly card balances."""
    table, shares = one_hot(read(folder, "credit_card_balance"))
    numbers = [name for name in table.columns if name not in ("SK_ID_PREV", KEY)]
    table[shares] = table[shares].astype(float)
    features = aggregate(table, KEY, "CC_", {name: ["min", "max", "mean", "sum", "var"] for name in numbers})
    return features.assign(CC_COUNT=table.groupby(KEY).size())


def read(folder: Path, name: str) -> pd.DataFrame:
    """Read a CSV file; only an empty cell is missing."""
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])


def one_hot(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One-hot encode the text columns, missing being a level; also returns the names of the new columns."""
    texts = list(table.select_dtypes(exclude="number").columns)
    parts = [pd.get_dummies(table[text], prefix=text, dummy_na=bool(table[text].isna().any())) for text in texts]
    names = [str(name) for part in parts for name in part.columns]
    return pd.concat([table.drop(columns=texts), *parts], axis=1), names


def aggregate(table: pd.DataFrame, key: str, prefix: str, aggregations: Aggregations) -> pd.DataFrame:
    """Aggregate to one row for each key; a sum without a known value is missing."""
    groups = table.groupby(key)
    columns = {}
    for name, statistics in aggregations.items():
        for statistic in statistics:
            group = groups[name]
            values = group.sum(min_count=1) if statistic == "sum" else group.agg(statistic)
            columns[f"{prefix}{name}_{statistic.upper()}"] = values.astype(float)
    return pd.DataFrame(columns)


def mean_of(names: list[str]) -> Aggregations:
    """Aggregations that take the mean of each column."""
    return {name: ["mean"] for name in names}


def finite(values: pd.Series[float]) -> pd.Series[float]:
    """Replace infinities by missing values."""
    return values.where(values.abs() != float("inf"))


def drop_near_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Drop each column whose absolute correlation with an earlier one is above 0.98."""
    r = table.corr(numeric_only=True).abs()
    upper = r.where(np.triu(np.ones(r.shape, dtype=bool), 1))
    return table.drop(columns=[name for name in upper.columns if (upper[name] > 0.98).any()])


if __name__ == "__main__":
    drop_near_duplicates(compute(Path(sys.argv[1]))).to_parquet(sys.argv[2])
