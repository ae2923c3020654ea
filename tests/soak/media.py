"""Hooks of schemathesis: bodies of other media types than JSON, and purely random requests."""

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
"""Environment variable with the URL of the service under test."""


@cache
def fields() -> list[dict[str, Any]]:
    """The fields of the service's model."""
    known: list[dict[str, Any]] = httpx.get(f"{os.environ[URL]}/model", trust_env=False).json()["fields"]
    return known


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """CSV tables of random applicants."""
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
    """Remove the CSV examples of the document, of which schemathesis could only make random bytes."""
    for path in ("/score", "/applicants"):
        del raw_schema["paths"][path]["post"]["requestBody"]["content"]["text/csv"]["example"]


# schemathesis steers each next request towards those that were accepted. Hypothesis searches so long for such a request
# that a run makes a tenth of the requests in the same time; drawn freely, half of them are accepted anyway.
hypothesis.target = lambda observation, *, label="": observation
