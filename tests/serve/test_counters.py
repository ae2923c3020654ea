"""Counters of several processes add up; none falls when a process goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.counters import Key, Ledger

KEYS: list[Key] = [("in_flight", ()), ("requests", ("/score", "200")), ("requests", ("/predict", "400"))]

OTHER = """
import sys
from serve.counters import Ledger
counters = Ledger(sys.argv[1]).open([("in_flight", ()), ("requests", ("/score", "200"))])
counters.view[0] += 1
counters.array += 5
"""
"""A process that counts and ends in the middle of a request."""


def test_counters_begin_at_zero(tmp_path: Path) -> None:
    """Every key is there before anything happened."""
    Ledger(str(tmp_path)).open(KEYS)

    assert dict.fromkeys(KEYS, 0.0) == Ledger(str(tmp_path)).add_up()


def test_an_array_and_a_view_are_the_same_numbers(tmp_path: Path) -> None:
    """float64, in the order of the keys."""
    counters = Ledger(str(tmp_path)).open(KEYS)

    counters.array += [1, 2, 3]
    counters.view[1] += 0.5

    assert [1.0, 2.5, 3.0] == counters.array.tolist() == counters.view.tolist()
    assert dict(zip(KEYS, [1.0, 2.5, 3.0], strict=True)) == Ledger(str(tmp_path)).add_up()


def test_the_same_keys_are_the_same_counters(tmp_path: Path) -> None:
    """However often a model is loaded again, nothing starts from zero and no file is added."""
    ledger = Ledger(str(tmp_path))
    ledger.open(KEYS).view[1] += 1

    ledger.open(list(KEYS)).view[1] += 1

    assert 2.0 == Ledger(str(tmp_path)).add_up()["requests", ("/score", "200")]
    assert 1 == len(list(tmp_path.iterdir()))


def test_counters_of_several_ledgers_add_up(tmp_path: Path) -> None:
    """Also where one of them has keys that the other hasn't, as after a reload of one worker."""
    Ledger(str(tmp_path)).open(KEYS).array[:] = [0, 3, 4]
    Ledger(str(tmp_path)).open([KEYS[2], ("decisions", ("new", "accept"))]).array[:] = [10, 2]

    assert {KEYS[0]: 0.0, KEYS[1]: 3.0, KEYS[2]: 14.0, ("decisions", ("new", "accept")): 2.0} == Ledger(
        str(tmp_path)
    ).add_up()


def test_a_process_that_is_gone_keeps_its_counts_and_loses_its_gauges(tmp_path: Path, root: Path) -> None:
    """A counter must never fall; what was in flight there isn't any more."""
    Ledger(str(tmp_path)).open(KEYS).array[:] = [2, 1, 0]

    subprocess.run([sys.executable, "-c", OTHER, str(tmp_path)], cwd=root, check=True)

    total = Ledger(str(tmp_path)).add_up()
    assert (2.0, 6.0) == (total["in_flight", ()], total["requests", ("/score", "200")])


def test_a_file_that_isnt_whole_yet_is_not_read(tmp_path: Path) -> None:
    """It gets its name when it is."""
    Ledger(str(tmp_path)).open(KEYS)
    (tmp_path / "1-x.new").write_bytes(b"\xff")

    assert set(KEYS) == set(Ledger(str(tmp_path)).add_up())


@given(
    names=st.lists(st.tuples(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3).map(tuple)), unique=True),
    data=st.data(),
)
def test_whatever_labels_say_their_numbers_come_back(
    names: list[Key], data: st.DataObject, tmp_path_factory: object
) -> None:
    """Names of fields are anybody's: any text, of any length in bytes."""
    values = data.draw(st.lists(st.floats(0, 1e15), min_size=len(names), max_size=len(names)))
    folder = tmp_path_factory.mktemp("counters")  # type: ignore[attr-defined]

    Ledger(str(folder)).open(names).array[:] = np.array(values)

    assert dict(zip(names, values, strict=True)) == Ledger(str(folder)).add_up()


def test_a_process_alone_adds_up_without_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same sums of several sets of counters, and nothing on the disk."""
    monkeypatch.chdir(tmp_path)
    ledger = Ledger()
    ledger.open(KEYS).array[:] = [0, 3, 4]
    ledger.open([KEYS[2]]).view[0] += 10

    assert {KEYS[0]: 0.0, KEYS[1]: 3.0, KEYS[2]: 14.0} == ledger.add_up()
    assert [] == list(tmp_path.iterdir())
