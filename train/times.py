"""Reading a column of times or dates, in the one form that fits all of its cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from train.errors import TrainingError, shorten
from train.table import Table, find_missing
from train.target import Labels
from train.time_formats import FORMATS, TimeFormat, format_day, make_format

EXAMPLES = "2006-04-01, 31/12/2006, 28-Feb-97, 2006-04, Apr-2006, 200604, 2006Q1 or 2006"


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times; `days`: int64, shape (n,), days since 1970 of the first day of each; `unit`: day to year."""

    days: Labels
    unit: str

    @property
    def ends(self) -> Labels:
        """The last day of each day, month, quarter or year, int64, shape (n,)."""
        months = {"day": 0, "month": 1, "quarter": 3, "year": 12}[self.unit]
        if not months:
            return self.days
        begun = self.days.astype("datetime64[D]").astype("datetime64[M]")
        return (begun + months).astype("datetime64[D]").astype(np.int64) - 1


def read_times(table: Table, name: str, time_format: str | None = None, role: str = "the time") -> Times:
    """Read a column of times without missing cells.

    Raises TrainingError for an empty cell, one of another form than the others, or several forms that fit all.
    """
    days, unit = _read(table, name, role, time_format, is_only=True)
    missing = np.isnan(days)
    if missing.any():
        raise TrainingError(
            f"{role} {name!r} is empty in {int(missing.sum()):,} rows of {table.path}, first in "
            f"{table.line(int(missing.argmax()))}; every row needs one: fill it, or leave these rows out"
        )
    return Times(days.astype(np.int64), unit)


def read_dates(
    table: Table, name: str, role: str, time_format: str | None = None, *, is_only: bool = False
) -> npt.NDArray[np.float64]:
    """A column of dates as days since 1970, float64, shape (n,), NaN where missing; raises as `read_times` does.

    `time_format`: the form that counts if it fits all cells, whatever others fit; with `is_only` no other is tried.
    """
    return _read(table, name, role, time_format, is_only)[0]


def _read(table: Table, name: str, role: str, given: str | None, is_only: bool) -> tuple[npt.NDArray[np.float64], str]:
    cells = table.texts(name, role)
    codes, words = pd.factorize(cells.where(~find_missing(cells)))
    if not len(words):
        raise TrainingError(f"{role} {name!r} is empty in all {len(cells):,} rows of {table.path}; fill it")
    texts = FORMATS if given is None else (given,) if is_only else (given, *FORMATS)
    formats = [make_format(text) for text in texts]
    found = [(one, days) for one in formats if (days := _parse(one, words)) is not None]
    if not found:
        raise _misfit(table, f"{role} {name!r}", cells, formats, given, is_only)
    form, days = found[0]
    if form.text != given and any(other != days for _, other in found):
        raise _doubt(f"{role} {name!r} of {table.path}", list(words), found, given, is_only)
    return np.append(np.array(days, np.float64), np.nan)[codes], form.unit


def _parse(form: TimeFormat, words: Iterable[str]) -> list[int] | None:
    """The days of these texts; None if one isn't of this form."""
    days = []
    for word in words:
        day = form.parse(word)
        if day is None:
            return None
        days.append(day)
    return days


def _doubt(
    column: str, words: list[str], found: list[tuple[TimeFormat, list[int]]], given: str | None, is_only: bool
) -> TrainingError:
    """The forms that give different days, with the first of the cells that most of them read differently."""
    readings: dict[tuple[int, ...], TimeFormat] = {}
    for form, days in found:
        readings.setdefault(tuple(days), form)
    forms = list(readings.values())
    place = max(range(len(words)), key=lambda one: len({days[one] for days in readings}))
    meant = " or ".join(format_day(days[place]) for days in readings)
    options = " or ".join(f"--time-format {form.text!r}" for form in forms)
    advice = _advise(f"say which: {options}, in a card time_format = {forms[0].text!r}", given, is_only)
    return TrainingError(
        f"{column} can be read as {' and as '.join(form.text for form in forms)}: {words[place]!r} is {meant}; {advice}"
    )


def _misfit(
    table: Table, column: str, cells: pd.Series[Any], formats: Sequence[TimeFormat], given: str | None, is_only: bool
) -> TrainingError:
    """The first cell that isn't of the form that most cells are of."""
    counts = cells[~find_missing(cells)].value_counts()
    fitting = {form: sum(int(n) for word, n in counts.items() if form.parse(str(word)) is not None) for form in formats}
    form = max(fitting, key=lambda one: fitting[one])
    wrong = [str(word) for word in counts.index if form.parse(str(word)) is None]
    is_wrong = cells.isin(wrong).to_numpy()
    row = int(is_wrong.argmax())
    what = f"{column} is {cells.iloc[row]!r} in {table.line(row)} of {table.path}"
    if len(formats) > 1 and fitting[form] < 0.5 * counts.sum():
        option = 'give another form with --time-format, in a card time_format = "%d/%m/%Y"'
        advice = _advise(option, given, is_only)
        return TrainingError(f"{what}, expected a day, month, quarter or year in one form such as {EXAMPLES}; {advice}")
    why = "as the format says" if form.text == given else "as most cells are"
    advice = "correct or leave them out" if fitting[form] else "correct the format"
    return TrainingError(
        f"{what}, expected a {form.unit} as {form.text}, {why}; "
        f"rows of another form: {int(is_wrong.sum()):,} ({shorten(sorted(wrong), 3)}); {advice}"
    )


def _advise(option: str, given: str | None, is_only: bool) -> str:
    """What to do about a column of an unknown form: the option, unless it is given already."""
    if given is not None:
        return f"the time format, {given!r}, is another: write the column as 2006-04-01"
    return option if is_only else f"{option}, if the card's time is written so too, else write the column as 2006-04-01"
