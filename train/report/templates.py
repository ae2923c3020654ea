"""The Jinja environment of report.html, drift.html and MODEL_CARD.md, with number formats as filters."""

from __future__ import annotations

from pathlib import Path

import jinja2
from markupsafe import Markup

from model.formatting import (
    format_amount,
    format_count,
    format_decimal,
    format_estimate,
    format_percent,
    format_percent_estimate,
)
from model.stability import FALSE_ALARMS, MODERATE_SHIFT, SIGNIFICANT_SHIFT
from train.report.agreement import RATIO_LIMITS
from train.report.calibration import GATE_CONFIDENCE
from train.report.formatting import format_few, format_money, format_range
from train.report.groups import MIN_GROUP_SIZE

FILTERS = {
    "amount": format_amount,
    "count": format_count,
    "decimal": format_decimal,
    "estimate": format_estimate,
    "few": format_few,
    "money": format_money,
    "percent": format_percent,
    "percent_estimate": format_percent_estimate,
    "svg": Markup,
}
GLOBALS = {
    "false_alarms": FALSE_ALARMS,
    "format_range": format_range,
    "gate_confidence": GATE_CONFIDENCE,
    "min_group_size": MIN_GROUP_SIZE,
    "moderate_shift": MODERATE_SHIFT,
    "ratio_limits": RATIO_LIMITS,
    "significant_shift": SIGNIFICANT_SHIFT,
}
"""Functions and limits that templates of several documents name."""


def make_environment() -> jinja2.Environment:
    """An environment for the templates of this folder: HTML is escaped, an undefined name is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(GLOBALS)
    return environment
