# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Explore data and model
#
# The training table: fields, missing values and default rates; and the partial dependence of the model on each field.
# Everything is read from the dataset card, so that another card works as well. The model is `artifacts/model.onnx`,
# scored by the same code that serves it.

# %%
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

from model.loading import load_model
from train.card import read_card
from train.dataset import encode_table
from train.table import read_table

HERE = Path(__file__).resolve().parent if "__file__" in globals() else Path.cwd()
CARD = HERE.parent / "data" / "credit_data.toml"
MODEL = HERE.parent / "artifacts" / "model.onnx"

card = read_card(CARD)
table = read_table(CARD.parent / card.dataset.path)
data = encode_table(table, card)
frame = pd.DataFrame(data.X, columns=list(card.inputs))
print(f"{card.dataset.name}: {len(frame):,} applications, {data.y.mean():.1%} default")

# %% [markdown]
# ## Fields and missing values

# %%
overview = pd.DataFrame(
    {
        "label": {name: field.label for name, field in card.inputs.items()},
        "kind": {name: field.kind for name, field in card.inputs.items()},
        "missing": frame.isna().sum(),
        "missing share": frame.isna().mean().round(4),
        "values": frame.nunique(),
        "median": frame.median(),
    }
)
print(overview.to_string())


# %% [markdown]
# ## Default rate by field
#
# By level for categories and by quintile for numbers; missing values are a group of their own.


# %%
def group(name: str) -> "pd.Series[str]":
    """The group of each row by one field: its level, its quintile, or 'missing'."""
    values, field = frame[name], card.inputs[name]
    if field.kind == "category":
        return values.map(dict(enumerate(field.levels))).astype(object).fillna("missing")
    return pd.qcut(values, 5, duplicates="drop").astype(object).fillna("missing").astype(str)


by_field = pd.concat(
    {
        name: pd.DataFrame({"group": group(name), "default": data.y}).groupby("group")["default"].agg(["size", "mean"])
        for name in card.inputs
    },
    names=["field"],
).rename(columns={"size": "applications", "mean": "default rate"})
print(by_field.round(3).to_string())

# %%
rates = by_field.reset_index()
alt.Chart(rates).mark_bar().encode(
    x=alt.X("default rate:Q", axis=alt.Axis(format="%")), y=alt.Y("group:N", title=None), tooltip=["applications:Q"]
).properties(width=300).facet("field:N", columns=2).resolve_scale(y="independent")

# %% [markdown]
# ## Partial dependence
#
# The mean probability of 200 applicants when one field is set to each of its values (Friedman 2001, section 8.2):
# numbers between their 1st and 99th percentile, categories at each level.

# %%
model = load_model(MODEL)
sample = data.X[np.random.default_rng(0).choice(len(data.X), 200, replace=False)]


def partial_dependence(column: int, name: str) -> pd.DataFrame:
    """Values of one field and the mean probability at each."""
    field = card.inputs[name]
    if field.kind == "category":
        values, shown = np.arange(len(field.levels), dtype=np.float64), list(field.levels)
    else:
        low, high = np.nanpercentile(data.X[:, column], [1, 99]).tolist()
        values = np.linspace(low, high, 12)
        shown = [f"{value:g}" for value in values.round(1)]
    rows = np.repeat(sample, len(values), axis=0)
    rows[:, column] = np.tile(values, len(sample))
    probability = model.score(rows).probability.reshape(len(sample), len(values)).mean(axis=0)
    return pd.DataFrame({"value": shown, "at": values, "probability": probability})


curves = pd.concat({name: partial_dependence(column, name) for column, name in enumerate(card.inputs)}, names=["field"])
spread = curves.groupby("field", sort=False)["probability"].agg(["min", "max"])
spread["spread"] = spread["max"] - spread["min"]
print(spread.sort_values("spread", ascending=False).round(3).to_string())

# %%
alt.Chart(curves.reset_index()).mark_line(point=True).encode(
    x=alt.X("at:Q", title=None),
    y=alt.Y("probability:Q", axis=alt.Axis(format="%")),
    tooltip=["value:N", "probability:Q"],
).properties(width=250, height=120).facet("field:N", columns=3).resolve_scale(x="independent")
