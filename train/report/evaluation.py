"""evaluation.json: the figures of `python -m train evaluate`, for programs; the page shows the same ones.

The layout may grow; a key that is there keeps its meaning, or FORMAT is raised.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec
import numpy as np

from train.report.findings import Findings
from train.report.samples import Sample
from train.report.verdict import Verdict
from train.table import Table

FORMAT = 1

ROWS = {"y", "probability", "weight"}
"""What a sample has of each applicant; it isn't written."""


def render_figures(findings: Findings, verdict: Verdict, table: Table, n_rows: int) -> bytes:
    """The figures as indented JSON; NaN and infinite ones are null. `n_rows`: of the whole table."""
    content = {
        "format": FORMAT,
        "model": {
            "name": findings.contract.name,
            "version": findings.contract.version,
            "sha256": findings.sha256,
        },
        "data": {
            "file": table.path.name,
            "sha256": table.sha256,
            "rows": n_rows,
            "evaluated": findings.gate.count,
            "default_rate": findings.gate.default_rate,
        },
        "verdict": verdict,
        "samples": [_describe(sample) for sample in findings.samples],
        "fairness": findings.fairness,
        "segments": findings.segments,
        "periods": findings.periods,
        "directions": findings.directions,
        "importance": {effect.field.name: effect.importance for effect in findings.effects},
        "shifts": findings.shifts,
    }
    encoded = msgspec.json.encode(content, enc_hook=_to_python)
    return msgspec.json.format(encoded, indent=1) + b"\n"


def _describe(sample: Sample) -> dict[str, Any]:
    return {one.name: getattr(sample, one.name) for one in fields(sample) if one.name not in ROWS}


def _to_python(figures: Any) -> Any:
    if isinstance(figures, np.ndarray | np.generic):
        return figures.tolist()
    raise NotImplementedError(f"no JSON for {type(figures)}")
