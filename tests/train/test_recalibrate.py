"""python -m train recalibrate: the line is found, file and documents follow, and what can't be done is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from model.calibration import expit, log_odds
from model.formatting import format_percent
from model.loading import load_model
from model.session import Model
from monitor import verdict
from tests.train.models import KINDS, draw_numbers, export_kind
from tests.train.records import add_outcomes, fill_early, fill_record
from train import recalibration_fit
from train.__main__ import main
from train.errors import TrainingError
from train.recalibrate import explain_training_rows
from train.recalibration_fit import AGREES, MIN_OUTCOMES, fit_outcomes, list_faults
from train.table import read_table

ROWS = 4_000


def draw_outcomes(probability: np.ndarray, intercept: float, slope: float, seed: int = 0) -> np.ndarray:
    """Outcomes whose log-odds are on a line through the model's."""
    chance = expit(intercept + slope * log_odds(probability))
    return (np.random.default_rng(seed).random(len(chance)) < chance).astype(np.int64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a logistic regression, and a table with outcomes after a break of the intercept by 0.6."""
    (tmp_path / "model.onnx").write_bytes(export_kind("logistic"))
    write_outcomes(tmp_path, 0.6, 1.0)
    return tmp_path


def write_outcomes(folder: Path, intercept: float, slope: float, rows: int = ROWS) -> None:
    """Write new.csv with applicants and outcomes."""
    X = draw_numbers(rows, 77)
    y = draw_outcomes(load_model(folder / "model.onnx").score(X).probability, intercept, slope)
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(outcome=np.where(y, "bad", "good"))
    frame.to_csv(folder / "new.csv", index=False)


def run(folder: Path, *options: str) -> int:
    """The exit code of the command on new.csv; the new file is written to folder/out."""
    table = ("--data", str(folder / "new.csv"), "--target", "outcome", "--default", "bad")
    return main(["recalibrate", "--model", f"{folder}/model.onnx", *table, "--out", f"{folder}/out", *options])


@settings(max_examples=10)
@given(intercept=st.floats(0.3, 1.0), slope=st.floats(0.7, 1.3), seed=st.integers(0, 1000))
def test_the_line_of_the_outcomes_is_found(intercept: float, slope: float, seed: int) -> None:
    """Within a wide interval; with the slope fixed the new probabilities have the mean of the outcomes."""
    p = load_model(export_kind("logistic")).score(draw_numbers(ROWS, 5)).probability
    y = draw_outcomes(p, intercept, slope, seed)

    free, fixed = (fit_outcomes(p, y, is_slope_free=is_free) for is_free in (True, False))

    for estimate, truth in ((free.intercept, intercept), (free.slope, slope)):
        assert abs(estimate.value - truth) < 2 * (estimate.high - estimate.low)
    assert fixed.slope.value == 1.0
    assert fixed.change.move_probability(p).mean() == pytest.approx(y.mean(), abs=1e-9)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), is_free=st.booleans())
def test_whole_weights_are_repeated_rows(seed: int, is_free: bool) -> None:
    """In the line and the AUC; the promised AUC differs by pairs of equal rows. Intervals are of the fewer rows."""
    p = load_model(export_kind("logistic")).score(draw_numbers(ROWS, 5)).probability
    y = draw_outcomes(p, 0.6, 0.8, seed)
    weight = np.random.default_rng(seed).integers(1, 4, ROWS)
    again = np.repeat(np.arange(ROWS), weight)

    weighted = fit_outcomes(p, y, is_slope_free=is_free, weight=weight / weight.mean())
    repeated = fit_outcomes(p[again], y[again], is_slope_free=is_free)

    for mine, theirs in (
        (weighted.intercept, repeated.intercept),
        (weighted.slope, repeated.slope),
        (weighted.order.auc, repeated.order.auc),
    ):
        assert mine.value == pytest.approx(theirs.value, rel=1e-6)
        assert mine.high - mine.low >= theirs.high - theirs.low
    assert weighted.order.promised == pytest.approx(repeated.order.promised, abs=1e-3)
    moved = weighted.change.move_probability(p)
    assert np.average(moved, weights=weight) == pytest.approx(np.average(y, weights=weight), abs=1e-6)


def test_a_sample_of_the_goods_recalibrates_with_its_weights(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One good of five was kept, which alone moves the line by ln 5; what is printed and written is weighted too."""
    write_outcomes(folder, 0.6, 1.0, 5 * ROWS)
    frame = pd.read_csv(folder / "new.csv")
    kept = frame[(frame.outcome == "bad") | (frame.index % 5 == 0)]
    kept.assign(w=np.where(kept.outcome == "bad", 1, 5)).to_csv(folder / "new.csv", index=False)

    assert run(folder, "--weight", "w") == 0

    after = load_model(folder / "out" / "model.onnx")
    applicants = frame[["a", "b", "c"]].to_numpy()
    rate = (frame.outcome == "bad").mean()
    assert after.score(applicants).probability.mean() == pytest.approx(rate, abs=0.02)
    printed = capsys.readouterr().out
    assert "Weighted by 'w'." in printed
    (total,) = (line for line in printed.splitlines() if line.startswith("│ all"))
    observed = format_percent(np.average(kept.outcome == "bad", weights=np.where(kept.outcome == "bad", 1, 5)))
    assert total.count(observed) == 2
    assert f"applicants with outcomes {observed} defaulted" in (folder / "out" / "CHANGELOG.md").read_text()


def test_a_rejected_model_is_recalibrated_in_place(folder: Path) -> None:
    """The file that is written beside its folder removes it, after it was read."""
    rejected = folder / "out" / "rejected"
    rejected.mkdir(parents=True)
    (folder / "model.onnx").rename(rejected / "model.onnx")
    sha256 = load_model(rejected / "model.onnx").sha256
    table = ("--data", str(folder / "new.csv"), "--target", "outcome", "--default", "bad")

    assert main(["recalibrate", "--model", f"{rejected}/model.onnx", *table, "--out", f"{folder}/out"]) == 0

    assert load_model(folder / "out" / "model.onnx").contract.parent == sha256
    assert not rejected.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_recalibrated_file_is_written(kind: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a parent, a version and a day of its own; the mean of its probabilities is the default rate."""
    (folder / "model.onnx").write_bytes(export_kind(kind))

    assert run(folder, "--slope") == 0

    before, after = load_model(folder / "model.onnx"), load_model(folder / "out" / "model.onnx")
    assert after.contract.parent == before.sha256
    assert after.contract.version != before.contract.version
    assert after.contract.trained_at > before.contract.trained_at
    table = pd.read_csv(folder / "new.csv")
    probability = after.score(table[["a", "b", "c"]].to_numpy()).probability
    assert probability.mean() == pytest.approx((table.outcome == "bad").mean(), abs=1e-3)
    printed = capsys.readouterr().out
    assert "New log-odds = " in printed
    assert "0 decisions differ" in printed


def test_the_same_outcomes_give_the_same_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, at the same time."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    contents = []
    for _ in range(2):
        assert run(folder) == 0
        contents.append((folder / "out" / "model.onnx").read_bytes())

    assert contents[0] == contents[1]


def test_the_decisions_on_record_recalibrate_their_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is compared with its parent as any challenger."""
    url, model = f"sqlite:///{tmp_path}/decisions.db", str(folder / "model.onnx")
    fill_record(url, export_kind("logistic"), 1_000)
    add_outcomes(url, intercept=0.8)

    assert main(["recalibrate", "--model", model, "--decisions", url, "--out", str(folder / "out")]) == 0
    assert "left out" not in capsys.readouterr().out

    assert main(["compare", model, str(folder / "out" / "model.onnx"), "--decisions", url, "--gate"]) == 0
    assert "On 1,000 of 1,000 rows" in capsys.readouterr().out


def test_decisions_of_another_model_dont_recalibrate_a_file(
    folder: Path, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has an outcome was chosen by the other one; the decisions of its parent are as good as its own."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    fill_record(url, export_kind("logistic"), 1_000)
    add_outcomes(url, intercept=0.8)
    command = ("recalibrate", "--decisions", url, "--out", str(folder / "out"), "--model")

    (folder / "other.onnx").write_bytes(export_kind("boosting"))
    assert main([*command, str(folder / "other.onnx")]) == 2
    assert "none of the 1,000 outcomes in the period is of a decision that this file or its" in capsys.readouterr().err
    assert not (folder / "out").exists()

    assert run(folder) == 0
    (folder / "out" / "model.onnx").rename(folder / "child.onnx")
    assert main([*command, str(folder / "child.onnx")]) == 0


def test_outcomes_count_by_the_rule_of_the_backtest(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Early defaults would move a model that is right."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    fill_early(url, export_kind("logistic"), 1_000)
    command = ("recalibrate", "--model", f"{folder}/model.onnx", "--decisions", url, "--out", str(folder / "out"))

    assert main([*command]) == 2
    printed = capsys.readouterr()
    assert "Outcomes left out: " in printed.out
    assert AGREES in printed.err

    with pytest.raises(SystemExit):
        main([*command, "--maturity", "0"])
    assert "expected days from 1 to 36500" in capsys.readouterr().err


def test_a_slope_that_is_off_is_told_where_only_the_level_is_moved(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether or not the level is off, with what to do; and that no line repairs a lower AUC."""
    write_outcomes(folder, 0.6, 0.4)
    assert run(folder) == 0
    printed = capsys.readouterr().out
    assert "AUC on these outcomes 0." in printed
    assert "in the file, of all applicants, 0.800" in printed
    assert "The slope is 0." in printed
    assert "--slope moves it, but not the order" in printed
    assert "no line repairs it, train again" in printed

    assert run(folder, "--slope") == 0
    printed = capsys.readouterr().out
    assert "moves it" not in printed
    assert "no line repairs it, train again" in printed


def test_a_slope_below_0_is_told_without_advice_that_would_be_refused() -> None:
    """Where the order is kept but for chance, on applicants who are alike."""
    p = np.repeat([0.19, 0.2, 0.21], 400)
    y = np.zeros(1200, np.int64)
    y[:120] = y[400:512] = y[800:902] = 1

    (fault,) = list_faults(fit_outcomes(p, y, is_slope_free=False))

    assert "chance" in fault
    assert "where the model says more risk, there was less" in fault
    assert "--slope would be refused" in fault


def test_the_order_is_judged_as_by_the_monitor() -> None:
    """Both say to train again, or neither."""
    assert (recalibration_fit.AUC_LOSS, recalibration_fit.AUC_CHANCE) == (verdict.AUC_LOSS, verdict.AUC_CHANCE)


def test_a_level_that_agrees_with_a_slope_that_doesnt_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model as a whole doesn't agree then."""
    X = draw_numbers(ROWS, 77)
    probability = load_model(folder / "model.onnx").score(X).probability
    level = next(
        step / 1000
        for step in range(-2000, 2000)
        if expit(step / 1000 + 0.4 * log_odds(probability)).mean() >= probability.mean()
    )
    write_outcomes(folder, level, 0.4)

    assert run(folder) == 2

    message = capsys.readouterr().err
    assert "the level agrees with these outcomes, the slope doesn't" in message
    assert "--slope moves it, but not the order" in message
    assert "train again" in message


def test_the_version_differs_if_the_file_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and metrics are by version."""
    versions = []
    for seconds in ("1780000000", "1780000001"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
        assert run(folder) == 0
        versions.append(load_model(folder / "out" / "model.onnx").contract.version)

    assert versions[0][:11] == versions[1][:11]
    assert versions[0] != versions[1]


def test_documents_say_what_the_file_is(folder: Path) -> None:
    """Those of the parent get a note on top, one for each recalibration, and the changelog an entry."""
    for name, content in (
        ("MODEL_CARD.md", "---\ntags: []\n---\n\n# Model Card\n\n{}\n"),
        ("report.html", "<main>\n<h1>{}"),
    ):
        (folder / name).write_text(content.format(load_model(folder / "model.onnx").sha256))
    (folder / "CHANGELOG.md").write_text("# Models\n\nBy people.\n\n## 2026.01.02-abcdef01: kinds\n\nOld.\n")

    assert run(folder) == 0

    new = load_model(folder / "out" / "model.onnx")
    for name in ("MODEL_CARD.md", "report.html"):
        text = (folder / "out" / name).read_text()
        assert text.index(new.sha256) < text.index(load_model(folder / "model.onnx").sha256)
    changelog = (folder / "out" / "CHANGELOG.md").read_text()
    assert changelog.startswith("# Models\n\nBy people.\n\n## " + new.contract.version)
    assert "\n## 2026.01.02-abcdef01: kinds\n\nOld.\n" in changelog

    for path in (folder / "out").iterdir():
        path.rename(folder / path.name)
    write_outcomes(folder, -0.5, 1.0)
    assert run(folder) == 0
    newest = load_model(folder / "out" / "model.onnx")
    card = (folder / "out" / "MODEL_CARD.md").read_text()
    assert newest.contract.parent == new.sha256
    assert card.index(newest.sha256) < card.index(new.sha256)


@pytest.mark.parametrize("end", ["Not recommended for use.", "**Rejected: not written.** Out of time."])
def test_the_verdict_on_the_parent_is_not_that_on_the_child(folder: Path, end: str) -> None:
    """Nor are the figures that the line changes; those of the order stay."""
    sha256 = load_model(folder / "model.onnx").sha256
    figures = "".join(f"    - type: {name}\n      value: 0.5\n" for name in ("auc", "brier", "cost_per_applicant"))
    (folder / "MODEL_CARD.md").write_text(
        f"---\n    metrics:\n{figures}---\n\n# Model Card\n\n**Verdict:** {end}\n\n## Model Details\n\n{sha256}\n"
    )
    (folder / "report.html").write_text(
        f'<main>\n<h1>{sha256}</h1>\n<div class="verdict">\n<p>{end}</p>\n</div>\n<ul class="checks">'
    )

    for _ in range(2):
        assert run(folder) == 0
        for name in ("MODEL_CARD.md", "report.html"):
            text = (folder / "out" / name).read_text()
            assert "Not evaluated since the recalibration; on later outcomes run: python -m train evaluate" in text
            assert text.count("The checks below are of version ") == 1
            assert end not in text
        metrics = (folder / "out" / "MODEL_CARD.md").read_text().partition("# Model Card")[0]
        assert "brier" not in metrics
        assert "cost" not in metrics
        for path in (folder / "out").iterdir():
            path.rename(folder / path.name)
        write_outcomes(folder, -0.5, 1.0)


def test_documents_of_another_model_are_not_taken_along(folder: Path) -> None:
    """Only the changelog is written."""
    (folder / "MODEL_CARD.md").write_text("# Model Card\n\nof another file\n")

    assert run(folder) == 0

    assert {path.name for path in (folder / "out").iterdir()} == {"model.onnx", "CHANGELOG.md"}


@pytest.mark.parametrize(
    ("line", "rows", "options", "message"),
    [
        ((0.0, 1.0), ROWS, (), AGREES),
        ((0.0, 1.0), ROWS, ("--slope",), AGREES),
        ((0.0, -1.0), ROWS, ("--slope",), "train again instead"),
        ((0.6, -1.0), ROWS, (), "where the model says more risk, there was less: the slope is −"),
        ((0.6, 0.0), ROWS, (), "the outcomes don't rise with the probability beyond doubt: the slope is "),
        ((0.6, 1.0), 120, ("--slope",), "expected at least 100 defaults and 100 goods for a slope"),
        ((0.6, 1.0), 80, (), "expected at least 50 defaults and 50 goods"),
        ((90.0, 1.0), ROWS, (), "has 1 distinct values"),
    ],
)
def test_what_gives_no_better_model_is_refused(
    line: tuple[float, float],
    rows: int,
    options: tuple[str, ...],
    message: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2, and nothing is written."""
    write_outcomes(folder, *line, rows)

    assert run(folder, *options) == 2

    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_the_training_rows_are_refused(loans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model agrees with those by construction."""
    command = ("recalibrate", "--model", f"{loans}/model.onnx", "--data", f"{loans}/loans.toml", "--out", str(tmp_path))

    assert main([*command]) == 2

    assert "outcomes that are newer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("since", "told"), [("2006-01-01", "applicants from 2006-01-01 on alone (Day)"), ("", "newer")]
)
def test_held_out_rows_of_the_training_table_recalibrate_if_given_alone(
    since: str, told: str, loans: Path, model: Model
) -> None:
    """The model didn't see them."""
    training = structs.replace(model.contract.training, time="Day" if since else "", since=since)

    assert told in explain_training_rows(read_table(loans / "loans.csv"), training)


def test_fitting_needs_enough_of_both_classes() -> None:
    """As many defaults as goods."""
    p = np.full(1_000, 0.1)
    y = np.zeros(1_000, np.int64)
    y[: MIN_OUTCOMES[False] - 1] = 1

    for outcomes in (y, 1 - y):
        with pytest.raises(TrainingError, match="are too few, expected at least 50"):
            fit_outcomes(p, outcomes, is_slope_free=False)


def test_a_file_of_another_graph_is_refused(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No model, and nothing at all."""
    (folder / "model.onnx").write_bytes(b"nothing")

    assert run(folder) == 2

    assert "can't be recalibrated" in capsys.readouterr().err
