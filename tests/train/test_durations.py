"""Durations: days between two columns of dates as an input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from train.card import Card, CardDataset, CardField, check_card
from train.contract import make_fields
from train.dataset import Dataset, encode_table
from train.durations import add_durations
from train.errors import TrainingError
from train.table import Table, read_table
from train.time_formats import format_day, make_format

ROWS = 40

AGE = CardField("Age of the firm", "number", reason="Young firm", start="founded", end="applied")

CARD = Card(CardDataset("t", "t.csv", "y", 1), {"age": AGE})

Write = Callable[..., Table]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A table of 40 rows with columns of dates; a column of one text has it in every row."""

    def write(**columns: str | list[str]) -> Table:
        cells = {name: [column] * ROWS if isinstance(column, str) else column for name, column in columns.items()}
        lines = [",".join(["y", *cells])]
        lines += [",".join([str(row % 2), *(column[row] for column in cells.values())]) for row in range(ROWS)]
        path = tmp_path / "t.csv"
        path.write_text("\n".join(lines))
        return read_table(path)

    return write


def encode(table: Table, card: Card) -> Dataset:
    """As training encodes it."""
    return encode_table(add_durations(table, card), card)


def with_time(time: str | None, **changes: object) -> Card:
    """The card with a column of times and other changes of its dataset."""
    return structs.replace(CARD, dataset=structs.replace(CARD.dataset, time=time, **changes))


@given(
    pairs=st.lists(st.tuples(st.integers(-10_000, 25_000), st.integers(-10_000, 25_000)), min_size=ROWS, max_size=ROWS)
)
def test_a_duration_is_the_difference_of_its_days(
    pairs: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Below 0 where the dates are the other way round."""
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text("founded,applied\n" + "".join(f"{format_day(one)},{format_day(two)}\n" for one, two in pairs))

    days = add_durations(read_table(path), CARD).cells["age"]

    assert days.tolist() == [two - one for one, two in pairs]


def test_a_duration_is_an_input_in_days(write: Write) -> None:
    """Its field in the contract is a number with the unit days; the dates themselves are no inputs."""
    table = write(founded="2006-01-01", applied="2006-03-01")

    data = encode(table, CARD)

    assert data.X.tolist() == [[59.0]] * ROWS
    assert [(field.name, field.kind, field.unit) for field in make_fields(CARD)] == [("age", "number", "days")]


def test_a_missing_date_makes_a_missing_duration(write: Write) -> None:
    """It is refused unless the field is nullable."""
    table = write(founded=["", *["2006-01-01"] * (ROWS - 1)], applied="2006-03-01")

    with pytest.raises(TrainingError, match=r"'age' in line 2 .* missing; .* set nullable = true"):
        encode(table, CARD)

    nullable = structs.replace(CARD, fields={"age": structs.replace(AGE, nullable=True)})
    np.testing.assert_array_equal(encode(table, nullable).X[:2, 0], [np.nan, 59.0])


def test_a_date_after_the_application_is_refused(write: Write) -> None:
    """It can't have been known; a day in the month of the application can."""
    applied = ["2006-01", *["2006-03"] * (ROWS - 1)]
    card = structs.replace(with_time("month"), fields={"age": structs.replace(AGE, start="founded", end="checked")})

    message = "'checked', wasn't known at application in 1 rows of .*, first in line 2: it is 2006-03-31, after"
    with pytest.raises(TrainingError, match=message):
        encode(write(founded="2001-01-01", checked="2006-03-31", month=applied), card)

    data = encode(write(founded="2001-01-01", checked="2006-03-31", month="2006-03"), card)
    assert data.time is not None


def test_a_table_without_the_time_has_durations_of_other_dates(write: Write) -> None:
    """There is nothing to compare the dates with; training needs the time, and says so."""
    table = write(founded="2006-01-01", applied="2006-03-01")

    assert set(add_durations(table, with_time("month"), may_exist=True).cells["age"]) == {59.0}
    with pytest.raises(TrainingError, match=r"has no column 'month' \(the time\)"):
        encode(table, with_time("month"))


def test_a_duration_that_is_no_input_needs_no_dates_in_a_new_table(write: Write) -> None:
    """It is left out; an input is told with the date that is absent."""
    table = write(applied="2006-03-01")
    segment = structs.replace(CARD, fields={"age": structs.replace(AGE, use=False, segment=True)})

    assert add_durations(table, segment, may_exist=True).names == table.names
    with pytest.raises(TrainingError, match=r"'founded' \(the date of the duration 'age'\)"):
        add_durations(table, CARD, may_exist=True)


def test_a_duration_may_end_with_the_time(write: Write) -> None:
    """The time's format then holds for both dates where they could be read in two ways."""
    table = write(founded="01/02/2006", applied="01/03/2006")

    assert encode(table, with_time("applied", time_format="%d/%m/%Y")).X[0, 0] == 28
    assert encode(table, with_time("applied", time_format="%m/%d/%Y")).X[0, 0] == 1
    with pytest.raises(TrainingError, match="can be read as"):
        encode(table, CARD)


@pytest.mark.parametrize("text", ["%y/%m/%d", "%y-%m-%d", "%d|%m|%Y", "%y%m%d"])
def test_the_form_that_the_card_gives_is_that_of_its_dates(write: Write, text: str) -> None:
    """With or without a time, also where the form isn't found by itself."""
    form = make_format(text)
    table = write(founded=form.write(12_000), applied=form.write(12_059), checked=form.write(12_030))

    assert encode(table, with_time("applied", time_format=text)).X[0, 0] == 59
    assert encode(table, with_time(None, time_format=text)).X[0, 0] == 59
    between = structs.replace(
        with_time("applied", time_format=text), fields={"age": structs.replace(AGE, end="checked")}
    )
    assert encode(table, between).X[0, 0] == 30


def test_the_column_of_times_is_read_in_its_form_alone(write: Write) -> None:
    """A duration that ends with it is never computed by another form."""
    with pytest.raises(TrainingError, match=r"'applied' is '30-02-06' in line 2 .* %d-%m-%y, as the format says"):
        encode(write(founded="04-02-01", applied="30-02-06"), with_time("applied", time_format="%d-%m-%y"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"founded": "2006-01-01", "applied": "2006-03-01", "age": "59"}, "'age' of the card is also a column"),
        ({"founded": "2006-01-01"}, r"has no column 'applied' \(the date of the duration 'age'\)"),
        ({"founded": "long ago", "applied": "2006-03-01"}, "'founded' is 'long ago' in line 2"),
    ],
)
def test_a_duration_that_can_not_be_computed_is_told(write: Write, columns: dict[str, str], message: str) -> None:
    """A column of the same name, an absent one, a cell that is no date."""
    with pytest.raises(TrainingError, match=message):
        encode(write(**columns), CARD)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (structs.replace(AGE, end=None), "only one of from and to"),
        (structs.replace(AGE, start=None), "only one of from and to"),
        (structs.replace(AGE, end="founded"), "the same column as from and to"),
        (structs.replace(AGE, kind="category", levels=("a",)), "is a category and has from and to"),
    ],
)
def test_a_card_with_half_a_duration_is_refused(field: CardField, message: str) -> None:
    """As any other fault of a field."""
    with pytest.raises(TrainingError, match=message):
        check_card(structs.replace(CARD, fields={"age": field}))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"time": None, "since": "2006"}, "has since or time_format but no time"),
        ({"time": "applied", "since": "spring"}, "since is 'spring'"),
        ({"time": "applied", "time_format": "%d/%M"}, "the time format is '%d/%M'"),
        ({"time": "y"}, "names 'y' as its target and as its time"),
        ({"time": "age"}, "lists its time 'age' among the fields"),
    ],
)
def test_a_card_with_an_unusable_time_is_refused(dataset: dict[str, str | None], message: str) -> None:
    """Before the table is read."""
    with pytest.raises(TrainingError, match=message):
        check_card(with_time(**dataset))


def test_dates_are_no_inputs_without_a_time_of_their_own() -> None:
    """A format of dates needs dates: here those of the duration."""
    check_card(with_time(None, time_format="%d/%m/%Y"))
