"""Hooks of schemathesis: bodies that are no JSON, and requests drawn without steering."""

from __future__ import annotations

import csv
import io
import os
from functools import cache
from typing import Any

import httpx
import hypothesis
import schemathesis
from hypothesis import strategies as st

URL = "CREDIT_SOAK_URL"
"""Environment variable: where the service under test is."""


@cache
def fields() -> list[dict[str, Any]]:
    """What the service's model takes."""
    known: list[dict[str, Any]] = httpx.get(f"{os.environ[URL]}/model", trust_env=False).json()["fields"]
    return known


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """CSV tables of applicants as the service's own model has them."""
    columns = {
        field["name"]: st.sampled_from(field["levels"])
        if field["kind"] == "category"
        else st.floats(-1e100, 1e100).map(repr)
        for field in fields()
    }
    gaps = {field["name"] for field in fields() if field["nullable"]}
    cells = [st.just("") | column if name in gaps else column for name, column in columns.items()]
    rows = draw(st.lists(st.tuples(*cells), min_size=1, max_size=3))
    sheet = io.StringIO()
    csv.writer(sheet, delimiter=draw(st.sampled_from(",;"))).writerows([list(columns), *rows])
    return sheet.getvalue().encode()


schemathesis.openapi.media_type("text/csv", tables())


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Take the document's own table out: tests/serve/test_openapi.py sends it, tables drawn here can be bytes only."""
    del raw_schema["paths"]["/score"]["post"]["requestBody"]["content"]["text/csv"]["example"]


# schemathesis steers each next request towards those that were accepted. Hypothesis searches so long for such a request
# that a run makes a tenth of the requests in the same time; drawn freely, half of them are accepted anyway.
hypothesis.target = lambda observation, *, label="": observation
