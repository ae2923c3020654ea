# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Try the API
#
# Posts applicants of the hold-out table to the service and shows the responses. Start the service first (`make serve`),
# or set `CREDIT_API_URL` and `CREDIT_API_KEY` for another one. Open this file in VS Code, convert it for Jupyter with
# `jupytext --to notebook`, or run it: `python notebooks/try_the_api.py`.

# %%
import os
from pathlib import Path

import httpx
import pandas as pd

HERE = Path(__file__).resolve().parent if "__file__" in globals() else Path.cwd()
key = os.environ.get("CREDIT_API_KEY")
api = httpx.Client(
    base_url=os.environ.get("CREDIT_API_URL", "http://127.0.0.1:8000"),
    headers={"Authorization": f"Bearer {key}"} if key else {},
    timeout=30,
)

# %% [markdown]
# `GET /model`: the fields of the model and the thresholds of its policy.

# %%
model = api.get("/model").raise_for_status().json()
fields = pd.DataFrame(model["fields"]).set_index("name")[["label", "unit", "kind", "minimum", "maximum", "nullable"]]
print(f"{model['name']} {model['version']}, refuses from a probability of {model['policy']['refuse_from']:.3f} on\n")
print(fields.to_string())

# %% [markdown]
# Ten applicants of the hold-out; a missing value is `null`.

# %%
table = pd.read_csv(HERE.parent / "data" / f"{model['name']}_holdout.csv")
drawn = table.sample(10, random_state=0)[list(fields.index)].astype(object)
applicants = drawn.where(drawn.notna(), None).to_dict("records")

# %%
answer = api.post("/score", json={"applicants": applicants, "reasons": 3, "what_would_change": True}).raise_for_status()
results = pd.DataFrame(answer.json()["results"])
results["reasons"] = ["; ".join(reason["text"] for reason in reasons) for reasons in results["reasons"]]
results["would change it"] = [
    "; ".join(f"{change['label']}: {change['to']}" for change in changes) if isinstance(changes, list) else ""
    for changes in results["what_would_change"]
]
print(results[["decision", "probability", "points", "reasons", "would change it"]].to_string())

# %% [markdown]
# `POST /predict` takes the same applicants as rows in the order of the fields, with a category as the index of its
# level, and returns the same probabilities, without decisions and reasons.

# %%
levels = {field["name"]: field["levels"] for field in model["fields"] if field["kind"] == "category"}
rows = [
    [levels[name].index(value) if name in levels and value is not None else value for name, value in applicant.items()]
    for applicant in applicants
]
probabilities = api.post("/predict", json={"data": rows}).raise_for_status().json()
largest = max(abs(a - b) for a, b in zip(probabilities, results["probability"], strict=True))
print(f"/predict and /score differ by at most {largest}")

# %% [markdown]
# The response to an invalid body lists every error with a JSON pointer.

# %%
rejected = api.post("/score", json={"applicants": [applicants[0] | {fields.index[0]: "much", "unknown": 1}]})
print(rejected.status_code)
for error in rejected.json()["errors"]:
    print(f"{error['pointer']}: {error['detail']}")
