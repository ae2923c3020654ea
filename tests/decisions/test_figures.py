"""Amounts and rules of decisions on record: given again by the model file, in exports and for imported portfolios."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from decisions.export import export_decisions
from decisions.figures import find_figures
from decisions.reading import find_records_of
from decisions.replay import replay_all
from decisions.retention import erase
from decisions.store import open_store
from model.session import Matrix, Model
from score.__main__ import main as score
from tests.decisions.filled import run
from tests.decisions.test_importing import change_column, change_scores, draw, import_folder, read_scores

NAMES = ("expected_loss", "expected_profit", "rules")
ROWS = 40


@pytest.fixture(scope="module")
def scored(money_content: bytes, money_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model file and the scores of ROWS applicants."""
    folder = tmp_path_factory.mktemp("scored")
    shutil.copy(money_path, folder)
    pq.write_table(draw(money_content, ROWS), folder / "in.parquet")
    assert score([*map(str, (folder / "in.parquet", folder / "out", "--model", money_path, "--inputs"))]) == 0
    return folder


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The DECISIONS_URL of an empty database."""
    address = f"sqlite:///{tmp_path}/decisions.db"
    assert run(address, "migrate") == 0
    return address


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_an_export_has_the_amounts_and_rules_that_were_scored(
    scored: Path, url: str, suffix: str, tmp_path: Path
) -> None:
    """To the bit; those of an erased decision are gone, since they follow from its inputs."""
    expected = {row["decision_id"]: [row[name] for name in NAMES] for row in read_scores(scored)}
    assert import_folder(scored, url) == 0

    with closing(open_store(url, create=False)) as store:
        erased = find_records_of(store, "loan 3")
        erase(store, erased)
        assert replay_all(store, None, None, lambda units: None).identical == ROWS - 1
        assert export_decisions(store, tmp_path / f"d{suffix}", None, None, lambda units: None) == ROWS
    path = tmp_path / f"d{suffix}"
    table = pq.read_table(path) if suffix == ".parquet" else pa.Table.from_pylist(_read_lines(path))

    given = {row["id"]: [row[name] for name in NAMES] for row in table.to_pylist()}
    assert given == expected | {erased[0].id: [None, None, None]}
    assert 0 < sum(rules is not None for *_, rules in expected.values()) < ROWS


CHANGES: list[tuple[str, Callable[[list[Any]], list[Any]]]] = [
    ("expected_loss", lambda found: [0.0, *found[1:]]),
    ("expected_profit", lambda found: [None if value else 1.0 for value in found]),
    ("rules", lambda found: ["No such rule", *found[1:]]),
    ("rules", lambda found: [None] * len(found)),
]


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_scores_with_changed_amounts_or_rules_are_not_imported(
    scored: Path,
    url: str,
    name: str,
    change: Callable[[list[Any]], list[Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message has the columns of the first row that isn't what the model gives."""
    folder = Path(shutil.copytree(scored, tmp_path / "scored"))
    change_scores(folder, change_column(name, change), part=0)
    capsys.readouterr()

    assert import_folder(folder, url) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert f", {name} " in line
    assert "which isn't what the model gives for its inputs" in line


def test_a_decision_that_no_model_makes_is_decided_by_no_rule(money_model: Model, money_applicants: Matrix) -> None:
    """Such as a forged one, whose amounts still follow from its inputs."""
    policy = money_model.contract.policy
    inputs = [None if np.isnan(value) else value for value in money_applicants[2].tolist()]

    figures = find_figures(policy, inputs, 0.5, "approved")

    assert figures.rules == []
    assert figures.expected_loss is not None
    assert find_figures(policy, [inputs[0], None, *inputs[2:]], 0.5, "review").expected_loss is None


def _read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
