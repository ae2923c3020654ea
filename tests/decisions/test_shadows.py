"""What a challenger would have decided, on record: checked and replayed as decisions are, and shown as none."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from decisions.chain import Chain
from decisions.ids import IdSource
from decisions.model_files import describe_file
from decisions.reading import DecisionFilter, find_case, find_records_of, list_decisions
from decisions.record import DecisionPayload, Record
from decisions.shadows import Shadows, make_shadows
from decisions.store import open_store
from model.loading import load_model
from model.policy import DECISIONS
from model.session import Model
from tests.decisions.filled import COUNT, fill_url, find_faults, read_url, run, tamper
from tests.decisions.samples import NOW
from tests.serve.files import with_contract
from train.export.golden import draw_applicants

LATER = "2026.02.03-12345678"


@pytest.fixture
def challenger(content: bytes) -> bytes:
    """A model file with another hash, and the same fields."""
    return with_contract(content, version=LATER)


@pytest.fixture
def decisions(url: str, content: bytes, challenger: bytes) -> list[Record]:
    """The decisions of a database that has a shadow of each."""
    decisions = fill_url(url, content)
    model = load_model(challenger)
    rows = draw_applicants(list(model.contract.fields), COUNT, 9)
    scores = model.score(rows)
    shadows = Shadows(
        ids=IdSource().reserve(COUNT),
        model=model.sha256,
        subjects=[decision.id for decision in decisions],
        times=[decision.time for decision in decisions],
        applicants=[msgspec.json.decode(it.payload or "", type=DecisionPayload).id for it in decisions],
        inputs=rows.tolist(),
        probability=scores.probability.tolist(),
        decision=[DECISIONS[index] for index in scores.decision.tolist()],
        points=model.contract.policy.score_points(scores.probability).tolist(),
    )
    with closing(open_store(url)) as store:
        store.put_model(describe_file(model, challenger), NOW)
        Chain(store).append(make_shadows(shadows))
    return decisions


def read_shadows(url: str) -> list[Record]:
    """The shadows, in order."""
    return [record for record in read_url(url) if record.kind == "shadow"]


def test_they_are_verified_and_replayed(
    url: str, decisions: list[Record], challenger: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report has them apart from the decisions."""
    path = tmp_path / "report.json"

    assert run(url, "verify") == 0
    assert run(url, "replay", "--report", path) == 0

    report = json.loads(path.read_text())
    sha256 = load_model(challenger).sha256
    assert (report["decisions"], report["identical"]) == (COUNT, COUNT)
    assert (report["shadows"]["decisions"], report["shadows"]["identical"]) == (COUNT, COUNT)
    assert report["shadows"]["models"] == {sha256: COUNT}
    assert sha256 not in report["models"]
    assert f"{COUNT} shadows by 1 model file: {COUNT} identical to the bit, 0 different, 0 erased" in (
        capsys.readouterr().out
    )


def test_a_changed_one_is_found(url: str, decisions: list[Record]) -> None:
    """By verify, also its applicant, which no hash covers, and by replay."""
    first, second = read_shadows(url)[:2]
    tamper(url, "UPDATE records SET probability = 0.5 WHERE id = :id", id=first.id)
    tamper(url, "UPDATE records SET applicant = 'another' WHERE id = :id", id=second.id)

    with closing(open_store(url, create=False)) as store:
        faults = "\n".join(find_faults(store))
    assert first.id in faults
    assert f"{second.id}: changed: its applicant isn't the one of its payload" in faults
    assert run(url, "replay") == 1


def test_a_challenger_that_is_not_kept_is_a_fault(url: str, decisions: list[Record], challenger: bytes) -> None:
    """Its records name it."""
    sha256 = load_model(challenger).sha256
    tamper(url, "DELETE FROM models WHERE sha256 = :name", name=sha256)

    with closing(open_store(url, create=False)) as store:
        assert find_faults(store) == [
            f"model {sha256}: missing: {COUNT} records were made by it, and it isn't kept",
        ]


def test_lists_and_cases_show_decisions_only(url: str, decisions: list[Record], model: Model) -> None:
    """Neither a list, nor a case, nor its history has a shadow."""
    shadow = read_shadows(url)[0]
    with closing(open_store(url, create=False)) as store:
        case = find_case(store, decisions[0].id)
        assert case is not None
        assert (case.decision, case.history) == (decisions[0], [])
        assert find_case(store, shadow.id) is None
        listed = list_decisions(store, DecisionFilter(applicant="applicant 0"), None, 100).decisions
        assert [one.id for one in listed] == [decisions[0].id]
        assert {one.model_sha256 for one in list_decisions(store, DecisionFilter(), None, 100).decisions} == {
            model.sha256
        }


def test_exports_are_of_decisions_and_of_all_that_is_held(
    url: str, decisions: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has decisions; an applicant is told of the challenger too, with the inputs that it took."""
    assert run(url, "export", "--out", tmp_path / "all.jsonl") == 0
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == COUNT
    capsys.readouterr()

    assert run(url, "export", "--applicant", "applicant 3") == 0

    decision, shadow = map(json.loads, capsys.readouterr().out.splitlines())
    assert (decision["kind"], shadow["kind"]) == ("decision", "shadow")
    assert (shadow["decision_id"], shadow["model_version"]) == (decision["id"], LATER)
    assert shadow["inputs"].keys() == decision["inputs"].keys()


def test_erasing_an_applicant_takes_them_along(url: str, decisions: list[Record]) -> None:
    """And nobody else's; verify and replay know."""
    assert run(url, "erase", "--applicant", "applicant 3", "--yes") == 0

    erased = [record for record in read_url(url) if record.payload is None]
    assert {(record.kind, record.subject or record.id) for record in erased} == {
        ("decision", decisions[3].id),
        ("shadow", decisions[3].id),
    }
    assert all((record.applicant, record.salt) == (None, None) for record in erased)
    assert run(url, "verify") == run(url, "replay") == 0


def test_one_that_is_written_after_an_erasure_is_erased_by_another(
    url: str, content: bytes, challenger: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service writes them a second after the decision; verify names it."""
    (decision,) = fill_url(url, content)[3:4]
    model, given = load_model(challenger), msgspec.json.decode(decision.payload or "", type=DecisionPayload)
    inputs = [value or 0.0 for value in given.inputs]
    erasing = ("erase", "--applicant", "applicant 3", "--yes")
    assert run(url, *erasing) == 0
    late = Shadows(
        IdSource().reserve(1), model.sha256, [decision.id], [NOW], [given.id], [inputs], [0.5], ["review"], [500]
    )
    with closing(open_store(url)) as store:
        store.put_model(describe_file(model, challenger), NOW)
        Chain(store).append(make_shadows(late))
    capsys.readouterr()

    assert run(url, "verify") == 1
    assert f"{read_shadows(url)[0].id}: changed: its applicant" in capsys.readouterr().out
    assert run(url, *erasing) == 0
    assert run(url, "verify") == 0
    assert read_shadows(url)[0].payload is None


def test_long_ids_that_share_a_key_are_told_apart(url: str, content: bytes, decisions: list[Record]) -> None:
    """Also where the decision was deleted by age, and its shadow wasn't."""
    shadow = read_shadows(url)[0]
    one, other = "x" * 300, "x" * 200 + "y"
    made = [
        Shadows(
            IdSource().reserve(1),
            shadow.model or "",
            [f"gone {name[-1]}"],
            [NOW],
            [name],
            [[1.0]],
            [0.5],
            ["accept"],
            [1],
        )
        for name in (one, other)
    ]
    with closing(open_store(url, create=False)) as store:
        records = Chain(store).append([entry for some in made for entry in make_shadows(some)])
        assert [record.id for record in find_records_of(store, one)] == [records[0].id]


def test_the_view_is_for_reporting(url: str, decisions: list[Record], model: Model) -> None:
    """A swap set by SQL: what both say of the same applicants."""
    sql = """
        SELECT count(*), count(DISTINCT shadows.applicant), min(shadows.model_version), min(decisions.model_version)
        FROM shadows JOIN decisions ON decisions.id = shadows.decision_id
    """
    with closing(open_store(url, create=False)) as store:
        assert list(store.query(sql)) == [(COUNT, COUNT, LATER, model.contract.version)]


def test_they_grow_old_as_decisions_do(url: str, decisions: list[Record], capsys: pytest.CaptureFixture[str]) -> None:
    """They have the decision's time."""
    assert {record.time for record in read_shadows(url)} == {record.time for record in decisions}
    tamper(url, "UPDATE records SET time = 0")

    assert run(url, "prune", "--older-than", "1y", "--yes") == 0

    assert f"{COUNT} shadows from" in capsys.readouterr().out
    assert read_shadows(url) == []
