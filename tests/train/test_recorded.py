"""Training on decisions on record: the rows that were decided, and what can't be trained on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from decisions.chain import now
from decisions.outcomes import Outcome, prepare_outcomes
from decisions.reading import find_records_of, write_time
from decisions.retention import erase
from decisions.store import open_store
from model.loading import load_model
from model.maturity import DAY
from model.session import Model
from monitor.backtest import make_backtest
from monitor.history import read_history
from tests.conftest import CARD
from tests.decisions.filled import tamper
from tests.decisions.samples import NOW
from tests.train.conftest import train_without_report
from tests.train.models import export_kind
from tests.train.records import add_outcomes, append, fill_early, fill_record
from train.__main__ import main
from train.applicants import read_applicants
from train.card import UNRECORDED, CardField, format_card
from train.dataset import encode_table
from train.errors import TrainingError
from train.recorded import ID, TIME, read_recorded
from train.recorded_options import Selection
from train.source import read_recorded_card

COUNT = 300

NAMES = list(CARD.inputs)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The DECISIONS_URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/decisions.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def filled(url: str, content: bytes) -> str:
    """The DECISIONS_URL of a database with 300 decisions, each with an outcome."""
    fill_record(url, content, COUNT)
    add_outcomes(url)
    return url


def test_the_rows_are_those_that_were_decided(filled: str, model: Model) -> None:
    """Scored again, they have the recorded probabilities; target, id and time are those of the record."""
    table = read_recorded(Selection(filled), NAMES)

    with closing(open_store(filled)) as store:
        sql = "SELECT id, probability FROM records WHERE kind = 'decision' ORDER BY time, id"
        ids, probability = zip(*store.query(sql), strict=True)
    assert table.cells[ID].tolist() == list(ids)
    assert table.cells[TIME].is_monotonic_increasing
    assert set(table.cells["defaulted"]) == {"true", "no default"}
    applicants = read_applicants(table, model.contract.fields)
    assert model.score(applicants).probability.tolist() == list(probability)


def test_the_hash_is_that_of_the_rows(filled: str) -> None:
    """The same rows have the same one, whatever fields are asked for; another outcome gives another."""
    before = read_recorded(Selection(filled), NAMES).sha256

    assert read_recorded(Selection(filled), NAMES[:1]).sha256 == before

    is_default = read_recorded(Selection(filled), NAMES).cells["defaulted"][0] == "true"
    set_outcome(filled, 0, not is_default)
    assert read_recorded(Selection(filled), NAMES).sha256 != before


def set_outcome(url: str, row: int, is_default: bool) -> None:
    """Record a new outcome of the k-th decision."""
    with closing(open_store(url)) as store:
        ids = [id for (id,) in store.query("SELECT id FROM records WHERE kind = 'decision' ORDER BY time, id")]
        outcome = Outcome(date="2026-06-20", defaulted=is_default, decision_id=ids[row])
        append(url, prepare_outcomes(store, [outcome], None).entries)


def test_the_latest_outcome_counts_unless_another_time_is_asked_for(filled: str) -> None:
    """An applicant who was good a month ago has defaulted since; --as-of goes back to what was known."""
    with closing(open_store(filled)) as store:
        ((recorded,),) = store.query("SELECT max(time) FROM records WHERE kind = 'outcome'")
    old = read_recorded(Selection(filled), NAMES)
    row = int(np.flatnonzero(old.cells["defaulted"] == "no default")[0])

    set_outcome(filled, row, True)

    assert read_recorded(Selection(filled), NAMES).cells["defaulted"][row] == "true"
    then = read_recorded(Selection(filled, as_of=recorded + 1), NAMES)
    assert then.sha256 == old.sha256
    assert then.cells["defaulted"][row] == "no default"


def test_a_period_and_an_erasure_choose_the_rows(filled: str, content: bytes) -> None:
    """The decisions of a later second; who was erased isn't there."""
    fill_record(filled, content, 20, start=NOW + 2_000_000)
    add_outcomes(filled)

    assert len(read_recorded(Selection(filled, start=NOW + 1_000_000), NAMES).cells) == 20
    assert len(read_recorded(Selection(filled, end=NOW + 1_000_000), NAMES).cells) == COUNT

    with closing(open_store(filled)) as store:
        erase(store, find_records_of(store, "applicant 7"))
    assert len(read_recorded(Selection(filled), NAMES).cells) == COUNT + 20 - 2


def test_decisions_without_an_outcome_are_left_out(url: str, content: bytes) -> None:
    """A third of them have none yet."""
    fill_record(url, content, COUNT)
    add_outcomes(url, share=0.66)

    table = read_recorded(Selection(url), NAMES)

    assert 0.5 * COUNT < len(table.cells) < 0.8 * COUNT
    assert len(set(table.cells[ID])) == len(table.cells)


def test_defaults_that_come_without_their_goods_are_left_out(url: str, content: bytes) -> None:
    """Of younger decisions only defaults are known; with a window the lender's own, and with 0 all count."""
    fill_early(url, content, COUNT)

    table = read_recorded(Selection(url), NAMES)

    assert set(table.cells[TIME].str[:10]) == {write_time(NOW - 30 * DAY)[:10]}
    assert len(table.cells) == COUNT
    (note,) = table.notes
    assert note.startswith("Outcomes left out: ")
    assert "decisions count from an age of 100 days (read off the record)" in note
    unripe = read_recorded(Selection(url, window=0), NAMES)
    assert len(unripe.cells) > COUNT
    assert unripe.notes == ()
    with pytest.raises(TrainingError, match=r"outcomes that count are without default, .* within 10 days"):
        read_recorded(Selection(url, window=10), NAMES)
    with pytest.raises(TrainingError, match=r"outcomes that count are defaults, .* within 101 days"):
        read_recorded(Selection(url, window=101), NAMES)


@pytest.mark.parametrize("window", [None, 0, 30, 100])
def test_the_outcomes_that_count_are_those_of_the_backtest(
    url: str, content: bytes, model: Model, window: int | None
) -> None:
    """With the age that is read off the record, and with any window."""
    fill_early(url, content, COUNT)
    with closing(open_store(url)) as store:
        history = read_history(store, None, None)
    backtest = make_backtest(history, model.contract, model.sha256, None, now(), maturity=window)

    table = read_recorded(Selection(url, window=window), NAMES)

    assert len(table.cells) == backtest.outcomes
    assert (table.cells["defaulted"] == "true").mean() == pytest.approx(backtest.windows[-1].observed.value)
    assert bool(table.notes) == (backtest.maturity.left_out > 0)


def test_outcomes_that_all_come_too_early_are_refused(url: str, content: bytes) -> None:
    """Nobody can have paid yet."""
    fill_record(url, content, COUNT, start=NOW)
    with closing(open_store(url)) as store:
        ids = [id for (id,) in store.query("SELECT id FROM records WHERE kind = 'decision' ORDER BY time, id")]
        outcomes = [Outcome(date="2026-06-20", defaulted=True, decision_id=id) for id in ids]
        append(url, prepare_outcomes(store, outcomes, None).entries)

    with pytest.raises(TrainingError, match=r"none of the 300 outcomes in the period counts yet: .*--from"):
        read_recorded(Selection(url), NAMES)


def test_decisions_of_other_models_can_be_left_out(filled: str, content: bytes, model: Model) -> None:
    """Their outcomes are of applicants whom the other model accepted."""
    other = export_kind("logistic")
    fill_record(filled, other, 50, start=NOW + 10**9)
    add_outcomes(filled)

    table = read_recorded(Selection(filled, made_by=(model.sha256,)), NAMES)

    assert len(table.cells) == COUNT
    assert table.notes == ("Outcomes left out: 50; of decisions by other models (kinds 2026.01.02-abcdef01).",)
    with pytest.raises(TrainingError, match=r"none of the 350 outcomes .* this file or its parent made: .*--data"):
        read_recorded(Selection(filled, made_by=("0" * 64,)), NAMES)


def test_the_card_gives_target_id_and_levels(filled: str, model: Model) -> None:
    """The rows are encoded as those of the card's own table; protected fields are unknown."""
    dataset = structs.replace(CARD.dataset, target="Status", default="bad", id="number")
    age = CardField("Age", "number", use=False)
    card, table = read_recorded_card(
        Selection(filled), structs.replace(CARD, dataset=dataset, fields={**CARD.fields, "Age": age})
    )

    data = encode_table(table, card)

    assert data.X.shape == (COUNT, len(NAMES))
    np.testing.assert_array_equal(data.X, read_applicants(table, model.contract.fields))
    assert data.y.tolist() == (table.cells["Status"] == "bad").astype(int).tolist()
    assert card.fields["Age"].note == UNRECORDED
    assert "accepted applicants only" in card.dataset.source


@pytest.fixture
def half_year(url: str, content: bytes) -> str:
    """The DECISIONS_URL of a database with 300 decisions, 50 a month, each with its outcome 20 days later."""
    random = np.random.default_rng(0)
    for month in range(6):
        fill_record(url, content, 50, start=NOW - 30 * month * DAY, seed=month)
    with closing(open_store(url)) as store:
        outcomes = [
            Outcome(
                date=write_time(time + 20 * DAY)[:10], defaulted=bool(random.random() < probability), decision_id=id
            )
            for id, time, probability in store.query(
                "SELECT id, time, probability FROM records WHERE kind = 'decision' ORDER BY time, id"
            )
        ]
        append(url, prepare_outcomes(store, outcomes, None).entries)
    return url


def test_training_on_the_record_holds_out_the_newest_decisions(
    half_year: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The card's own time, weight and group aren't recorded, which is told; `compare` finds the rows again."""
    dataset = structs.replace(CARD.dataset, time="month", since="2020", group="person", weight="stands_for")
    (tmp_path / "card.toml").write_bytes(format_card(structs.replace(CARD, dataset=dataset)))

    train_without_report(
        str(tmp_path / "card.toml"), "--decisions", half_year, "--model", "logistic", "--out", str(tmp_path)
    )

    printed = capsys.readouterr().out
    for role, name in (("time", "month"), ("group", "person"), ("weight", "stands_for")):
        assert f"Without the card's {role} '{name}': decisions are recorded without it." in printed
    training = load_model(tmp_path / "model.onnx").contract.training
    held = write_time(NOW - 30 * DAY)[:10]
    assert (training.time, training.since, training.group) == (TIME, held, "")
    assert (training.rows, training.holdout_rows) == (200, 100)
    assert f"100 applications from {held} on are held out" in printed

    path = str(tmp_path / "model.onnx")
    assert main(["compare", path, path, "--decisions", half_year]) == 0
    assert "On 100 of 300 rows" in capsys.readouterr().out


def test_a_since_is_of_the_times_of_the_decisions(half_year: str) -> None:
    """It needs no time in the card."""
    card, _ = read_recorded_card(Selection(half_year), CARD, "2026-01")

    assert (card.dataset.time, card.dataset.since) == (TIME, "2026-01")


def test_a_short_record_is_not_validated_over_time(filled: str) -> None:
    """The hold-out is random, and the note says why."""
    card, table = read_recorded_card(Selection(filled), CARD)

    assert card.dataset.time is None
    assert table.notes[-1].startswith("Not validated over time: the hold-out from ")


def test_a_duration_is_recorded_as_its_days(filled: str) -> None:
    """The card's dates aren't read again."""
    name = next(name for name, field in CARD.inputs.items() if field.kind == "number")
    duration = structs.replace(CARD.fields[name], start="founded", end="applied")

    card, table = read_recorded_card(Selection(filled), structs.replace(CARD, fields={**CARD.fields, name: duration}))

    assert card.fields[name].start is None
    assert len(encode_table(table, card).y) == COUNT


def test_training_on_the_record_gives_a_model(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the URL in an environment variable; the model is as reproducible as the record."""
    (tmp_path / "card.toml").write_bytes(format_card(CARD))
    monkeypatch.setenv("RECORD", filled)
    command = (str(tmp_path / "card.toml"), "--decisions", "RECORD", "--model", "logistic", "--out", str(tmp_path))

    train_without_report(*command)

    contract = load_model(tmp_path / "model.onnx").contract
    assert [field.name for field in contract.fields] == NAMES
    assert contract.training.rows + contract.training.holdout_rows == COUNT
    assert contract.training.data_sha256 == read_recorded(Selection(filled), NAMES).sha256
    assert "time_of_decision: Not used" in capsys.readouterr().out

    path = str(tmp_path / "model.onnx")
    assert main(["compare", path, path, "--decisions", "RECORD"]) == 0
    assert "On 60 of 300 rows, which neither model was trained on" in capsys.readouterr().out


@pytest.mark.parametrize(
    "url_", ["sqlite:////nowhere/decisions.db", "postgresql://127.0.0.1:1/nothing", "mysql://", "UNSET"]
)
def test_a_database_that_cant_be_read_is_named(url_: str) -> None:
    """Absent, away, of another kind, or a variable that isn't set."""
    with pytest.raises(TrainingError, match="the record of decisions can't be read"):
        read_recorded(Selection(url_), NAMES)


def test_a_period_without_outcomes_is_refused(url: str, content: bytes) -> None:
    """The message says how outcomes get on record."""
    fill_record(url, content, 10)

    with pytest.raises(TrainingError, match=r"none of the 10 decisions .* decisions outcomes FILE"):
        read_recorded(Selection(url), NAMES)


def test_a_field_that_a_model_of_the_period_lacks_is_named(filled: str) -> None:
    """The card has a field that wasn't asked for then, and another model has none of them."""
    with pytest.raises(TrainingError, match=r"made by test 2026.01.02-abcdef01, which has no field 'Age'; .*--from"):
        read_recorded(Selection(filled), [*NAMES, "Age"])

    fill_record(filled, export_kind("logistic"), 50, start=NOW + 10**9)
    add_outcomes(filled)
    with pytest.raises(TrainingError, match=r"made by kinds .* has no field 'Amount'"):
        read_recorded(Selection(filled), NAMES)
    assert len(read_recorded(Selection(filled, end=NOW + 10**9), NAMES).cells) == COUNT


def test_a_level_that_the_card_lacks_is_named(filled: str) -> None:
    """As in any table."""
    home = structs.replace(CARD.fields["Home"], levels=("own", "rent"))
    card, table = read_recorded_card(Selection(filled), structs.replace(CARD, fields={**CARD.fields, "Home": home}))

    with pytest.raises(TrainingError, match=r"'Home' in row .* of the record of decisions.*add the level to the card"):
        encode_table(table, card)


@pytest.mark.parametrize(
    "arguments",
    [["--data", "loans.csv", "--target", "x", "--decisions", "sqlite:///d.db"], ["--decisions", "sqlite:///d.db"]],
)
def test_the_record_needs_a_card(arguments: list[str]) -> None:
    """It says nothing of labels, reasons and costs."""
    with pytest.raises(SystemExit):
        main(arguments)


def test_a_period_needs_the_record(credit_card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--from without --decisions would silently train on everything."""
    for option in (("--from", "2026-01"), ("--maturity", "365")):
        assert main([str(credit_card), *option, "--out", str(tmp_path)]) == 2
        assert "add --decisions URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        "payload = '{' WHERE kind = 'outcome'",
        "payload = '{\"defaulted\": true}' WHERE kind = 'outcome'",
        'payload = \'{"date": "x", "defaulted": true}\' WHERE kind = \'outcome\'',
        "payload = 'x' WHERE kind = 'decision'",
        "payload = '{\"id\": 1, \"inputs\": [1]}' WHERE kind = 'decision'",
        "payload = replace(payload, '\"inputs\":[', '\"inputs\":[99, ') WHERE kind = 'decision'",
        "time = 9223372036854775807 WHERE kind = 'decision'",
    ],
)
def test_a_record_that_was_changed_is_named(filled: str, change: str) -> None:
    """It is neither trained on nor left out in silence."""
    tamper(filled, f"UPDATE records SET {change}")  # noqa: S608
    with pytest.raises(TrainingError, match=r"^decision [0-9a-f-]{36} or its outcome can't be read .* verify$"):
        read_recorded(Selection(filled), NAMES)
