"""python -m train import: the owner's rule, the card, and what a reference tells."""

from __future__ import annotations

import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from model.loading import load_model
from model.session import Model
from train.__main__ import main
from train.card import read_card

RANDOM = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {"income": RANDOM.lognormal(8, 1, 600), "age": RANDOM.uniform(20, 70, 600), "rare": RANDOM.random(600) < 0.01}
).astype(float)
Y = (RANDOM.random(600) < 1 / (1 + np.exp(0.7 * (np.log(TABLE["income"]) - 6.5)))).astype(int).to_numpy()
BALANCED = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")).fit(TABLE, Y)
X = TABLE.to_numpy()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The balanced model's pickle, the only file of its folder."""
    joblib.dump(BALANCED, tmp_path / "model.joblib")
    return tmp_path / "model.joblib"


def run(path: Path, *options: str) -> int:
    """The exit code of an import into the file's folder."""
    return main(["import", "--pipeline", str(path), "--trust", "--out", str(path.parent), *options])


def read(path: Path) -> Model:
    """The imported model."""
    return load_model(path.parent / "model.onnx")


def test_without_a_rule_the_card_is_written_and_the_rule_asked(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No costs are assumed; the same command with a rule then needs no card."""
    assert run(path) == 2

    assert "--threshold P" in capsys.readouterr().err
    assert not (path.parent / "model.onnx").exists()
    assert not read_card(path.parent / "imported.toml").policy.has_rule
    assert run(path, "--threshold", "0.4") == 0


def test_the_threshold_decides_as_the_owner_does(path: Path) -> None:
    """Refused from it on; no applicant is reviewed; the costs are those that it implies."""
    assert run(path, "--threshold", "0.4") == 0

    model = read(path)
    refused = BALANCED.predict_proba(TABLE)[:, 1] >= 0.4
    np.testing.assert_array_equal(model.score(X).decision, np.where(refused, 2, 0))
    policy = model.contract.policy
    assert (policy.refuse_from, policy.review_from, policy.stated) == (0.4, 0.4, "threshold")
    assert (policy.cost_default, policy.cost_good) == (0.6, 0.4)


def test_costs_give_the_threshold(path: Path) -> None:
    """5 : 1 refuses from one sixth on."""
    assert run(path, "--costs", "5:1") == 0

    policy = read(path).contract.policy
    assert (policy.refuse_from, policy.stated) == (1 / 6, "costs")


def test_the_card_remembers_rule_and_prior(path: Path) -> None:
    """The next import with it gives the same graph without them."""
    assert run(path, "--threshold", "0.4", "--prior", "0.1") == 0
    first = read(path)

    assert run(path, "--card", str(path.parent / "imported.toml")) == 0

    second = read(path)
    assert second.contract.policy == first.contract.policy
    np.testing.assert_array_equal(second.score(X).probability, first.score(X).probability)


def test_a_prior_corrects_probabilities_and_keeps_decisions(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The odds of a balanced model are multiplied by those of the population, and the threshold with them."""
    assert run(path, "--threshold", "0.4", "--prior", "0.1") == 0

    model, p = read(path), BALANCED.predict_proba(TABLE)[:, 1]
    scores = model.score(X, explain=True)
    np.testing.assert_allclose(scores.probability, p / 9 / (1 - p + p / 9), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scores.decision, np.where(p >= 0.4, 2, 0))
    assert model.contract.attribution.unit == "log-odds"
    assert "The odds of default are multiplied by 0.111111" in capsys.readouterr().out


def test_weights_are_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what corrects them."""
    assert run(path, "--threshold", "0.4") == 0

    assert (
        "its probabilities are no default rates (class_weight='balanced' of its LogisticRegression)"
        in capsys.readouterr().out
    )


def test_the_threshold_in_the_file_is_taken_and_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of scikit-learn's wrapper, and beside the model in a dict; an option overrides it."""
    fixed = FixedThresholdClassifier(BALANCED, threshold=0.52, response_method="predict_proba").fit(TABLE, Y)
    for content, threshold in ((fixed, 0.52), ({"model": BALANCED, "best_threshold": 0.3}, 0.3)):
        joblib.dump(content, path)
        assert run(path) == 0
        assert read(path).contract.policy.refuse_from == threshold
        assert f"Refused from a probability of default of {threshold} on (the file" in capsys.readouterr().out
    assert run(path, "--threshold", "0.7") == 0
    assert read(path).contract.policy.refuse_from == 0.7


def test_a_reference_tells_acceptance_and_calibration(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its outcomes don't enter the file."""
    TABLE.assign(default=Y).to_csv(path.parent / "table.csv", index=False)
    options = ("--threshold", "0.4", "--reference", str(path.parent / "table.csv"), "--target", "default")

    assert run(path, *options) == 0

    accepted = np.mean(BALANCED.predict_proba(TABLE)[:, 1] < 0.4)
    text = capsys.readouterr().out
    assert f"Of the 600 applicants of table.csv {accepted:.1%} are accepted" in text
    assert "With default = 1 as default: AUC 0." in text
    assert "times the default rate" in text
    assert read(path).contract.metrics == {}


def test_a_reference_names_the_columns_of_a_matrix(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In its order, without the target; another number of columns is refused."""
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y), path)
    reference = path.parent / "table.csv"
    options = ("--threshold", "0.4", "--reference", str(reference), "--target", "default")
    TABLE.assign(default=Y).to_csv(reference, index=False)

    assert run(path, *options) == 0
    assert [field.name for field in read(path).contract.fields] == ["income", "age", "rare"]

    TABLE.drop(columns="age").assign(default=Y).to_csv(reference, index=False)
    assert run(path, *options) == 2
    assert "the model takes 3 columns without names" in capsys.readouterr().err


def test_bounds_never_warn_of_a_value_that_the_model_was_fitted_on(path: Path) -> None:
    """Of 0/1 columns and of extremes, whatever scaler keeps them, and with a reference of others."""
    few = TABLE[(TABLE["income"] < 3000) & (TABLE["rare"] == 0)]
    few.to_csv(path.parent / "table.csv", index=False)
    reference = ("--reference", str(path.parent / "table.csv"))
    for scaler, options in ((StandardScaler(), ()), (MinMaxScaler(), reference)):
        joblib.dump(make_pipeline(scaler, LogisticRegression()).fit(TABLE, Y), path)
        assert run(path, "--threshold", "0.4", *options) == 0
        for field, column in zip(read(path).contract.fields, X.T, strict=True):
            assert field.minimum is None or field.minimum <= column.min()
            assert field.maximum is None or field.maximum >= column.max()
        assert (read(path).contract.fields[2].minimum, read(path).contract.fields[2].maximum) == (0.0, 1.0)


def test_words_become_categories_and_unknown_ones_a_level(path: Path) -> None:
    """An encoder that ignores unknown words opens the field; one that fails on them doesn't."""
    table = TABLE.assign(job=RANDOM.choice(["clerk", "farmer"], 600))
    for unknown, levels in (("ignore", ("clerk", "farmer", "(other)")), ("error", ("clerk", "farmer"))):
        words = ColumnTransformer(
            [("w", OneHotEncoder(handle_unknown=unknown), ["job"]), ("n", StandardScaler(), ["income", "age"])]
        )
        joblib.dump(make_pipeline(words, LogisticRegression()).fit(table, Y), path)
        table.to_csv(path.parent / "table.csv", index=False)
        assert run(path, "--threshold", "0.4", "--reference", str(path.parent / "table.csv")) == 0
        fields = {field.name: field for field in read(path).contract.fields}
        # In the order of the table that the model was fitted on, without the column that it doesn't use.
        assert list(fields) == ["income", "age", "job"]
        assert fields["job"].levels == levels


def test_big_trees_need_no_reference(path: Path) -> None:
    """Their path-dependent reasons are relative to the training rows."""
    joblib.dump(RandomForestClassifier(5, max_depth=6, random_state=0).fit(X, Y), path)

    assert run(path, "--threshold", "0.4") == 0

    assert read(path).contract.attribution.definition == "path-dependent"


def test_rule_and_reference_are_asked_together(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the card is written."""
    joblib.dump(LogisticRegression().fit(X, Y), path)

    assert run(path) == 2

    error = capsys.readouterr().err
    assert "--threshold P" in error
    assert "--reference TABLE" in error
    assert (path.parent / "imported.toml").exists()


def test_an_edited_card_is_never_overwritten(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the step that uses it."""
    assert run(path, "--threshold", "0.4") == 0
    card = path.parent / "imported.toml"
    card.write_text(card.read_text().replace('label = "age"', 'label = "Age"'))

    assert run(path, "--threshold", "0.4") == 2

    assert f"exists and was edited; import with it: --card {card}" in capsys.readouterr().err
    assert run(path, "--card", str(card)) == 0
    assert read(path).contract.fields[1].label == "Age"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[fields.age]", "[fields.income2]", None),
        ("[fields.income]", "[fields.rare2]", None),
        ("threshold = 0.4", "threshold = 0.4\ncost_good = 1.0", "has threshold = 0.4 and costs"),
        ("threshold = 0.4", "threshold = 1.4", "can't be used"),
        ('kind = "number"', 'kind = "category"\nlevels = ["0"]', "has 1 levels, but the model takes a number"),
        ("[fields.age]", "[fields.age]\nuse = false", "the card lists 2 inputs, the model takes 3.*in the card: 'age'"),
    ],
)
def test_a_card_of_other_inputs_is_refused(
    old: str, new: str, message: str | None, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fields may be renamed, and no more."""
    assert run(path, "--threshold", "0.4") == 0
    card = path.parent / "imported.toml"
    card.write_text(card.read_text().replace(old, new, 1))

    assert run(path, "--card", str(card)) == (0 if message is None else 2)

    if message is not None:
        assert re.search(message, capsys.readouterr().err)


def test_names_that_a_door_could_not_carry_are_cleaned(path: Path) -> None:
    """Blanks around a name and control characters in it."""
    table = TABLE.set_axis([" income ", "a\tge", "rare"], axis=1)
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(table, Y), path)

    assert run(path, "--threshold", "0.4") == 0

    assert [field.name for field in read(path).contract.fields] == ["income", "a ge", "rare"]


@pytest.mark.parametrize(
    "options",
    [("--threshold", "0.4", "--costs", "5:1"), ("--threshold", "40"), ("--costs", "5"), ("--target", "default")],
)
def test_options_that_exclude_each_other_are_refused(options: tuple[str, ...], path: Path) -> None:
    """By argparse, with exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        run(path, *options)


MONEY = """[policy]
exposure = "income"
lgd = 0.5
margin = 0.2

[[policy.rules]]
name = "Young"
decision = "refuse"
reason = "Younger than 21"
all = [{ field = "age", below = 21 }]
"""


@pytest.fixture
def with_money(path: Path) -> Path:
    """The card that a first import writes, with money and a rule."""
    assert run(path) == 2
    card = path.parent / "imported.toml"
    text = card.read_text()
    card.write_text(text[: text.index("[policy")] + MONEY)
    return card


def test_money_and_rules_of_a_card_decide(path: Path, with_money: Path) -> None:
    """An exposure is a field, whose mean is that of the reference; a prior corrects the probabilities before."""
    TABLE.to_csv(path.parent / "table.csv", index=False)

    reference = ("--card", str(with_money), "--reference", str(path.parent / "table.csv"))
    assert run(path, *reference, "--prior", "0.2") == 0

    model = read(path)
    scores, policy = model.score(X), model.contract.policy
    assert scores.decision.tolist() == np.where((scores.probability >= 0.2 / 0.7) | (X[:, 1] < 21), 2, 0).tolist()
    assert policy.stated == "money"
    assert policy.cost_default == pytest.approx(0.5 * X[:, 0].mean())
    assert scores.probability.mean() < BALANCED.predict_proba(TABLE)[:, 1].mean()


def test_an_exposure_of_a_field_needs_a_reference(
    path: Path, with_money: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its mean is noted in the file. --threshold decides instead of money, and keeps the rules."""
    assert run(path, "--card", str(with_money)) == 2
    assert "needs a table of applicants: --reference TABLE" in capsys.readouterr().err

    assert run(path, "--card", str(with_money), "--threshold", "0.4") == 0
    policy = read(path).contract.policy
    assert (policy.stated, policy.money, policy.rules[0].name) == ("threshold", None, "Young")
