"""Durations: numbers of days from one column of dates to another, the only way in which dates become inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from train.card import Card
from train.errors import TrainingError
from train.table import Table
from train.time_formats import format_day
from train.times import read_dates, read_times


def add_durations(table: Table, card: Card, *, may_exist: bool = False) -> Table:
    """The table with a column for each field with `from` and `to`: float64, NaN where a date is missing.

    Below 0 if the dates are reversed. Raises TrainingError for a cell that is no date, a date after the time of its
    row (if the table has it), or a column with the name of such a field. Where fields `may_exist` such a column stays,
    and a field that is no input is left out if its dates are absent.
    """
    columns = {}
    for name, field in card.fields.items():
        if field.start is None or field.end is None or (may_exist and name in table.names):
            continue
        if name in table.names:
            raise TrainingError(
                f"the duration {name!r} of the card is also a column of {table.path}; give the field another name"
            )
        if may_exist and not field.use and not {field.start, field.end} <= set(table.names):
            continue
        start, end = (_read_known(table, card, name, column) for column in (field.start, field.end))
        columns[name] = end - start
    return replace(table, cells=table.cells.assign(**columns)) if columns else table


def _read_known(table: Table, card: Card, name: str, column: str) -> npt.NDArray[np.float64]:
    """A column of dates; raises TrainingError if one is after the time of its row."""
    role, dataset = f"the date of the duration {name!r}", card.dataset
    if column == dataset.time:
        return read_times(table, column, dataset.time_format).days.astype(np.float64)
    dates = read_dates(table, column, role, dataset.time_format)
    if dataset.time is not None and dataset.time in table.names:
        times = read_times(table, dataset.time, dataset.time_format)
        is_later = dates > times.ends
        if is_later.any():
            row = int(is_later.argmax())
            raise TrainingError(
                f"{role}, {column!r}, wasn't known at application in {int(is_later.sum()):,} rows of {table.path}, "
                f"first in {table.line(row)}: it is {format_day(int(dates[row]))}, after the time of the row, "
                f"{format_day(int(times.days[row]))}; take another date, or leave the field out"
            )
    return dates
