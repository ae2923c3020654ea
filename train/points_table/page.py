"""scorecard.html: the points table as one page that prints on A4, self-contained."""

from __future__ import annotations

from itertools import zip_longest

from model.contract import Field
from train.points_table.bins import Bin, ContractScorecard, describe_bins, write_number, write_value
from train.report.templates import make_environment


def render_page(table: ContractScorecard) -> bytes:
    """The page as UTF-8; the same bytes for the same contract."""
    contract, scorecard = table.contract, table.scorecard
    environment = make_environment()
    environment.filters["number"] = lambda number: write_number(round(number, 4))
    example = table.example
    values = [write_value(*one) for one in zip(table.fields, example.values, strict=True)]
    labels = [*(field.label for field in table.fields), *table.pair_labels]
    page: str = environment.get_template("scorecard.html").render(
        contract=contract,
        scorecard=scorecard,
        policy=contract.policy,
        cutoffs=table.cutoffs,
        binned=list_bins(table),
        pairs=list_pairs(table),
        example=example,
        example_parts=list(zip_longest(labels, values, example.points, fillvalue="")),
    )
    return page.encode()


def list_bins(table: ContractScorecard) -> list[tuple[Field, float | None, list[Bin]]]:
    """What bins.html prints: each field with its information value and its bins."""
    return [
        (field, one.information_value, describe_bins(one, field))
        for field, one in zip(table.fields, table.scorecard.fields, strict=True)
    ]


def list_pairs(table: ContractScorecard) -> list[tuple[str, list[str], list[tuple[str, tuple[int, ...]]]]]:
    """What pairs.html prints: each pair with its columns, and its rows in words with their points."""
    bins = [[bin.words for bin in described] for _, _, described in list_bins(table)]
    return [
        (
            label,
            columns := bins[pair.fields[1]],
            [(words, row[: len(columns)]) for words, row in zip(bins[pair.fields[0]], pair.points, strict=False)],
        )
        for pair, label in zip(table.scorecard.pairs, table.pair_labels, strict=True)
    ]
