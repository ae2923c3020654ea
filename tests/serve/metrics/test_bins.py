"""Applicants are counted by bin: as model.bins counts them one field at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bins import Bins, count_values
from model.contract import Field
from model.session import Matrix, Model, Scores
from serve.metrics.bins import VALUES_PER_FLUSH, BinCounter, list_bins, list_series
from serve.metrics.recorder import BUFFER_ROWS, Metrics
from serve.schemas.responses import ModelIdentity
from train.bins import bin_numbers, make_bins

NAME = ModelIdentity("test", "2026.01.02-abcdef01", "0" * 64)


def make_field(kind: str, levels: tuple[str, ...] = (), *, nullable: bool = True, name: str = "Field") -> Field:
    """A field without bounds."""
    number = "category" if kind == "category" else "number"
    return Field(name, name, "", number, levels, None, None, nullable, "Reason")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bins(fields: tuple[Field, ...], training_rows: Matrix, model: Model) -> tuple[Bins, ...]:
    """The bins of the fields, then of the probability."""
    return (*make_bins(fields, training_rows), bin_numbers(model.score(training_rows).probability))


@st.composite
def binned(draw: st.DrawFn) -> tuple[Field, Bins]:
    """A field and bins of it: numbers with any number of edges, or levels of which some may be in no bin."""
    if draw(st.booleans()):
        edges = draw(st.lists(st.integers(-3, 3), unique=True, max_size=5))
        return make_field("number"), Bins((1,) * (len(edges) + 1), 0, tuple(map(float, sorted(edges))))
    size = draw(st.integers(1, 4))
    order = draw(st.permutations(range(size)))[: draw(st.integers(1, size))]
    cut = draw(st.integers(1, len(order)))
    groups = tuple(tuple(group) for group in (order[:cut], order[cut:]) if group)
    return make_field("category", tuple(map(str, range(size)))), Bins((1,) * len(groups), 0, levels=groups)


@given(of_fields=st.lists(binned(), max_size=6), rows=st.integers(0, 20), seed=st.integers(0, 1_000))
def test_all_fields_together_count_as_each_alone(of_fields: list[tuple[Field, Bins]], rows: int, seed: int) -> None:
    """Any numbers on and off the edges, any levels, missing values, any order of fields."""
    rng = np.random.default_rng(seed)
    columns = [
        rng.integers(0, len(field.levels), rows) if field.levels else rng.integers(-8, 8, rows) / 2
        for field, _ in of_fields
    ]
    applicants = np.array(columns, np.float64).reshape(len(of_fields), rows).T.copy()
    applicants[rng.random(applicants.shape) < 0.2] = np.nan
    probability, reference = rng.random(rows), Bins((5, 5), 0, (0.5,))

    counter = BinCounter([field for field, _ in of_fields], [*(bins for _, bins in of_fields), reference])
    counts = counter.count(applicants, probability)

    alone = [count_values(applicants[:, column], bins) for column, (_, bins) in enumerate(of_fields)]
    assert counts.tolist() == np.concatenate([*alone, count_values(probability, reference)]).tolist()


def test_only_possible_bins_are_listed() -> None:
    """No missing values of a field that must be given nor of the probability, no unknown level of a number."""
    fields = [make_field("number", name="a"), make_field("category", ("x", "missing"), nullable=False, name="b")]
    bins = [Bins((20, 30), 10, (5.0,)), Bins((40,), 0, levels=((1,),)), Bins((50,), 0)]

    listed = [(one.field, one.bin, one.place, one.reference) for one in list_series(fields, bins)]

    assert listed == [
        ("a", "01: ≤ 5", 0, 20),
        ("a", "02: > 5", 1, 30),
        ("a", "03: missing", 2, 10),
        ("b", "01: missing", 4, 40),
        ("b", "03: unknown level", 6, 0),
        ("", "01: any value", 7, 50),
    ]


def test_a_model_without_bins_has_none(model: Model) -> None:
    """As one that was imported without data."""
    assert list_bins(model.contract) == ()


def counted(metrics: Metrics) -> dict[tuple[str, str], float]:
    """The counters by field and bin."""
    metrics.flush(0)
    samples = [one for family in metrics.collectors.registry.collect() for one in family.samples]
    return {
        (one.labels["field"], one.labels["bin"]): one.value
        for one in samples
        if one.name == "credit_values_by_bin_total" and one.labels["version"] == NAME.version
    }


@pytest.mark.parametrize("size", [1, 64, BUFFER_ROWS + 1])
def test_scored_applicants_are_counted_by_bin(
    model: Model, fields: tuple[Field, ...], applicants: Matrix, bins: tuple[Bins, ...], size: int
) -> None:
    """One by one, in the buffer, or more than it holds at once."""
    rows = np.resize(applicants, (2 * size, 5))
    scores = model.score(rows)
    metrics = Metrics()
    metrics.set_model(NAME, fields, bins)

    for start in (0, size):
        part = slice(start, start + size)
        some = Scores(scores.probability[part], scores.decision[part], scores.contributions)
        metrics.record_scores(NAME, fields, rows[part], some)

    counts = BinCounter(fields, bins).count(rows, scores.probability)
    assert counted(metrics) == {(one.field, one.bin): counts[one.place] for one in list_series(fields, bins)}
    assert sum(count for (field, _), count in counted(metrics).items() if field == "Income") == 2 * size


def test_a_second_counts_a_limited_number_of_values(
    model: Model, fields: tuple[Field, ...], bins: tuple[Bins, ...]
) -> None:
    """The next second counts again."""
    limit = VALUES_PER_FLUSH // 6
    rows = np.zeros((limit, 5))
    scores = Scores(np.zeros(limit), np.zeros(limit, np.int64), np.zeros((0, 5)))
    metrics = Metrics()
    metrics.set_model(NAME, fields, bins)

    def count_amounts(times: int) -> float:
        for _ in range(times):
            metrics.record_scores(NAME, fields, rows, scores)
        return sum(count for (field, _), count in counted(metrics).items() if field == "Amount")

    assert count_amounts(3) == limit
    assert count_amounts(1) == 2 * limit


def test_without_bins_nothing_is_counted_by_bin(fields: tuple[Field, ...]) -> None:
    """No series, and no metric: as where decisions are recorded."""
    metrics = Metrics()
    metrics.set_model(NAME, fields)

    assert counted(metrics) == {}
    assert "credit_values_by_bin" not in {family.name for family in metrics.collectors.registry.collect()}
