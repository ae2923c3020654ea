"""Every decision is answered again by its own model file, and must be the same to the bit."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

import numpy as np
import pytest
from msgspec.structs import replace

from decisions.chain import Chain
from decisions.model_files import describe_file
from decisions.reading import find_case, find_records_of
from decisions.record import Answer, Record, make_decisions
from decisions.replay import KeptModels, ReplayError, decompress_model, replay_all, replay_decision
from decisions.retention import erase
from decisions.store import Store, open_store
from model.policy import DECISIONS
from model.session import Matrix, Model, RowSession
from tests.decisions.filled import COUNT, fill_url, tamper
from tests.decisions.samples import MODEL, NOW, ids, make_entries, read_records


@pytest.fixture
def store(url: str, content: bytes) -> Iterator[Store]:
    """An open database with COUNT decisions of the small model."""
    fill_url(url, content)
    with closing(open_store(url, create=False)) as store:
        yield store


def read_first(store: Store) -> Record:
    """The first decision."""
    return read_records(store)[0]


def next_float(number: float) -> float:
    """The number that differs in the last bit."""
    (bits,) = struct.unpack("q", struct.pack("d", number))
    found: float = struct.unpack("d", struct.pack("q", bits ^ 1))[0]
    return found


def test_all_decisions_are_identical(store: Store) -> None:
    """Progress adds up to their number."""
    done: list[int] = []
    report = replay_all(store, None, None, done.append)

    assert (report.decisions, report.identical, report.different, report.erased) == (COUNT, COUNT, 0, 0)
    assert sum(report.models.values()) == sum(done) == COUNT


def test_it_matters_not_how_the_service_scored(url: str, content: bytes, model: Model, applicants: Matrix) -> None:
    """Alone through buffers, with reasons or without, or in a batch: the same bits."""
    alone = RowSession(model)
    probability = [
        alone.score(row, explain=number % 2 == 0).probability.item() for number, row in enumerate(applicants.tolist())
    ]
    decision = [DECISIONS[index] for index in model.score(applicants).decision.tolist()]
    points = model.contract.policy.score_points(probability).tolist()
    answer = Answer(
        ids.reserve(len(applicants)),
        NOW,
        model.sha256,
        [None] * len(applicants),
        applicants.tolist(),
        probability,
        decision,
        points,
        4,
    )
    with closing(open_store(url)) as store:
        store.migrate()
        store.put_model(describe_file(model, content), NOW)
        Chain(store).append(make_decisions(answer, None, None))
        report = replay_all(store, None, None, lambda units: None)

    assert (report.identical, report.different) == (len(applicants), 0)


@pytest.mark.parametrize("column", ["probability", "decision", "points"])
def test_a_different_answer_is_named(store: Store, url: str, column: str) -> None:
    """The last bit counts."""
    first = read_first(store)
    other = {
        "probability": next_float(first.probability or 0),
        "decision": "accept" if first.decision != "accept" else "refuse",
        "points": (first.points or 0) + 1,
    }[column]
    tamper(url, f"UPDATE records SET {column} = :value WHERE id = :id", value=other, id=first.id)  # noqa: S608
    report = replay_all(store, None, None, lambda units: None)

    assert (report.identical, report.different) == (COUNT - 1, 1)
    assert [difference.id for difference in report.differences] == [first.id]
    assert f"on record {other!r}" in report.differences[0].fault or str(other) in report.differences[0].fault
    assert report.max_distance == (abs(other - (first.probability or 0)) if isinstance(other, float) else 0)


def test_other_inputs_are_found(store: Store, url: str) -> None:
    """Fewer than the model has, and what is no JSON."""
    first, second, third = read_records(store)[:3]
    for record, payload in (
        (first, '{"id": 1, "inputs": [1.5]}'),
        (second, "{"),
        (third, '{"id": 1, "inputs": ["x"]}'),
    ):
        tamper(url, "UPDATE records SET payload = :payload WHERE id = :id", payload=payload, id=record.id)
    report = replay_all(store, None, None, lambda units: None)

    assert [difference.id for difference in report.differences] == [first.id, second.id, third.id]
    assert "hasn't the 5 inputs" in report.differences[0].fault
    assert "can't be read" in report.differences[1].fault
    assert report.identical == COUNT - 3


def test_a_period_is_replayed_alone(store: Store) -> None:
    """Decisions of other times aren't counted."""
    report = replay_all(store, NOW + 1, None, lambda units: None)

    assert report.decisions == 0
    assert replay_all(store, NOW, NOW + 1, lambda units: None).decisions == COUNT


def test_erased_decisions_are_counted(store: Store) -> None:
    """And not called different."""
    erase(store, find_records_of(store, "applicant 3"))
    report = replay_all(store, None, None, lambda units: None)

    assert (report.decisions, report.identical, report.erased, report.different) == (COUNT, COUNT - 1, 1, 0)


def test_a_model_that_is_not_kept_is_named(store: Store) -> None:
    """All its decisions count as different; those of others are replayed."""
    Chain(store).append(make_entries("A", "B"))
    report = replay_all(store, None, None, lambda units: None)

    assert (report.identical, report.different) == (COUNT, 2)
    assert {difference.fault for difference in report.differences} == {
        f"the model file {MODEL.sha256!r} isn't kept in this database"
    }


def test_a_model_that_cant_be_loaded_is_named(store: Store) -> None:
    """The file is the one that decided, and is no model."""
    store.put_model(MODEL, NOW)
    Chain(store).append(make_entries("A"))
    (difference,) = replay_all(store, None, None, lambda units: None).differences

    assert "can't be loaded" in difference.fault


def test_a_forged_model_is_named(store: Store, url: str, content: bytes) -> None:
    """Even if it is a good model file."""
    name = sha256(content).hexdigest()
    tamper(url, "UPDATE models SET content = :content", content=zlib.compress(content + b"x"))
    report = replay_all(store, None, None, lambda units: None)

    assert report.different == COUNT
    assert f"the model file {name} is forged" in report.differences[0].fault


@pytest.mark.parametrize("content", [b"no zlib", zlib.compress(b"other")])
def test_a_forged_file_is_not_decompressed(content: bytes) -> None:
    """Whatever stands in the column."""
    with pytest.raises(ReplayError, match="forged"):
        decompress_model(content, "aa")


def test_one_decision_is_explained(store: Store, model: Model) -> None:
    """With the contributions of its own inputs."""
    record = read_first(store)
    replayed = replay_decision(KeptModels(store), record)

    assert replayed is not None
    assert replayed.is_identical
    assert replayed.model.sha256 == model.sha256
    np.testing.assert_array_equal(
        replayed.scores.contributions, model.score(replayed.row[np.newaxis], explain=True).contributions
    )


def test_one_decision_that_differs_says_so(store: Store) -> None:
    """Its record is another one than the model gives."""
    record = read_first(store)
    replayed = replay_decision(KeptModels(store), replace(record, points=(record.points or 0) + 1))

    assert replayed is not None
    assert not replayed.is_identical


def test_an_erased_decision_has_no_replay(store: Store) -> None:
    """The record is there, its inputs are gone."""
    (record,) = find_records_of(store, "applicant 3")
    erase(store, [record])
    case = find_case(store, record.id)

    assert case is not None
    assert replay_decision(KeptModels(store), case.decision) is None


def test_few_models_stay_loaded(store: Store, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was used lately isn't loaded again."""
    monkeypatch.setattr("decisions.replay.MAX_LOADED_MODELS", 2)
    models, name = KeptModels(store), sha256(content).hexdigest()
    model = models.load(name)
    for other in ("aa", "bb", "cc"):
        with pytest.raises(ReplayError):
            models.load(other)
        is_same = models.load(name) is model

        assert is_same
