"""A policy in money with rules gives the same decision, amounts and rules at every door."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.policy import DECISIONS
from model.session import Matrix, Model
from score.__main__ import main
from score.batches import score_batches
from score.rows import Rows
from score.scorer import Scorer
from serve.app import create_app_for_model
from tests.conftest import MONEY_CARD
from tests.serve.conftest import InProcess
from tests.serve.running import SERVE, running

CSV = {"content-type": "text/csv"}
NUMBER = st.floats(0, 120).map(lambda number: round(number, 2))
APPLICANT = st.fixed_dictionaries(
    {
        "Amount": NUMBER,
        "Income": st.none() | NUMBER,
        "Home": st.sampled_from([None, "own", "rent", "other"]),
        "Client": st.sampled_from(["False", "True"]),
        "Debt/Income~12m": st.floats(0, 2.5).map(lambda number: round(number, 2)),
    }
)

PORTAL, OFFICER = "a-key-of-the-portal", "a-key-of-an-officer"
REFUSED_BY_A_RULE = {"Amount": 20, "Income": 100, "Home": "own", "Client": True, "Debt/Income~12m": 1.95}


class Answer(NamedTuple):
    """What every door gives of an applicant."""

    probability: float
    decision: str
    points: int
    expected_loss: float | None
    expected_profit: float | None
    rules: str


@pytest.fixture(scope="module")
def client(money_model: Model) -> httpx.Client:
    """A client of the service around the model."""
    return httpx.Client(transport=InProcess(create_app_for_model(money_model)), base_url="http://test")


def encode(applicants: list[dict[str, Any]], model: Model) -> Matrix:
    """The inputs of the graph."""
    rows = [
        [
            np.nan
            if one[field.name] is None
            else field.levels.index(one[field.name])
            if field.levels
            else one[field.name]
            for field in model.contract.fields
        ]
        for one in applicants
    ]
    return np.array(rows, np.float64)


def expect(applicants: list[dict[str, Any]], model: Model) -> list[Answer]:
    """Answers as model/policy.py and model/money.py give them from the probability of one applicant at a time."""
    policy, answers = model.contract.policy, []
    assert policy.money is not None
    for one in encode(applicants, model):
        row = one[None, :]
        p = model.score(row).probability
        decision = policy.decide(p, row).item()
        amounts = policy.money.expected_loss(p, row).item(), policy.money.expected_profit(p, row).item()
        rules = [rule.name for rule in policy.rules if rule.when.holds(row).item() and rule.index == decision]
        loss, profit = (None if np.isnan(amount) else amount for amount in amounts)
        points = policy.score_points(p).item()
        answers.append(Answer(p.item(), DECISIONS[decision], points, loss, profit, "; ".join(rules)))
    return answers


def write_table(applicants: list[dict[str, Any]]) -> str:
    """The applicants as CSV."""
    out = io.StringIO()
    sheet = csv.DictWriter(out, ["id", *applicants[0]])
    sheet.writeheader()
    sheet.writerows({"id": number, **one} for number, one in enumerate(applicants))
    return out.getvalue()


@given(applicants=st.lists(APPLICANT, min_size=1, max_size=8))
def test_every_door_gives_the_same_answer(
    client: httpx.Client, money_model: Model, applicants: list[dict[str, Any]]
) -> None:
    """POST /score as JSON and as CSV, and a batch of a portfolio, to the bit; unknown amounts are null, never NaN."""
    expected = expect(applicants, money_model)

    as_json = client.post("/score", json={"applicants": applicants}).json()["results"]
    sheet = client.post("/score", content=write_table(applicants), headers=CSV).text
    rows = Rows(pa.RecordBatch.from_pylist(_typed(applicants)), np.arange(len(applicants)), ".", "0" * 32)
    (batch,) = score_batches([rows], Scorer(money_model, 4, "id"), pa.int64())

    assert [_answer(one | {"rules": "; ".join(one["rules"])}) for one in as_json] == expected
    assert [_parse(line) for line in csv.DictReader(io.StringIO(sheet, newline=""))] == expected
    assert [_answer(row | {"rules": row["rules"] or ""}) for row in batch.to_pylist()] == expected
    for result, row in zip(as_json, batch.to_pylist(), strict=True):
        told = [(row[f"reason_{rank}"], row[f"reason_{rank}_text"]) for rank in range(1, 5)]
        assert [pair for pair in told if pair[0]] == [(one["field"], one["text"]) for one in result["reasons"]]
        assert [one["rule"] for one in result["reasons"] if "rule" in one] == result["rules"][:4]


def test_a_scored_file_has_the_amounts_and_the_rules(
    money_model: Model, money_path: Path, money_applicants: Matrix, tmp_path: Path
) -> None:
    """Null where an amount is unknown or no rule decided; the manifest names the columns."""
    fields = money_model.contract.fields
    applicants = [
        {
            field.name: None if np.isnan(value) else field.levels[int(value)] if field.levels else value
            for field, value in zip(fields, row, strict=True)
        }
        for row in money_applicants.tolist()
    ]
    (tmp_path / "in.csv").write_text(write_table(applicants))

    assert main([str(tmp_path / "in.csv"), str(tmp_path / "out"), "--model", str(money_path), "--reasons", "2"]) == 0

    table = pq.read_table(tmp_path / "out" / "scores")
    assert [_answer(row | {"rules": row["rules"] or ""}) for row in table.to_pylist()] == expect(
        applicants, money_model
    )
    assert table.schema.names[:7] == ["id", *Answer._fields]
    assert {str(table.schema.field(name).type) for name in ("expected_loss", "expected_profit")} == {"double"}
    assert table.column("expected_loss").null_count == np.isnan(money_applicants[:, 1]).sum() > 0
    assert 0 < table.column("rules").null_count < len(table)
    assert '"expected_loss"' in (tmp_path / "out" / "manifest.json").read_text()


def test_a_recorded_decision_is_answered_again_with_its_amounts_and_rules(money_content: bytes, tmp_path: Path) -> None:
    """By its id, with what would have changed a refusal by a rule, as POST /score said."""
    settings = {
        "DECISIONS_URL": f"sqlite:///{tmp_path}/d.db",
        "API_KEYS": f"portal={PORTAL}",
        "DECISIONS_KEYS": f"officer={OFFICER}",
    }
    body = {"applicants": [REFUSED_BY_A_RULE], "what_would_change": True}
    with running(tmp_path, money_content, SERVE, LOG_LEVEL="warning", **settings) as service:
        (result,) = service.ask("POST", "/score", body, X_API_Key=PORTAL).json()["results"]
        case = service.ask("GET", f"/v1/decisions/{result['decision_id']}", X_API_Key=OFFICER).json()

    assert case["is_identical"] is True
    assert case["result"] | {"reasons": [], "what_would_change": []} == result | {
        "reasons": [],
        "what_would_change": [],
    }
    assert case["result"]["reasons"][:4] == result["reasons"]
    assert result["reasons"][0] == {
        "field": "Debt/Income~12m",
        "label": "Debt over the limit",
        "value": "Debt to income 1.95",
        "contribution": 0.0,
        "text": "The debt is above 1.8 incomes",
        "rule": "Debt over the limit",
    }
    debt = result["what_would_change"][-1]
    assert (debt["field"], debt["decision"]) == ("Debt/Income~12m", "accept")
    assert debt["expected_loss"] == 0.45 * 100 * debt["probability"] < result["expected_loss"]
    assert case["model"]["policy"]["money"]["exposure"]["field"] == "Income"
    assert [rule["reason"] for rule in case["model"]["policy"]["rules"]] == [
        rule.reason for rule in MONEY_CARD.policy.rules
    ]


def _typed(applicants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": number, **one} for number, one in enumerate(applicants)]


def _answer(row: dict[str, Any]) -> Answer:
    return Answer(**{name: row[name] for name in Answer._fields})


def _parse(line: dict[str, str]) -> Answer:
    """A line of CSV; an empty cell is no amount."""
    loss, profit = (float(line[name]) if line[name] else None for name in ("expected_loss", "expected_profit"))
    return Answer(float(line["probability"]), line["decision"], int(line["points"]), loss, profit, line["rules"])
