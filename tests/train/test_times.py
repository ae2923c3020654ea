"""Reading columns of times: forms, units, and the cells that can't be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.errors import TrainingError
from train.table import Table, read_table
from train.time_formats import EPOCH, FORMATS, format_day, make_format, parse_since
from train.times import Times, read_dates, read_times

FIRST, LAST = (date(1940, 1, 1) - EPOCH).days, (date(2039, 12, 31) - EPOCH).days

DAYS = st.integers(FIRST, LAST)

SHORT_DAYS = st.one_of(
    DAYS,
    st.dates(date(2001, 1, 1), date(2031, 12, 31)).map(lambda day: (day - EPOCH).days),
    st.builds(date, st.integers(2001, 2031), st.integers(1, 12), st.integers(1, 12)).map(
        lambda day: (day - EPOCH).days
    ),
)
"""Many of them with a year, month and day that could each be another of them."""

Write = Callable[..., Table]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A table with these cells of `when`."""

    def write(*cells: str) -> Table:
        path = tmp_path / "t.csv"
        path.write_text("id,when\n" + "".join(f'{row},"{cell}"\n' for row, cell in enumerate(cells)))
        return read_table(path)

    return write


def read(table: Table, time_format: str | None = None) -> Times:
    return read_times(table, "when", time_format)


def first_day(day: int, unit: str) -> int:
    """The first day of the month, quarter or year of a day."""
    when = EPOCH + timedelta(day)
    month = {"day": when.month, "month": when.month, "quarter": (when.month - 1) // 3 * 3 + 1, "year": 1}[unit]
    return (date(when.year, month, when.day if unit == "day" else 1) - EPOCH).days


@pytest.mark.parametrize("text", FORMATS)
@given(day=DAYS)
def test_a_written_time_reads_back_as_its_first_day(text: str, day: int) -> None:
    """In each form; of a month the first day, of a quarter and a year too."""
    form = make_format(text)

    assert form.parse(form.write(day)) == first_day(day, form.unit)


@pytest.mark.parametrize("text", FORMATS)
@given(days=st.tuples(DAYS, DAYS))
def test_the_order_of_times_is_kept(text: str, days: tuple[int, int]) -> None:
    """A later day is never read as an earlier time."""
    form = make_format(text)

    found = [form.parse(form.write(day)) or 0 for day in sorted(days)]

    assert found == sorted(found)


@pytest.mark.parametrize("text", FORMATS)
def test_the_form_of_a_column_is_found(write: Write, text: str) -> None:
    """From days after the 12th in years after 31, which have one reading; unit and days are those that were written."""
    form, days = make_format(text), range(1_000, 10_900, 61)
    written = [day for day in days if (EPOCH + timedelta(day)).day > 12]

    times = read(write(*(form.write(day) for day in written)))

    assert times.days.tolist() == [first_day(day, form.unit) for day in written]
    assert times.unit == form.unit


@pytest.mark.parametrize(
    ("cell", "day", "unit"),
    [
        ("2026-01-05T10:00:00.123456Z", "2026-01-05", "day"),
        ("2006-04-01 00:00:00", "2006-04-01", "day"),
        ("4/30/2006 11:59:59 PM", "2006-04-30", "day"),
        ("01JAN2006:00:00:00", "2006-01-01", "day"),
        ("2006-04-01T23:30:00+02:00", "2006-04-01", "day"),
        ("28-Feb-97", "1997-02-28", "day"),
        ("7-Mar-39", "2039-03-07", "day"),
        ("7-Mar-40", "1940-03-07", "day"),
        ("September 2006", "2006-09-01", "month"),
        ("Sept-2006", "2006-09-01", "month"),
        ("200604.0", "2006-04-01", "month"),
        ("2006q3", "2006-07-01", "quarter"),
        ("1997.0", "1997-01-01", "year"),
    ],
)
def test_times_are_read_as_tables_have_them(write: Write, cell: str, day: str, unit: str) -> None:
    """Times of day are left out, names are read in any case, years of two digits are 1940 to 2039."""
    times = read(write(cell, cell))

    assert ([format_day(one) for one in times.days.tolist()], times.unit) == ([day, day], unit)


@pytest.mark.parametrize(
    ("cells", "ends"),
    [
        (["2024-02-29", "2023-12-31"], ["2024-02-29", "2023-12-31"]),
        (["2024-02", "2023-12"], ["2024-02-29", "2023-12-31"]),
        (["2024Q1", "2023Q4"], ["2024-03-31", "2023-12-31"]),
        (["2024", "2023"], ["2024-12-31", "2023-12-31"]),
    ],
)
def test_a_time_ends_with_its_last_day(write: Write, cells: list[str], ends: list[str]) -> None:
    """Of its month, quarter or year."""
    assert [format_day(day) for day in read(write(*cells)).ends.tolist()] == ends


@given(text=st.sampled_from(FORMATS), days=st.lists(SHORT_DAYS, min_size=1, max_size=5))
def test_a_column_is_read_as_it_was_written_or_asked_for(text: str, days: list[int]) -> None:
    """In whatever form: the right days, or a question that has the right form, or another that gives these days too,
    among its answers; never other days."""
    form = make_format(text)
    cells = pd.DataFrame({"when": [form.write(day) for day in days]}, dtype=object)
    table = Table(Path("t.csv"), "", cells, np.arange(len(days)), None, ".")

    try:
        found = [read(table).days.tolist()]
    except TrainingError as error:
        options = re.findall(r"--time-format '([^']+)'", str(error).partition("say which: ")[2])
        found = [read(table, option).days.tolist() for option in options]

    assert [first_day(day, form.unit) for day in days] in found


@pytest.mark.parametrize("mark", ["-", "/", "."])
def test_a_year_of_two_digits_may_be_first_or_last(write: Write, mark: str) -> None:
    """2013-01-05 and 2005-01-13 are written alike, and nothing in the column decides."""
    table = write(*(mark.join(cell) for cell in (("13", "01", "05"), ("20", "02", "06"))))

    forms = [form.replace(" ", mark) for form in ("%d %m %y", "%y %m %d")]
    message = f"can be read as {forms[0]} and as {forms[1]}: .* is 2005-01-13 or 2013-01-05; say which: --time-format"
    with pytest.raises(TrainingError, match=message):
        read(table)

    assert [format_day(int(read(table, form).days[0])) for form in forms] == ["2005-01-13", "2013-01-05"]


def test_three_readings_are_all_asked(write: Write) -> None:
    """Shown by a cell that each form reads differently."""
    message = "'05-06-07' is 2007-06-05 or 2007-05-06 or 2005-06-07; say which: .*%d-%m-%y.*%m-%d-%y.*%y-%m-%d"
    with pytest.raises(TrainingError, match=message):
        read(write("01-01-01", "05-06-07"))


@pytest.mark.parametrize("cell", ["06-05", "130105", "5/06"])
def test_what_needs_its_form_to_be_named_is_not_guessed(write: Write, cell: str) -> None:
    """Two numbers without a year of four digits, and days of six digits."""
    with pytest.raises(TrainingError, match=r"expected a day, month, quarter or year .*; give another form"):
        read(write(cell, cell))


def test_days_and_months_in_either_order_are_asked(write: Write) -> None:
    """Both readings are in the message, and either can be chosen; one day above 12 decides."""
    table = write("01/02/2006", "03/02/2006")

    with pytest.raises(TrainingError, match="2006-02-01 or 2006-01-02; say which: --time-format '%d/%m/%Y' or"):
        read(table)

    assert format_day(int(read(table, "%d/%m/%Y").days[0])) == "2006-02-01"
    assert format_day(int(read(table, "%m/%d/%Y").days[0])) == "2006-01-02"
    assert format_day(int(read(write("01/02/2006", "13/02/2006")).days[0])) == "2006-02-01"


def test_one_reading_of_all_cells_is_no_question(write: Write) -> None:
    """Both orders give the same days."""
    assert format_day(int(read(write("02/02/2006", "03/03/2006")).days[1])) == "2006-03-03"


@pytest.mark.parametrize(
    ("cells", "time_format", "message"),
    [
        (["1976", "1976A", "1977"], None, "is '1976A' in line 3 of .*, expected a year as %Y, as most cells are"),
        (["31/02/2006", "01/02/2006", "15/02/2006"], None, r"'31/02/2006' in line 2 .* a day as %d/%m/%Y"),
        (["soon", "later"], None, "is 'soon' in line 2 of .*, expected a day, month, quarter or year"),
        (["2006-04", "2006-05"], "%Y/%m", "expected a month as %Y/%m, as the format says; rows of another form: 2"),
        (["2006-04", "", "NA"], None, "is empty in 2 rows of .*, first in line 3; every row needs one"),
        (["", ""], None, "is empty in all 2 rows"),
        (["2006.5", "2007"], None, "is '2006.5' in line 2"),
        (["0097-01-01", "1997-01-01"], None, "is '0097-01-01' in line 2"),
    ],
)
def test_a_cell_that_is_no_time_is_told(write: Write, cells: list[str], time_format: str | None, message: str) -> None:
    """With its line, its value and what was expected."""
    with pytest.raises(TrainingError, match=message):
        read(write(*cells), time_format)


@pytest.mark.parametrize("text", ["%m/%d/%Y", "%m|%d|%Y", "%y%m%d"])
def test_dates_are_read_in_a_given_form_first(write: Write, text: str) -> None:
    """Also in one that isn't found by itself; where it doesn't fit, the others are tried."""
    table = write(make_format(text).write(13_151), "")

    assert read_dates(table, "when", "the date", text)[0] == 13_151
    assert read_dates(write("2006-01-03"), "when", "the date", text)[0] == 13_151


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["01/02/2006"], "can be read as .*; the time format, '%Y-%m', is another: write the column as 2006-04-01"),
        (["01|02|2006"], "expected a day, .*; the time format, '%Y-%m', is another: write the column as"),
    ],
)
def test_a_form_that_is_given_is_no_advice(write: Write, cells: list[str], message: str) -> None:
    """The one that the card has already doesn't fit, and the column of times may need it."""
    with pytest.raises(TrainingError, match=message) as caught:
        read_dates(write(*cells), "when", "the date", "%Y-%m")

    assert "--time-format" not in str(caught.value)


def test_a_form_for_dates_holds_for_the_time_too(write: Write) -> None:
    """The advice says so, because a card has one."""
    message = "say which: .*, if the card's time is written so too, else write the column as 2006-04-01"
    with pytest.raises(TrainingError, match=message):
        read_dates(write("01/02/2006"), "when", "the date")


def test_only_the_given_form_is_tried_for_the_column_of_times(write: Write) -> None:
    """Whatever other form fits."""
    with pytest.raises(TrainingError, match="expected a month as %Y/%m, as the format says"):
        read_dates(write("2006-04"), "when", "the date", "%Y/%m", is_only=True)


def test_dates_may_be_missing(write: Write) -> None:
    """A missing date is NaN; where two forms fit, the given one counts."""
    dates = read_dates(write("01/02/2006", "NA"), "when", "the date", "%m/%d/%Y")

    assert (format_day(int(dates[0])), str(dates[1])) == ("2006-01-02", "nan")


@pytest.mark.parametrize("text", ["%d/%M/%Y", "%m", "%d %Y", "%Y %y", "%Y-%m-%b", "%q", "%Y%", "", "%Y-%Y"])
def test_a_format_that_names_no_time_is_refused(text: str) -> None:
    """The message says which directives there are."""
    with pytest.raises(TrainingError, match="expected %Y or %y"):
        make_format(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2006", "2006-01-01"), ("2006-04", "2006-04-01"), ("2006-04-30", "2006-04-30"), ("2006Q2", "2006-04-01")],
)
def test_since_is_the_first_day_of_what_it_names(text: str, day: str) -> None:
    """A day, a month, a quarter or a year."""
    assert format_day(parse_since(text)) == day


@pytest.mark.parametrize("text", ["", "06", "2006-13", "2006-02-30", "April 2006", "01/02/2006"])
def test_since_is_written_in_one_way(text: str) -> None:
    """Nothing that two people could read differently."""
    with pytest.raises(TrainingError, match="expected the first day of the hold-out"):
        parse_since(text)
