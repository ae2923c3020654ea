"""The exported scorecard: its answers are functions of the printed points alone, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from model.contract import Training
from model.loading import load_model
from model.policy import Points
from model.scorecard import sum_points
from model.session import Model
from tests.train.scorecard.made_up import FIELDS, draw
from train.candidates import CANDIDATES
from train.card import Card, CardDataset, CardPolicy
from train.card_scorecard import CardBinning, CardScorecard
from train.contract import make_contract
from train.correction import correct
from train.dataset import Matrix
from train.errors import TrainingError
from train.export import export
from train.proof import prove
from train.readers.describe import describe
from train.scorecard.points import describe_empty_bins, describe_scorecard

CARD = Card(
    CardDataset("made_up", "table.csv", "y", 1),
    dict(zip(("Income", "Age", "Home", "Debt"), FIELDS, strict=True)),
    CardPolicy(points=Points(500.0, 20.0, 40.0)),
    CardScorecard(max_bins=5, pairs=2),
)


def fit(card: Card) -> Pipeline:
    """The candidate with what the card says, fitted."""
    X, y = draw(800)
    candidate = CANDIDATES["scorecard"].with_card(card)
    return candidate.build(list(card.inputs.values()), 0).set_params(classify__rounds=60).fit(X, y)


def load(pipeline: Pipeline) -> Model:
    """The exported model."""
    contract = make_contract(
        CARD, Training("scorecard", 800, 0, None, 0, "data", "card", "commit", {}), "2026-01-02", {}
    )
    contract = structs.replace(contract, scorecard=pipeline[-1].scorecard_)
    return load_model(export(describe(pipeline), contract, None))


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """A fitted scorecard with pairs."""
    return fit(CARD)


@pytest.fixture(scope="module")
def model(pipeline: Pipeline) -> Model:
    """Its export."""
    return load(pipeline)


@pytest.fixture(scope="module")
def applicants() -> Matrix:
    """1,500 that it wasn't fitted on."""
    return draw(1_500, seed=9)[0]


def test_the_card_says_how_it_is_fitted(pipeline: Pipeline, model: Model) -> None:
    """Bins, pairs, the scale of the points, and the names of the fields."""
    card = model.contract.scorecard
    assert card is not None

    assert max(len(field.points) - 1 for field in card.fields) == 5
    assert len(card.pairs) == 2
    assert card.factor == CARD.policy.points.factor
    assert [field.field for field in card.fields] == list(CARD.inputs)
    assert describe_scorecard(card, CARD.inputs).endswith("at most 5 a field; 2 pairs of fields")


def test_the_points_of_an_answer_are_the_sum_of_the_printed_ones(model: Model, applicants: Matrix) -> None:
    """Of every applicant; the code for a missing value has the points of a missing value."""
    card = model.contract.scorecard
    assert card is not None
    sent = np.where(np.isnan(applicants) & (np.arange(4) == 3), -1.0, applicants)

    points = model.contract.policy.score_points(model.score(sent).probability)

    assert points.tolist() == sum_points(card, applicants).tolist()


def test_equal_points_are_equal_probabilities_in_any_batch(model: Model, applicants: Matrix) -> None:
    """Bit for bit, with reasons and without, alone and together."""
    card = model.contract.scorecard
    assert card is not None
    points = sum_points(card, applicants).tolist()

    together = model.score(applicants).probability
    alone = [model.score(row[None]).probability[0] for row in applicants[:200]]

    assert len(set(zip(points, together.tolist(), strict=True))) == len(set(points))
    assert model.score(applicants, explain=True).probability.tolist() == together.tolist()
    assert alone == together[:200].tolist()


def test_reasons_are_the_points_less_their_mean(pipeline: Pipeline, model: Model) -> None:
    """Over the training rows, in log-odds; the parts of a pair go to both fields."""
    X, _ = draw(800)
    scores = model.score(X, explain=True)
    log_odds = pipeline.decision_function(X)

    np.testing.assert_allclose(scores.contributions.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(model.contract.base_value, log_odds.mean(), atol=1e-12)
    np.testing.assert_allclose(model.contract.base_value + scores.contributions.sum(axis=1), log_odds, atol=1e-12)


def test_the_proof_covers_the_edges(pipeline: Pipeline, model: Model, applicants: Matrix) -> None:
    """Corrected and rounded again too."""
    corrected = correct(pipeline, (-0.2, 1.3))

    for one, exported in ((pipeline, model), (corrected, load(corrected))):
        assert prove(describe(one), exported, applicants[:100], seed=0).largest_difference < 1e-15
    assert corrected[-1].scorecard_ != pipeline[-1].scorecard_


def test_an_edge_off_by_an_ulp_is_found(pipeline: Pipeline, model: Model, applicants: Matrix) -> None:
    """By the rows placed on and beside the edges."""
    moved = clone(pipeline).set_params(classify__rounds=1).fit(*draw(100))
    card = pipeline[-1].scorecard_
    low, *others = card.fields[0].edges
    first = structs.replace(card.fields[0], edges=(float(np.nextafter(low, np.inf)), *others))
    moved[-1].scorecard_ = structs.replace(card, fields=(first, *card.fields[1:]))
    moved[-1].rows_ = pipeline[-1].rows_

    with pytest.raises(TrainingError, match="differs from its pipeline"):
        prove(describe(moved), model, applicants[:100], seed=0)


def test_bins_of_the_card_are_kept_and_told(pipeline: Pipeline) -> None:
    """The other fields have found ones."""
    fixed = {
        "Income": structs.replace(CARD.fields["Income"], binning=CardBinning(edges=(10.0, 55.5))),
        "Home": structs.replace(
            CARD.fields["Home"], binning=CardBinning(groups=(("own", "other"), ("rent",), ("free",)))
        ),
    }
    card = structs.replace(CARD, fields=CARD.fields | fixed)

    scorecard = fit(card)[-1].scorecard_

    assert scorecard.fields[0].edges == (10.0, 55.5)
    assert scorecard.fields[2].groups == ((0, 3), (1,), (2,))
    assert "bins as the card fixes them: Income, Home" in describe_scorecard(scorecard, card.inputs)


def test_bins_of_the_card_without_rows_are_told() -> None:
    """Edges in another unit have all rows in one bin; missing values are no bin of the card."""
    X = draw(800)[0]
    X[:, 2] = np.where(X[:, 2] == 1, 0, X[:, 2])
    home = CardBinning(groups=(("own", "other"), ("rent",), ("free",)))
    fields = CARD.inputs | {
        "Income": structs.replace(CARD.fields["Income"], binning=CardBinning(edges=(1e3, 2e3))),
        "Age": structs.replace(CARD.fields["Age"], binning=CardBinning(edges=(40.0,))),
        "Home": structs.replace(CARD.fields["Home"], binning=home),
    }

    assert describe_empty_bins(fields, X) == [
        "no training row is in 2 of the 3 bins that the card fixes for 'Income': “1,000 to under 2,000”, "
        "“2,000 or more”; check their units",
        "no training row is in 1 of the 3 bins that the card fixes for 'Home': “rent”; check the levels",
    ]
