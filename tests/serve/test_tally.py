"""What was scored is counted as a person with a table would count it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.contract import DECISIONS
from serve.counters import Ledger
from serve.model import Matrix, Model, Scores
from serve.served import take
from serve.tally import EDGES, ROWS, Tally

VERSION = "2026.01.02-abcdef01"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Counters of this test alone."""
    return Ledger(str(tmp_path))


def totals(ledger: Ledger, name: str) -> dict[str, float]:
    """The counters of one name, by what follows the version among their labels."""
    found = {labels: count for (known, labels), count in ledger.add_up().items() if known == name}
    assert {VERSION} == {labels[0] for labels in found}
    return {"/".join(labels[1:]): count for labels, count in found.items()}


def test_applicants_and_their_decisions_are_counted(model: Model, ledger: Ledger, applicants: Matrix) -> None:
    """How many, the sum of their probabilities, and each decision."""
    scores = model.score(applicants)
    tally = Tally(model, ledger)

    tally.count(applicants, scores.probability, scores.decision)

    counts = {word: float((scores.decision == index).sum()) for index, word in enumerate(DECISIONS)}
    assert {"": 64.0} == totals(ledger, "applicants")
    assert {"": pytest.approx(scores.probability.sum())} == totals(ledger, "probability_sum")
    assert counts == totals(ledger, "decisions")


def test_gaps_are_counted_by_field(model: Model, ledger: Ledger, applicants: Matrix) -> None:
    """Also for a field that never has any: a zero says so."""
    scores = model.score(applicants)

    Tally(model, ledger).count(applicants, scores.probability, scores.decision)

    expected = {
        field.name: float(np.isnan(applicants[:, column]).sum()) for column, field in enumerate(model.contract.fields)
    }
    assert expected == totals(ledger, "missing")
    assert 0 < expected["Income"]


def test_values_out_of_bounds_are_counted_by_field(model: Model, ledger: Ledger) -> None:
    """Below or above; the bounds themselves are within, a gap is on neither side, and a field may have one bound."""
    rows = np.array(
        [[0, 0, 0, 0, 0], [100, 1e9, 2, 1, 2], [-0.1, -1, 1, 0, 2.1], [100.1, np.nan, np.nan, 1, 3], [50, -2, 1, 0, 1]]
    )
    scores = model.score(rows)

    Tally(model, ledger).count(rows, scores.probability, scores.decision)

    expected = {"Amount": 2.0, "Income": 2.0, "Home": 0.0, "Client": 0.0, "Debt/Income~12m": 2.0}
    assert expected == totals(ledger, "out_of_bounds")


@pytest.mark.parametrize(
    ("probability", "edge"),
    [(0.0, "0.05"), (0.05, "0.05"), (0.0500001, "0.1"), (0.15, "0.15"), (0.95, "0.95"), (0.96, "1"), (1.0, "1")],
)
def test_a_probability_is_counted_in_the_bin_whose_end_it_does_not_exceed(
    model: Model, ledger: Ledger, probability: float, edge: str
) -> None:
    """An edge belongs to the bin below it, as Prometheus has it."""
    Tally(model, ledger).count(np.zeros((1, 5)), np.array([probability]), np.array([0]))

    assert {edge: 1.0} == {end: count for end, count in totals(ledger, "probability").items() if count}


@given(chunks=st.lists(st.integers(0, 5), max_size=6), data=st.data())
def test_one_by_one_is_the_same_as_together(
    model: Model, applicants: Matrix, chunks: list[int], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Kept aside and counted later, or counted at once: the same counts in the end."""
    rows = applicants[data.draw(st.lists(st.integers(0, 63), min_size=1, max_size=30), "rows")]
    scores = model.score(rows)
    single, together = (Ledger(str(tmp_path_factory.mktemp("counters"))) for _ in range(2))
    alone = Tally(model, single)

    for place in range(len(rows)):
        alone.keep(rows[place : place + 1], take(scores, slice(place, place + 1)))
        if len(chunks) and scores.decision[place] == chunks[0] % 3:
            alone.flush()
    alone.flush()
    Tally(model, together).count(rows, scores.probability, scores.decision)

    assert together.add_up() == pytest.approx(single.add_up(), rel=1e-12)


def test_what_is_kept_aside_is_counted_when_there_is_no_more_room(model: Model, ledger: Ledger) -> None:
    """Nobody has to ask for it, and nothing is counted twice by asking."""
    tally = Tally(model, ledger)
    for _ in range(ROWS + 1):
        tally.keep(np.zeros((1, 5)), Scores(np.array([0.5]), np.array([1]), np.zeros((0, 5))))

    before = totals(ledger, "applicants")
    for _ in range(3):
        tally.flush()

    assert ({"": float(ROWS)}, {"": float(ROWS + 1)}) == (before, totals(ledger, "applicants"))


def test_the_bins_cover_every_probability() -> None:
    """Up to 1, of equal width."""
    assert 1.0 == EDGES[-1]
    assert 20 == len(EDGES)
