"""Loading a scorecard: a points table that is broken, or isn't what the graph computes, is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
from msgspec import structs
from onnx import ModelProto, helper

from model.contract import EXPORT_AGAIN, ContractError, Training, write_contract
from model.loading import load_model
from model.policy import Points
from model.scorecard import Scorecard, ScorecardField
from tests.train.scorecard.made_up import FIELDS, draw
from train.candidates import CANDIDATES
from train.card import Card, CardDataset, CardPolicy
from train.contract import make_contract
from train.export import draw_reference, export
from train.readers.describe import describe

CARD = Card(
    CardDataset("loans", "loans.csv", "y", 1),
    dict(zip(("income", "age", "home", "debt"), FIELDS, strict=True)),
    CardPolicy(points=Points(500.0, 20.0, 40.0)),
)

REFUSED = f"don't use it: {EXPORT_AGAIN}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a points table, and the error message that it causes."""

    name: str
    apply: Callable[[Scorecard], Scorecard]
    message: str


def change_field(number: int, apply: Callable[[ScorecardField], dict[str, object]]) -> Callable[[Scorecard], Scorecard]:
    """A change of the field with this number."""

    def change(card: Scorecard) -> Scorecard:
        fields = list(card.fields)
        fields[number] = structs.replace(fields[number], **apply(fields[number]))
        return structs.replace(card, fields=tuple(fields))

    return change


def change_points(bin: int) -> Callable[[ScorecardField], dict[str, object]]:
    """One point more in one bin."""

    def change(field: ScorecardField) -> dict[str, object]:
        points = list(field.points)
        points[bin] += 1
        return {"points": tuple(points)}

    return change


def change_cell(card: Scorecard) -> Scorecard:
    """One point more in the last cell of the pair."""
    (pair,) = card.pairs
    *rows, last = pair.points
    return structs.replace(card, pairs=(structs.replace(pair, points=(*rows, (*last[:-1], last[-1] + 1))),))


def change_pair(**changes: object) -> Callable[[Scorecard], Scorecard]:
    """Other attributes of the pair."""
    return lambda card: structs.replace(card, pairs=(structs.replace(card.pairs[0], **changes),))


@pytest.fixture(scope="module")
def content() -> bytes:
    """The file of a scorecard with a pair."""
    X, y = draw(600)
    candidate = CANDIDATES["scorecard"].with_card(CARD)
    pipeline = candidate.build(list(CARD.inputs.values()), 0, {"pairs": 1, "rounds": 40}).fit(X, y)
    training = Training("scorecard", len(y), 0, float(y.mean()), 0, "data", "card", "commit", {})
    contract = make_contract(CARD, training, "2026-01-02T03:04:05Z", {"auc": 0.8})
    contract = structs.replace(contract, scorecard=pipeline[-1].scorecard_)
    return export(describe(pipeline), contract, draw_reference(X, 0))


@pytest.fixture(scope="module")
def with_table(
    content: bytes, append_valid_checksum: Callable[[ModelProto], bytes]
) -> Callable[[Callable[[Scorecard], Scorecard]], bytes]:
    """Writes the file with another table and a valid checksum."""
    contract = load_model(content).contract
    card = contract.scorecard
    assert card is not None

    def write(edit: Callable[[Scorecard], Scorecard]) -> bytes:
        graph = onnx.load_from_string(content)
        helper.set_model_props(graph, write_contract(structs.replace(contract, scorecard=edit(card))))
        return append_valid_checksum(graph)

    return write


EDITS = [
    Edit("base", lambda card: structs.replace(card, base=card.base + 1), "gives the first golden row .* points"),
    Edit("points", change_field(0, change_points(1)), "first golden row with income = .* and its graph a probability"),
    Edit("points of a level", change_field(2, change_points(0)), "first golden row with home = "),
    Edit("points of missing values", change_field(3, change_points(-1)), "first golden row"),
    Edit("a cell", change_cell, "first golden row"),
    Edit(
        "an edge",
        change_field(0, lambda field: {"edges": (*field.edges[:-1], float(np.nextafter(field.edges[-1], np.inf)))}),
        "first golden row with income = .* was edited",
    ),
    Edit("groups", change_field(2, lambda field: {"groups": field.groups[::-1]}), "first golden row with home = "),
    Edit("too large", lambda card: structs.replace(card, base=10**30), "has 10+ points, expected at most"),
    Edit("offset", lambda card: structs.replace(card, offset=card.offset + 1), "expected those of the policy's points"),
    Edit("factor", lambda card: structs.replace(card, factor=0.0), "factor 0 and offset .*, expected those of the pol"),
    Edit("no fields", lambda card: structs.replace(card, fields=(), pairs=()), r"has the fields \[\], expected at lea"),
    Edit("a field twice", lambda card: structs.replace(card, fields=card.fields * 2), "each once"),
    Edit("name", change_field(0, lambda field: {"field": "salary"}), "'salary' in column 0, which isn't that field"),
    Edit("column", change_field(0, lambda field: {"column": 9}), "'income' in column 9, which isn't that field"),
    Edit("points short", change_field(0, lambda field: {"points": field.points[1:]}), r"with \d points and \d facts"),
    Edit("facts short", change_field(0, lambda field: {"facts": field.facts[1:]}), r"with \d points and \d facts"),
    Edit("edges fall", change_field(0, lambda field: {"edges": field.edges[::-1]}), "expected finite numbers that"),
    Edit("a level twice", change_field(2, lambda field: {"groups": ((0, 1, 2, 3), (3,))}), "each of its 4 levels in"),
    Edit("a level absent", change_field(2, lambda field: {"groups": ((0, 1, 2),)}), "each of its 4 levels in"),
    Edit("pair of one field", change_pair(fields=(1, 1)), r"a pair of the fields \(1, 1\), expected two"),
    Edit("pair of none", change_pair(fields=(0, 9)), r"a pair of the fields \(0, 9\), expected two of its 4"),
    Edit("pair's shape", change_pair(points=((0, 1), (1,))), r"whose points aren't \d rows of \d"),
]


@pytest.mark.parametrize("edit", EDITS, ids=[edit.name for edit in EDITS])
def test_an_edited_table_is_refused(
    with_table: Callable[[Callable[[Scorecard], Scorecard]], bytes], edit: Edit
) -> None:
    """Though its checksum is valid and its golden rows are right."""
    changed = with_table(edit.apply)

    with pytest.raises(ContractError, match=edit.message) as caught:
        load_model(changed)

    assert str(caught.value).endswith(REFUSED)


def test_another_scale_of_the_policy_is_refused(
    content: bytes, append_valid_checksum: Callable[[ModelProto], bytes]
) -> None:
    """Answers would show points that aren't the table's."""
    contract = load_model(content).contract
    policy = structs.replace(contract.policy, points=Points())
    graph = onnx.load_from_string(content)
    helper.set_model_props(graph, write_contract(structs.replace(contract, policy=policy)))

    with pytest.raises(ContractError, match="expected those of the policy's points: 28"):
        load_model(append_valid_checksum(graph))
