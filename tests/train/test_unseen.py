"""Which rows of its table a model wasn't trained on, from its file and the table alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.contract import Training
from model.loading import load_model
from tests.conftest import small_table
from tests.train.conftest import train_without_report
from train import __main__ as command
from train.dataset import encode_group
from train.errors import TrainingError
from train.holdout import Partition, split_rows
from train.recorded import NAME, TARGET
from train.table import Table, read_table
from train.target import encode_target, find_default_text, find_unlabelled
from train.unseen import unseen_rows


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """loans.csv with the month of each application, its person and its weight, in random order."""
    folder = tmp_path_factory.mktemp("bundle")
    table, random = small_table(1_500), np.random.default_rng(0)
    months = np.datetime64("2015-01") + random.integers(0, 48, len(table))
    table.insert(1, "month", [str(month) for month in months])
    table.insert(2, "person", random.integers(0, 4_000, len(table)))
    table.insert(3, "stands_for", random.integers(1, 4, len(table)))
    table.to_csv(folder / "loans.csv", index=False)
    return folder


TIME, GROUP = ("--time", "month"), ("--group", "person")


@pytest.mark.parametrize(
    "roles",
    [(), TIME, (*TIME, "--since", "2018-01"), GROUP, TIME + GROUP, (*GROUP, "--holdout", "0.3"), ("--holdout", "0.3")],
    ids=lambda roles: "".join(roles) or "random",
)
def test_the_hold_out_of_a_model_is_found_again(
    bundle: Path, tmp_path: Path, roles: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its file and the table alone, however the hold-out was chosen."""
    chosen: list[Partition] = []
    monkeypatch.setattr(command, "show_validation", lambda _, partition, *__: chosen.append(partition))
    data = ("--data", str(bundle / "loans.csv"), "--target", "outcome", "--id", "number", "--weight", "stands_for")
    train_without_report(*data, *roles, "--ignore", "month", "--model", "logistic", "--out", str(tmp_path))
    table, model = read_table(bundle / "loans.csv"), load_model(tmp_path / "model.onnx")

    rows = unseen_rows(table, encode_target(table, "outcome", 1), [model])

    np.testing.assert_array_equal(rows, chosen[0].holdout_rows)
    training = model.contract.training
    assert (training.target, training.default) == ("outcome", "1")


def make_table(seed: int, path: Path = Path("t.csv")) -> Table:
    """1,200 rows with a group and two outcomes, of which each is missing in some rows."""
    random = np.random.default_rng(seed)
    outcomes = {name: random.choice(["bad", "good", "good", ""], 1_200) for name in ("late", "lost")}
    cells = pd.DataFrame({"group": random.integers(0, 200, 1_200).astype(str)} | outcomes)
    return Table(path, "data", cells, np.arange(2, 1_202), None, ".")


def make_model(table: Table, outcome: str, by: str = "", **changes: Any) -> Any:
    """What is read of a model that was trained on the rows of the table with an outcome, with the numbers of these."""
    labelled = table.drop(find_unlabelled(table, outcome))
    y = encode_target(labelled, outcome, "bad")
    partition = split_rows(y, 3, group=encode_group(labelled, by) if by else None)
    counts = len(partition.training_rows), len(partition.holdout_rows)
    training = Training("logistic", *counts, 0.3, 3, "data", "card", "commit", {}, group=by)
    known = {"target": outcome, "default": find_default_text(labelled, outcome, y)}
    training = structs.replace(training, **(known | changes))
    seen = set(labelled.lines[partition.training_rows].tolist())
    contract = SimpleNamespace(name="loans", version="2026.01.02-abcdef01", training=training)
    return SimpleNamespace(contract=contract, seen=seen)


@given(seed=st.integers(0, 1_000), group=st.sampled_from(["", "group"]), trained=st.sampled_from(["late", "lost"]))
def test_no_training_row_is_left_whatever_the_outcome_is_now(seed: int, group: str, trained: str) -> None:
    """Both outcomes are missing in other rows: the rows of the training are found in what is left of the table."""
    table = make_table(seed)
    model = make_model(table, trained, group)
    now = table.drop(find_unlabelled(table, "lost"))

    rows = unseen_rows(now, encode_target(now, "lost", "good"), [model])

    assert not model.seen & set(now.lines[rows].tolist())
    assert len(rows)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rows": 5}, r"now \d+ rows would be trained on and \d+ held out, expected 5 and \d+"),
        ({"target": "gone"}, "has no column 'gone'"),
        ({"group": "gone"}, "has no column 'gone'"),
        ({"default": "lost"}, "no row of t.csv has the target 'late' = 'lost'"),
        # An older file, and another outcome than that of its training.
        ({"target": "", "default": ""}, "now .* rows would be trained on"),
    ],
)
def test_a_split_that_cant_be_repeated_stops(changes: dict[str, Any], why: str) -> None:
    """Rather than measure a model on its training rows."""
    table = make_table(1)
    model = make_model(table, "late", **changes)
    now = table.drop(find_unlabelled(table, "lost"))
    y = encode_target(now, "lost", "bad")

    with pytest.raises(TrainingError, match=f"loans .* on which of its rows can't be told: .*{why}.*--data CARD.toml"):
        unseen_rows(now, y, [model])


def test_an_older_file_is_split_by_the_outcome_of_now() -> None:
    """It doesn't name its own."""
    table = make_table(2)
    model = make_model(table, "late", target="", default="")
    now = table.drop(find_unlabelled(table, "late"))

    rows = unseen_rows(now, encode_target(now, "late", "bad"), [model])

    assert len(rows) == model.contract.training.holdout_rows
    assert not model.seen & set(now.lines[rows].tolist())


def test_decisions_on_record_have_one_outcome_under_any_name() -> None:
    """A card names it as it likes; the rows are the same."""
    table = make_table(3, NAME)
    model = make_model(table, "late")
    known = table.drop(find_unlabelled(table, "late"))
    now = replace(known, cells=known.cells.rename(columns={"late": TARGET}), whole=None)

    rows = unseen_rows(now, encode_target(now, TARGET, "bad"), [model])

    assert not model.seen & set(now.lines[rows].tolist())


def test_another_table_is_taken_whole() -> None:
    """No row of it is known to have been trained on."""
    table = make_table(4)
    now = table.drop(find_unlabelled(table, "late"))

    rows = unseen_rows(now, encode_target(now, "late", "bad"), [make_model(table, "late", data_sha256="other")])

    assert len(rows) == len(now.lines)
