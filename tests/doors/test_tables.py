"""One rule for text tables: every door makes the same of the same file."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doors.doors import DOORS, Reading, find_disagreements, is_same, read_portfolio
from tests.doors.random_tables import draw_table
from tests.doors.tables import FAULTY, HEADER, PLAIN, REFUSED, ROWS, SAME, render

EXAMPLES = int(os.environ.get("DOORS_EXAMPLES", "30"))
"""Random tables of a run."""

NO_ROWS = Reading({}, {})

Door = pytest.mark.parametrize("door", DOORS)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The probabilities of ROWS, by id."""
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    path.write_bytes(PLAIN)
    reading = read_portfolio(path)
    assert list(reading.scored) == [row[0] for row in ROWS]
    assert len(set(reading.scored.values())) == len(ROWS)
    return reading.scored


def write(folder: Path, name: str, content: bytes) -> Path:
    """A file."""
    path = folder / name
    path.write_bytes(content)
    return path


@Door
@pytest.mark.parametrize("name", SAME)
def test_the_same_applicants_have_the_same_probabilities(
    door: str, name: str, scored: dict[str, float], tmp_path: Path
) -> None:
    """To the bit, however the table is written, at every door."""
    assert DOORS[door](write(tmp_path, name, SAME[name])) == Reading(scored, {})


@Door
@pytest.mark.parametrize("name", FAULTY)
def test_a_row_that_can_not_be_read_has_the_same_fault(
    door: str, name: str, scored: dict[str, float], tmp_path: Path
) -> None:
    """Its line, field and sentence; the other rows are scored, except where the door stops at a fault."""
    content, faults = FAULTY[name]
    path = write(tmp_path, name, content)
    expected = read_portfolio(path)
    assert expected.faults == faults
    assert all(expected.scored[id] == scored[id] for id in expected.scored)
    assert len(expected.scored) == len(ROWS) - len(faults)

    given = DOORS[door](path)

    assert is_same(door, given, expected), given


@Door
@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_can_not_be_read_is_refused_in_the_same_words(door: str, name: str, tmp_path: Path) -> None:
    """It is refused whole, at every door."""
    content, words = REFUSED[name]

    given = DOORS[door](write(tmp_path, name, content))

    assert words in (given.refusal or "")


@Door
def test_a_header_without_rows_has_no_results(door: str, tmp_path: Path) -> None:
    """Training stops there."""
    given = DOORS[door](write(tmp_path, "header.csv", PLAIN.partition(b"\n")[0] + b"\n"))

    assert is_same(door, given, NO_ROWS)


@Door
def test_gzip_that_is_cut_off_is_refused(door: str, tmp_path: Path) -> None:
    """Each door in the words of its decompressor."""
    given = DOORS[door](write(tmp_path, "cut.csv.gz", SAME["compressed.csv.gz"][:-12]))

    assert "can't be decompressed" in (given.refusal or "")


def test_a_fault_far_down_has_its_line_at_every_door(tmp_path: Path) -> None:
    """Beyond the blocks in which tables are read."""
    rows = [[f"{row[0]}-{number}", *row[1:]] for number in range(1200) for row in ROWS]
    rows[5500][1] = "many"
    rows[5990][3] = "tent"
    path = write(tmp_path, "long.csv", render(rows=[HEADER, *rows]))

    assert find_disagreements(path) == []
    assert list(read_portfolio(path).faults) == [5502, 5992]


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(random=st.randoms(use_true_random=False))
def test_a_random_table_means_the_same_at_every_door(random: Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Values, faults and refusals; no door raises anything else."""
    name, content = draw_table(random)

    assert find_disagreements(write(tmp_path_factory.mktemp("random"), name, content)) == []
