"""Reading and writing the contract; errors say what to do."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from msgspec import structs

from model.contract import Contract, ContractError, read_contract, write_contract
from model.inputs import Input
from model.rules import IsMissing, Rule
from model.session import Model


@pytest.fixture(scope="session")
def contract(model: Model) -> Contract:
    """The contract of the model."""
    return model.contract


def test_a_written_contract_reads_back_the_same(contract: Contract) -> None:
    """read_contract is the inverse of write_contract."""
    assert read_contract(write_contract(contract)) == contract


def test_the_order_of_a_dict_does_not_change_the_bytes(contract: Contract) -> None:
    """Metrics in reversed order are written in the same order."""
    reordered = structs.replace(contract, metrics=dict(reversed(contract.metrics.items())))

    assert write_contract(reordered) == write_contract(contract)


def test_a_recalibrated_model_expects_no_known_probability(contract: Contract) -> None:
    """The default rate of the training applicants is that of its parent."""
    assert contract.expected_probability == contract.training.default_rate
    assert structs.replace(contract, parent="0" * 64).expected_probability is None


def test_an_unknown_entry_is_ignored(contract: Contract) -> None:
    """New attributes with a default don't raise the contract version, so older readers must accept them."""
    assert read_contract({**write_contract(contract), "added_later": "{}"}) == contract


def test_an_attribute_that_an_older_file_lacks_takes_its_default(contract: Contract) -> None:
    """A field written before `changeable` existed is not changeable."""
    written = write_contract(contract)
    fields = msgspec.json.decode(written["fields"])
    for field in fields:
        del field["changeable"]

    read = read_contract({**written, "fields": msgspec.json.encode(fields).decode()})

    assert [field.changeable for field in read.fields] == [False] * len(fields)


@pytest.mark.parametrize("changes", [{"column": 99}, {"column": -1}, {"field": "other"}, {"missing": (-1.0,)}])
def test_a_policy_of_other_inputs_is_refused(contract: Contract, changes: dict[str, Any]) -> None:
    """Rules and money name a column, its field, and the numbers that stand for a missing value there."""
    field = contract.fields[0]

    def write(found: Input) -> dict[str, str]:
        rule = Rule("a rule", "refuse", "a reason", IsMissing(found))
        return write_contract(structs.replace(contract, policy=structs.replace(contract.policy, rules=(rule,))))

    right = Input(field.name, 0, field.missing)
    assert read_contract(write(right)).policy.inputs == [right]
    with pytest.raises(ContractError, match=r"the policy of the model file refers to .*export it again"):
        read_contract(write(structs.replace(right, **changes)))


@pytest.mark.parametrize("rows", [0, -16, 8, 100])
def test_an_invalid_batch_size_is_refused(contract: Contract, rows: int) -> None:
    """rows_at_once must be a positive multiple of 16, so that an answer does not depend on the other rows."""
    written = {**write_contract(contract), "rows_at_once": str(rows)}

    with pytest.raises(ContractError, match="rows_at_once"):
        read_contract(written)


@pytest.mark.parametrize(
    "missing", ["name", "version", "fields", "policy", "base_value", "training", "metrics", "golden"]
)
def test_a_missing_entry_is_named_with_what_to_do(contract: Contract, missing: str) -> None:
    """The message says to export the file again."""
    written = write_contract(contract)
    del written[missing]

    with pytest.raises(
        ContractError, match=f"missing required field `{missing}`; export it again: python -m train CARD.toml"
    ):
        read_contract(written)


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("contract_version", "2", "contract version 2, expected 1; export it again"),
        ("contract_version", "0", "contract version 0, expected 1; export it again"),
        ("contract_version", '"1"', "contract version '1', expected 1; export it again"),
        ("contract_version", "true", "metadata can't be read: .*export it again"),
        ("metrics", "", "metadata can't be read: .*export it again"),
        ("metrics", '{"auc"', "metadata can't be read: .*export it again"),
        ("metrics", "NaN", "metadata can't be read: .*export it again"),
        ("metrics", "[" * 100_000, "metadata can't be read: .*export it again"),
        ("metrics", "[1]", "Expected `object`, got `array` - at `.*metrics`; export it again"),
        ("policy", '{"cost_default": "5"}', "Expected `float`, got `str`.*export it again"),
    ],
    ids=lambda text: text[:30],
)
def test_an_entry_that_cant_be_read_is_refused_with_what_to_do(
    contract: Contract, key: str, text: str, message: str
) -> None:
    """Another version, malformed or too deeply nested JSON, and values of a wrong type."""
    metadata = {**write_contract(contract), key: text}

    with pytest.raises(ContractError, match=message):
        read_contract(metadata)


def test_a_file_without_our_metadata_is_refused_with_what_to_do() -> None:
    """As in an ONNX file of another project."""
    with pytest.raises(ContractError, match="contract version None, expected 1; export it again"):
        read_contract({"producer": "somebody else"})


def test_a_field_without_a_reason_text_is_refused_by_name(contract: Contract) -> None:
    """The message says to add one to the dataset card."""
    silent = structs.replace(contract.fields[1], reason="")
    metadata = write_contract(structs.replace(contract, fields=(contract.fields[0], silent)))

    with pytest.raises(ContractError, match=re.escape("field 'Income' of the model file has no reason text; add one")):
        read_contract(metadata)
