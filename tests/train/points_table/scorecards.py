"""A scorecard made by hand, with what is hard to write in SQL or in a sheet, and applicants for it."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from model.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from model.inputs import Input
from model.money import Money
from model.policy import Points, Policy
from model.rules import Compares, IsMissing, IsOneOf, Joined, Rule
from model.scorecard import BinFacts, Scorecard, ScorecardField, ScorecardPair
from train.card import CardPolicy
from train.dataset import Matrix
from train.points_table.bins import ContractScorecard
from train.policy import make_policy

ODD = 'It\'s "odd";\n-- 住 %s {x}'
"""A name that ends a text, a name and a comment where it isn't quoted."""

LONG = "a_rather_long_name_of_a_column_that_has_more_than_63_bytes_with_its_prefix"[:63]

FIELDS = (
    Field("Amount", "Amount of the loan", "EUR", "number", (), 0.0, 1e6, True, "High amount"),
    Field(ODD, f"<b> | {ODD}", "", "number", (), None, None, True, "Odd", missing=(-9.0, 99999999.0)),
    Field(
        "Home", "Housing", "", "category", ("own", "Own", "o'ther", "=1+1", 'a*"b', "住 %"), None, None, True, "Home"
    ),
    Field("points", "Code of the product", "", "category", ("1", "2", "10", "007"), None, None, True, "Code"),
    Field(LONG, "Tiny", "", "number", (), None, None, True, "Tiny"),
    Field(f"{LONG[:-1]}!", "Without points", "", "number", (), None, None, True, "None"),
)

FACTS = BinFacts(0.25, 0.1, -0.5, 0.02)
FEW = BinFacts(None, None, None, None)

SCORECARD = Scorecard(
    base=420,
    offset=Points().score - Points().factor * float(np.log(50.0)),
    factor=Points().factor,
    fields=(
        ScorecardField("Amount", 0, (500.0, 1200.5, 3000.0), (), (30, 20, 10, 0, 12), (FACTS,) * 5, 0.3),
        ScorecardField(ODD, 1, (-3.25, 0.1, 0.3, 1e15), (), (0, 5, 9, 13, 40, 7), (*(FACTS,) * 5, FEW), None),
        ScorecardField("Home", 2, (), ((0,), (1, 2, 3), (4, 5)), (25, 0, 11, 6), (FACTS,) * 4, 0.1),
        ScorecardField("points", 3, (), ((1,), (0, 2, 3)), (0, 8, 3), (FACTS,) * 3, 0.1),
        ScorecardField(
            LONG, 4, (5e-324, 1.1754943508222875e-300, 0.1 + 0.2, 1e99), (), (0, 1, 2, 3, 4, 9), (FACTS,) * 6, 0.1
        ),
    ),
    pairs=(
        ScorecardPair((0, 2), tuple(tuple(range(4 * row, 4 * row + 4)) for row in range(5))),
        ScorecardPair((4, 1), tuple(tuple(range(6 * row, 6 * row + 6)) for row in range(6))),
    ),
)

REQUIRED = tuple(structs.replace(field, nullable=False) for field in FIELDS)
"""The fields, none of which may be missing; ODD still has numbers that stand for a missing value."""

AMOUNT, ODD_INPUT, HOME = Input("Amount", 0), Input(ODD, 1, (-9.0, 99999999.0)), Input("Home", 2)

RULES = (
    Rule("Large", "review", "Large", Compares(AMOUNT, "above", 15.0, times=ODD_INPUT)),
    Rule(
        "Housing",
        "refuse",
        "Housing",
        Joined("all", (IsOneOf(HOME, (1.0, 2.0), negated=True), Compares(AMOUNT, "at_least", 700.0))),
    ),
    Rule("Unknown", "review", "Unknown", Joined("any", (IsMissing(ODD_INPUT), IsOneOf(ODD_INPUT, (0.1,))))),
)

POLICIES: dict[str, Policy] = {
    "threshold": make_policy(CardPolicy(threshold=0.3)),
    "costs with review": make_policy(CardPolicy(cost_review=0.4)),
    "rules": structs.replace(make_policy(CardPolicy(cost_review=0.4)), rules=RULES),
    "money": structs.replace(
        make_policy(CardPolicy()), money=Money(AMOUNT, 0.45, 0.12), cost_review=20.0, rules=RULES[:1], stated="money"
    ),
    "margin of each": structs.replace(
        make_policy(CardPolicy()), money=Money(1000.0, 0.45, ODD_INPUT), cost_review=None, stated="money"
    ),
}


STEP = 1e-13
"""The smallest relative difference that numbers of 14 digits have."""


def make_table(
    policy: str = "costs with review", scorecard: Scorecard = SCORECARD, fields: tuple[Field, ...] = FIELDS
) -> ContractScorecard:
    """The scorecard with one of the policies."""
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name="odd",
        version="2026.01.02-abcdef01",
        trained_at="2026-01-02T03:04:05Z",
        fields=fields,
        policy=POLICIES[policy],
        base_value=0.0,
        training=Training("scorecard", 1000, 0, 0.2, 3, "data", "card", "commit", {}),
        metrics={},
        golden=Golden(((None,) * 6, (700.0, 0.2, 1.0, 0.0, 0.5, None)), (0.1, 0.2), (0, 0)),
        scorecard=scorecard,
    )
    return ContractScorecard(contract, scorecard)


def draw_applicants(table: ContractScorecard, rows: int, seed: int) -> Matrix:
    """Applicants at the edges of bins, the smallest steps beside them, and anywhere; shape (rows, n_fields)."""
    random = np.random.default_rng(seed)
    X = np.full((rows, len(table.contract.fields)), np.nan)
    edges = {bins.column: np.array(bins.edges) for bins in table.scorecard.fields}
    for column, field in enumerate(table.contract.fields):
        if field.kind == "category":
            X[:, column] = random.integers(0, len(field.levels), rows)
        else:
            ends = edges.get(column, np.empty(0))
            steps = [np.nextafter(ends, np.inf), np.nextafter(ends, -np.inf), ends * (1 + STEP), ends * (1 - STEP)]
            near = [ends, *steps, field.missing, [-1e100, 0.0, 1e100]]
            anywhere = random.normal(0, 3, rows) * 10.0 ** random.integers(-6, 6, rows)
            X[:, column] = np.where(random.random(rows) < 0.5, random.choice(np.concatenate(near), rows), anywhere)
    X[(random.random(X.shape) < 0.1) & [field.nullable for field in table.contract.fields]] = np.nan
    return X


def round_digits(X: Matrix) -> Matrix:
    """Numbers of at most 14 digits, as sheets tell them apart."""
    return np.array([[float(f"{value:.14g}") for value in row] for row in X])
