"""The options that say when, of whom and for how many each row is, with a card and without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import small_table
from train.arguments import parse
from train.card import format_card, read_card
from train.card_notes import list_columns
from train.errors import TrainingError
from train.source import Source, open_source

Open = Callable[..., Source]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A table with the month of each application, its person, what it stands for, and a code that nobody knows."""
    table = small_table(400)
    table["month"] = [f"2015-{row % 12 + 1:02}" for row in range(400)]
    table["person"] = [f"person {row // 2}" for row in range(400)]
    table["stands_for"] = [1 + row % 3 for row in range(400)]
    path = tmp_path / "loans.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def infer(data: Path, tmp_path: Path) -> Open:
    """The source of the table without a card."""
    return lambda *options: open_source(
        parse(["--data", str(data), "--target", "outcome", "--id", "number", "--out", str(tmp_path), *options])
    )


@pytest.fixture
def read(infer: Open, tmp_path: Path) -> Open:
    """The source of a card that was inferred without options."""

    def read(*options: str) -> Source:
        path = tmp_path / "card.toml"
        path.write_bytes(format_card(infer().card))
        return open_source(parse([str(path), *options]))

    return read


ROLES = ("--time", "month", "--weight", "stands_for", "--group", "person")


@pytest.mark.parametrize("kind", ["infer", "read"])
def test_columns_that_have_a_role_are_no_fields(kind: str, request: pytest.FixtureRequest) -> None:
    """They are in the dataset of the card, which is written with them, and aren't told as unused columns."""
    source: Source = request.getfixturevalue(kind)(*ROLES, "--since", "2015-10", "--segment", "home")

    card = source.card
    assert card.dataset.roles == {
        "target": "outcome",
        "id": "number",
        "time": "month",
        "weight": "stands_for",
        "group": "person",
    }
    assert card.dataset.since == "2015-10"
    assert not {"month", "stands_for", "person"} & (set(card.fields) | set(list_columns(card, source.table)))
    assert [name for name, field in card.fields.items() if field.segment] == ["home"]


def test_a_share_is_taken_instead_of_the_cards_since(read: Open, tmp_path: Path) -> None:
    """What the command line says comes before the card."""
    card = read(*ROLES, "--since", "2015-10").card
    (tmp_path / "dated.toml").write_bytes(format_card(card))

    changed = open_source(parse([str(tmp_path / "dated.toml"), "--holdout", "0.3"])).card

    assert (changed.dataset.since, changed.dataset.holdout) == (None, 0.3)


def test_without_options_months_and_names_are_told(infer: Open) -> None:
    """The note of a column of months says what can be done with it."""
    source = infer()

    columns = list_columns(source.card, source.table)
    assert columns["month"].startswith("Not used: a date: say if it is when they applied (--time)")
    assert columns["person"].startswith("Not used: names or free text")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("infer", ("--time", "moon"), r"has no column 'moon' \(the time\)"),
        ("infer", ("--group", "moon"), r"has no column 'moon' \(the group\)"),
        ("infer", ("--segment", "moon"), r"has no column 'moon' \(named by"),
        ("infer", ("--segment", "person"), "'person' of the card has segment = true and no levels"),
        ("infer", ("--since", "2015"), "has since or time_format but no time"),
        ("infer", ("--time", "month", "--weight", "month"), "names 'month' as its time and as its weight"),
        ("read", ("--segment", "moon"), "the card has no field 'moon'"),
        ("read", ("--time", "outcome"), "names 'outcome' as its target and as its time"),
        ("read", ("--time", "month", "--since", "soon"), "since is 'soon'"),
    ],
)
def test_what_can_not_be_used_is_told(
    kind: str, options: tuple[str, ...], message: str, request: pytest.FixtureRequest
) -> None:
    """Before anything is trained."""
    open_it: Open = request.getfixturevalue(kind)

    with pytest.raises(TrainingError, match=message):
        open_it(*options)


@pytest.mark.parametrize("share", ["0", "1", "-0.2", "nan", "a fifth"])
def test_a_share_is_between_0_and_1(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is a usage error."""
    with pytest.raises(SystemExit):
        parse(["card.toml", "--holdout", share])

    assert "isn't a share such as 0.2" in capsys.readouterr().err


def test_the_keys_are_written_and_read_back(read: Open, tmp_path: Path) -> None:
    """`from` and `to` too."""
    card = read(*ROLES, "--holdout", "0.25").card
    text = format_card(card).decode() + (
        '\n[fields.DAYS]\nlabel = "Days"\nkind = "number"\nreason = "Short"\nfrom = "born"\nto = "month"\n'
    )
    path = tmp_path / "copy.toml"
    path.write_text(text)

    again = read_card(path)

    assert again.dataset == card.dataset
    assert (again.fields["DAYS"].start, again.fields["DAYS"].end) == ("born", "month")
    assert "born" in again.names
    assert "DAYS" not in again.names
    assert 'from = "born"' in format_card(again).decode()
