"""A challenger in the shadow: each decision is scored by it too, on record, and no answer shows it."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from decisions.model_files import describe_file
from decisions.record import Answer, DecisionPayload, Entry
from decisions.recorder import NotRecorded
from decisions.replay import replay_all
from decisions.store import open_store
from decisions.verify import verify
from model.loading import load_model
from model.policy import DECISIONS
from model.session import Matrix, Model, Scores
from serve.challenger import ShadowStatus
from serve.loading import make_runtime
from serve.runtime import Runtime
from serve.settings import Settings
from serve.shadow import MAX_WAITING_BYTES, PORTION_ROWS, Shadow
from tests.decisions.samples import NOW, ids
from tests.serve.challengers import VERSION, Failing, make_card, make_challenger
from tests.serve.files import UNSERVABLE, with_contract
from tests.serve.running import SERVE, Connection, Service, request, running, wait_until
from train.export.golden import draw_applicants

ROWS = 10_000

COLUMNS = "id, subject, time, applicant, probability, decision, points, reasons, payload, model, request_id, key"


@pytest.fixture(scope="session")
def challenger_content() -> bytes:
    """The bytes of a challenger with some of the champion's fields, in another order, levels too."""
    return make_challenger()


@pytest.fixture(scope="session")
def challenger(challenger_content: bytes) -> Model:
    """The challenger."""
    return load_model(challenger_content)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The DECISIONS_URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/decisions.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def path(challenger_content: bytes, tmp_path: Path) -> Path:
    """CHALLENGER_PATH."""
    path = tmp_path / "challenger.onnx"
    path.write_bytes(challenger_content)
    return path


@pytest.fixture
def service(content: bytes, url: str, path: Path, tmp_path: Path) -> Iterator[Service]:
    """The service with the challenger in the shadow."""
    with running(tmp_path, content, SERVE, DECISIONS_URL=url, CHALLENGER_PATH=str(path)) as started:
        wait_until(lambda: bool(started.said("is in the shadow")))
        yield started


def ask(service: Service, path: str, body: Any, *more: str) -> Any:
    """POST; the answer must be 200."""
    with Connection(service.port) as connection:
        connection.send(request("POST", path, body, *more))
        answer = connection.read()
    assert answer.status == 200, answer.body
    return answer


def read_rows(url: str, kind: str) -> list[tuple[Any, ...]]:
    """The records of a kind, in order."""
    with closing(open_store(url, create=False)) as store:
        sql = f"SELECT {COLUMNS} FROM records WHERE kind = :kind ORDER BY chain, sequence"  # noqa: S608
        return list(store.query(sql, {"kind": kind}))


def wait_for_shadows(url: str, count: int) -> list[tuple[Any, ...]]:
    """The records of the challenger once there are so many; the database must be whole, and replay to the bit."""
    wait_until(lambda: len(read_rows(url, "shadow")) >= count)
    rows = read_rows(url, "shadow")
    with closing(open_store(url, create=False)) as store:
        assert verify(store, None, lambda units: None).faults == []
        report = replay_all(store, None, None, lambda units: None, "shadow")
    assert (report.decisions, report.identical) == (count, count)
    return rows


def assert_shadows(url: str, challenger: Model, applicants: Matrix, given_ids: Sequence[Any]) -> None:
    """Fail unless just these applicants of the champion are on record with what the challenger says of them."""
    debt, home, amount = applicants[:, 4], applicants[:, 2], applicants[:, 0]
    rows = np.column_stack([debt, 2 - home, amount])
    scores = challenger.score(rows)
    points = challenger.contract.policy.score_points(scores.probability).tolist()
    shadows = wait_for_shadows(url, len(applicants))
    decisions = read_rows(url, "decision")
    by_subject = {shadow[1]: shadow for shadow in shadows}
    assert len(by_subject) == len(decisions) == len(applicants)
    for number, decision in enumerate(decisions):
        _, _, made, applicant, *answer, payload, model, request_id, key = by_subject[decision[0]]
        given = msgspec.json.decode(payload, type=DecisionPayload)
        inputs = [np.nan if value is None else value for value in given.inputs]
        assert np.array_equal(inputs, rows[number], equal_nan=True)
        assert given.id == given_ids[number]
        assert (made, applicant) == (decision[2], decision[3])
        assert answer == [scores.probability[number], DECISIONS[scores.decision[number]], points[number], 0]
        assert (model, request_id, key) == (challenger.sha256, None, None)


def name_values(model: Model, row: list[float]) -> dict[str, Any]:
    """An applicant by name; a missing value is null."""
    return {
        field.name: None if np.isnan(value) else field.levels[int(value)] if field.kind == "category" else value
        for field, value in zip(model.contract.fields, row, strict=True)
    }


def draw(model: Model, rows: int) -> Matrix:
    """Applicants for the champion."""
    return draw_applicants(list(model.contract.fields), rows, 17)


def send_json(service: Service, model: Model, rows: Matrix) -> list[Any]:
    """POST /score as JSON; returns the ids given."""
    given = [f"A-{k}" for k in range(len(rows))]
    named = [{"id": one, **name_values(model, row)} for one, row in zip(given, rows.tolist(), strict=True)]
    ask(service, "/score", {"applicants": named, "reasons": 0})
    return given


def send_csv(service: Service, model: Model, rows: Matrix) -> list[Any]:
    """POST /score as CSV; returns the ids given."""
    lines = [",".join(["id", *(field.name for field in model.contract.fields)])]
    for number, row in enumerate(rows.tolist()):
        values = name_values(model, row).values()
        lines.append(",".join([str(number), *("" if value is None else str(value) for value in values)]))
    ask(service, "/score", "\n".join(lines).encode(), "Content-Type: text/csv")
    return [str(number) for number in range(len(rows))]


def send_rows(service: Service, model: Model, rows: Matrix) -> list[Any]:
    """POST /predict."""
    data = [[None if np.isnan(value) else value for value in row] for row in rows.tolist()]
    ask(service, "/predict", {"data": data})
    return [None] * len(rows)


def send_tensor(service: Service, model: Model, rows: Matrix) -> list[Any]:
    """POST /v2/…/infer in JSON."""
    data = [[None if np.isnan(value) else value for value in row] for row in rows.tolist()]
    tensor = {"name": "applicants", "shape": list(rows.shape), "datatype": "FP64", "data": data}
    ask(service, f"/v2/models/{model.contract.name}/infer", {"inputs": [tensor]})
    return [None] * len(rows)


def send_bytes(service: Service, model: Model, rows: Matrix) -> list[Any]:
    """POST /v2/…/infer with a binary tensor."""
    parameters = {"binary_data_size": rows.nbytes}
    tensor = {"name": "applicants", "shape": list(rows.shape), "datatype": "FP64", "parameters": parameters}
    head = json.dumps({"inputs": [tensor]}).encode()
    more = [f"Inference-Header-Content-Length: {len(head)}", "Content-Type: application/octet-stream"]
    ask(service, f"/v2/models/{model.contract.name}/infer", head + rows.astype("<f8").tobytes(), *more)
    return [None] * len(rows)


def test_every_format_is_scored_by_both(service: Service, url: str, model: Model, challenger: Model) -> None:
    """Inputs, probability, decision and points to the bit, under the applicant's id and the decision's time."""
    applicants = draw(model, 5 * (1 + 64))

    given, rest = [], applicants
    for send in (send_json, send_csv, send_rows, send_tensor, send_bytes):
        for count in (1, 64):
            given += send(service, model, rest[:count])
            rest = rest[count:]

    assert_shadows(url, challenger, applicants, given)


@pytest.mark.parametrize("send", [send_rows, send_bytes])
def test_a_large_body_is_scored_in_portions(
    service: Service, url: str, model: Model, challenger: Model, send: Callable[..., list[Any]]
) -> None:
    """All of its applicants, each once."""
    applicants = draw(model, ROWS)

    given = send(service, model, applicants)

    assert_shadows(url, challenger, applicants, given)
    wait_until(lambda: service.metrics()["credit_challenger_scored_total"] == ROWS)


def test_requests_one_after_the_other_do_not_mix(service: Service, url: str, model: Model, challenger: Model) -> None:
    """Single rows, whose buffer the next request overwrites."""
    applicants = draw(model, 100)
    for row in applicants:
        send_rows(service, model, row[None, :])

    assert_shadows(url, challenger, applicants, [None] * 100)
    assert service.metrics()["credit_challenger_loaded"] == 1


def test_answers_are_those_of_the_champion(service: Service, model: Model, vector: list[Any]) -> None:
    """With the same members as without a challenger; readiness doesn't know of it."""
    answer = service.ask("POST", "/score", {"applicants": [vector]}).json()
    ready = service.ask("GET", "/readyz").json()

    expected = model.score(np.array([vector], dtype=np.float64)).probability.item()
    assert answer["results"][0]["probability"] == expected
    assert answer["model"]["sha256"] == ready["model"]["sha256"] == model.sha256
    assert set(ready) == {"status", "model", "decisions"}


def test_moving_the_file_promotes_the_challenger(
    service: Service, url: str, path: Path, challenger: Model, vector: list[Any]
) -> None:
    """It is in service and out of the shadow, without a restart or a failed request."""
    send = {"data": [vector]}
    ask(service, "/predict", send)
    wait_for_shadows(url, 1)

    path.rename(service.model)
    wait_until(lambda: bool(service.said("has left the shadow")))
    wait_until(lambda: service.version() == VERSION)
    wait_until(lambda: service.metrics()["credit_challenger_loaded"] == 0)
    debt, home, amount = vector[4], 2 - vector[2], vector[0]
    answer = ask(service, "/predict", {"data": [[debt, home, amount]]})

    scored = challenger.score(np.array([[debt, home, amount]], np.float64)).probability.tolist()
    assert answer.json == scored
    time.sleep(1.5)
    assert len(read_rows(url, "shadow")) == 1


def test_the_model_in_service_is_no_challenger(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model, caplog: pytest.LogCaptureFixture
) -> None:
    """Whichever is noticed first when a file is moved, its new place or that it is gone: the log says it once."""
    caplog.set_level(logging.INFO, "credit")
    version = challenger.contract.version

    async def promote(*, is_gone_first: bool) -> list[str]:
        shadow = await open_shadow(monkeypatch, runtime, challenger, Recorder())
        caplog.clear()
        if is_gone_first:
            await shadow.reload(is_there=False)
        shadow.set_champion(challenger)
        await shadow.reload(is_there=False)
        await shadow.stop()
        assert (shadow.model, shadow.status.is_loaded) == (None, False)
        return [message for message in caplog.messages if message.startswith("challenger")]

    assert asyncio.run(promote(is_gone_first=False)) == [
        f"challenger {version} has left the shadow: it is the model in service"
    ]
    assert asyncio.run(promote(is_gone_first=True)) == [
        f"challenger {version} has left the shadow: challenger.onnx is gone"
    ]


def test_stopping_records_what_waits(service: Service, url: str, model: Model, challenger: Model) -> None:
    """SIGTERM right after the answers: nothing is lost, and it takes no longer than a few seconds."""
    applicants = draw(model, 2_000)
    send_rows(service, model, applicants)

    assert service.stop() == 0
    assert_shadows(url, challenger, applicants, [None] * 2_000)


def test_every_worker_has_its_own(content: bytes, url: str, path: Path, tmp_path: Path, vector: list[Any]) -> None:
    """Each decision is scored once, whoever answered."""
    settings = {"DECISIONS_URL": url, "CHALLENGER_PATH": str(path), "WEB_CONCURRENCY": "2"}
    with running(tmp_path, content, SERVE, **settings) as service:
        wait_until(lambda: len(service.said("is in the shadow")) == 2)
        for _ in range(30):
            ask(service, "/predict", {"data": [vector]})
        wait_for_shadows(url, 30)
        wait_until(lambda: service.metrics()["credit_challenger_scored_total"] == 30)


@pytest.mark.parametrize("fault", ["absent", "garbage", "a folder", *UNSERVABLE])
def test_a_broken_file_harms_nobody_at_the_start(
    content: bytes, challenger_content: bytes, tmp_path: Path, fault: str, vector: list[Any]
) -> None:
    """It is logged once; a good one that takes its place is taken."""
    url, path = f"sqlite:///{tmp_path}/decisions.db", tmp_path / "challenger.onnx"
    if fault in UNSERVABLE:
        path.write_bytes(UNSERVABLE[fault][0](challenger_content))
    elif fault == "garbage":
        path.write_bytes(b"garbage")
    elif fault == "a folder":
        path.mkdir()
    with running(tmp_path, content, SERVE, DECISIONS_URL=url, CHALLENGER_PATH=str(path)) as service:
        wait_until(lambda: bool(service.said("no challenger: ")))
        ask(service, "/predict", {"data": [vector]})
        assert len(service.said("no challenger: ")) == 1
        assert read_rows(url, "shadow") == []

        if path.is_dir():
            path.rmdir()
        new = path.with_suffix(".new")
        new.write_bytes(challenger_content)
        new.replace(path)
        wait_until(lambda: bool(service.said("is in the shadow")))
        ask(service, "/predict", {"data": [vector]})
        wait_for_shadows(url, 1)


def test_a_broken_replacement_keeps_the_challenger(
    service: Service, url: str, path: Path, challenger_content: bytes, vector: list[Any]
) -> None:
    """As a broken model file keeps the model; a good one is taken, and its file kept for its records."""
    path.write_bytes(b"garbage")
    wait_until(lambda: bool(service.said(f"kept challenger {VERSION}: the model file ends without its checksum")))
    ask(service, "/predict", {"data": [vector]})
    wait_for_shadows(url, 1)

    path.write_bytes(with_contract(challenger_content, version="2026.04.05-00000000"))
    wait_until(lambda: bool(service.said("challenger 2026.04.05-00000000 is in the shadow")))
    ask(service, "/predict", {"data": [vector]})
    wait_for_shadows(url, 2)

    with closing(open_store(url, create=False)) as store:
        versions = [version for (version,) in store.query("SELECT model_version FROM shadows ORDER BY id")]
    assert versions == [VERSION, "2026.04.05-00000000"]


def test_a_challenger_that_does_not_fit_waits_for_a_champion_that_it_fits(
    content: bytes, tmp_path: Path, vector: list[Any]
) -> None:
    """The log says why it isn't in the shadow; decisions aren't counted as skipped."""
    path, url = tmp_path / "challenger.onnx", f"sqlite:///{tmp_path}/decisions.db"
    path.write_bytes(with_contract(content, version="2"))
    champion = make_challenger()
    with running(tmp_path, champion, SERVE, DECISIONS_URL=url, CHALLENGER_PATH=str(path)) as service:
        wait_until(lambda: bool(service.said("isn't in the shadow: its field 'Income' is none of the champion's")))
        ask(service, "/predict", {"data": [[0.5, 1, 20]]})
        service.replace_model(content)
        wait_until(lambda: bool(service.said("is in the shadow")))
        ask(service, "/predict", {"data": [vector]})
        wait_for_shadows(url, 1)
        wait_until(lambda: service.metrics()["credit_challenger_scored_total"] == 1)
        metrics = service.metrics()

    assert (metrics["credit_challenger_skipped_total"], metrics["credit_challenger_loaded"]) == (0, 1)


def test_a_level_that_the_challenger_does_not_know_skips_its_applicants(
    content: bytes, model: Model, tmp_path: Path, vector: list[Any]
) -> None:
    """The log names it; the others are scored."""
    path, url = tmp_path / "challenger.onnx", f"sqlite:///{tmp_path}/decisions.db"
    path.write_bytes(make_challenger(make_card(levels=("rent", "own"))))
    with running(tmp_path, content, SERVE, DECISIONS_URL=url, CHALLENGER_PATH=str(path)) as service:
        wait_until(lambda: bool(service.said("skips applicants with Home=other")))
        ask(service, "/predict", {"data": [vector, [*vector[:2], 2, *vector[3:]], vector]})
        wait_until(lambda: service.metrics()["credit_challenger_skipped_total"] == 1)
        rows = wait_for_shadows(url, 2)

    assert len(rows) == 2


def test_a_spool_has_the_challenger_too(
    content: bytes, challenger: Model, path: Path, tmp_path: Path, vector: list[Any]
) -> None:
    """DECISIONS=best-effort without a database: its records and its file are shipped when the database is there."""
    folder = tmp_path / "later"
    url = f"sqlite:///{folder}/decisions.db"
    settings = {"DECISIONS": "best-effort", "DECISIONS_SPOOL": str(tmp_path / "spool")}
    with running(tmp_path, content, SERVE, DECISIONS_URL=url, CHALLENGER_PATH=str(path), **settings) as service:
        wait_until(lambda: bool(service.said("is in the shadow")))
        ask(service, "/predict", {"data": [vector, vector]})
        wait_until(lambda: service.metrics()["credit_challenger_scored_total"] == 2)
        assert service.metrics()["credit_decisions_spooled"] == 4
        folder.mkdir()
        wait_until(lambda: service.metrics()["credit_decisions_connected"] == 1)
        wait_until(lambda: service.metrics()["credit_decisions_spooled"] == 0)

    rows = wait_for_shadows(url, 2)
    assert {row[9] for row in rows} == {challenger.sha256}


class Recorder:
    """Keeps entries, or refuses them."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.entries: list[Entry] = []
        self.portions: list[int] = []
        self._refuses = refuses

    def add_model(self, model: object) -> None:
        """Keep nothing."""

    async def append(self, entries: Sequence[Entry], *, is_counted: bool = True) -> None:
        """Keep or refuse entries, which must not count as those of requests."""
        assert not is_counted
        if self._refuses:
            raise NotRecorded("the database is gone")
        self.portions.append(len(entries))
        self.entries += entries


@pytest.fixture
def runtime(model: Model) -> Runtime:
    """The champion."""
    return make_runtime(model, Settings())


def make_answer(model: Model, count: int) -> Answer:
    """Decisions on applicants without ids; what the champion said doesn't matter here."""
    return Answer(ids.reserve(count), NOW, model.sha256, [None] * count, [], [], [], [], 0)


async def open_shadow(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model, recorder: Recorder
) -> Shadow:
    """A Shadow with this challenger, which has started."""
    file = describe_file(challenger, b"")
    monkeypatch.setattr("serve.shadow.load_challenger", lambda path, settings: (challenger, file))
    monkeypatch.setattr("serve.shadow.GATHER_SECONDS", 0.01)
    shadow = Shadow(Path("challenger.onnx"), Settings(), recorder)  # type: ignore[arg-type]
    shadow.set_champion(runtime.model)
    await shadow.reload(is_there=True)
    shadow.start()
    return shadow


def add(shadow: Shadow, runtime: Runtime, applicants: Matrix) -> None:
    """Queue decisions on these applicants."""
    waiting = shadow.copy(runtime, applicants, make_answer(runtime.model, len(applicants)))
    assert waiting is not None
    shadow.add(waiting)


def run(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model, recorder: Recorder, *bodies: Matrix
) -> ShadowStatus:
    """How it went with these bodies, one after the other."""

    async def score() -> ShadowStatus:
        shadow = await open_shadow(monkeypatch, runtime, challenger, recorder)
        for body in bodies:
            add(shadow, runtime, body)
        await shadow.stop()
        return shadow.status

    return asyncio.run(score())


def fail(challenger: Model, **how: Any) -> Failing:
    """The challenger, failing."""
    return Failing(challenger.contract, challenger.sha256, challenger.session, **how)


def test_requests_are_scored_together_and_recorded_in_portions(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model
) -> None:
    """None has more than PORTION_ROWS."""
    recorder = Recorder()
    rows = draw(runtime.model, 501)

    status = run(monkeypatch, runtime, challenger, recorder, *[rows[:1]] * 300, rows)

    assert status == ShadowStatus(is_loaded=True, scored=801)
    assert recorder.portions == [PORTION_ROWS, 100, PORTION_ROWS, PORTION_ROWS, 101]
    assert len({entry.subject for entry in recorder.entries}) == len({entry.id for entry in recorder.entries}) == 801


@pytest.mark.parametrize("error", [RuntimeError("boom"), MemoryError(), KeyError("x"), RecursionError()])
def test_a_challenger_that_crashes_is_logged_once(
    monkeypatch: pytest.MonkeyPatch,
    runtime: Runtime,
    challenger: Model,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And counted each time."""
    recorder, rows = Recorder(), draw(runtime.model, 150)

    with caplog.at_level(logging.ERROR, "credit"):
        status = run(monkeypatch, runtime, fail(challenger, error=error), recorder, rows, rows)

    assert status == ShadowStatus(is_loaded=True, failed=300)
    assert caplog.messages == [f"challenger {VERSION} fails"]
    assert recorder.entries == []


def test_a_probability_of_nan_is_not_recorded(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model
) -> None:
    """The others are."""
    recorder = Recorder()

    status = run(monkeypatch, runtime, fail(challenger, is_nan=True), recorder, draw(runtime.model, 100))

    assert status == ShadowStatus(is_loaded=True, scored=50, failed=50)
    assert all(entry.probability is not None and 0 <= entry.probability <= 1 for entry in recorder.entries)


def test_what_cannot_be_recorded_is_dropped(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model
) -> None:
    """And counted."""
    status = run(monkeypatch, runtime, challenger, Recorder(refuses=True), draw(runtime.model, 300))

    assert status == ShadowStatus(is_loaded=True, failed=300)


def test_a_full_queue_skips(monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model) -> None:
    """A challenger that is too slow takes no more memory than MAX_WAITING_BYTES."""
    recorder, rows = Recorder(), draw(runtime.model, 10_000)
    monkeypatch.setattr("serve.shadow.STOP_SECONDS", 0.0)
    fitting = MAX_WAITING_BYTES // (200 * (rows[0].nbytes + 200)) * 200

    status = run(monkeypatch, runtime, challenger, recorder, *[rows] * (fitting // 10_000 + 2))

    n = 10_000 * (fitting // 10_000 + 2)
    assert status.scored + status.skipped == n
    assert status.skipped >= n - fitting


class Hanging(Model, frozen=True):
    """A model that answers when it may."""

    may_answer: threading.Event

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Wait."""
        assert self.may_answer.wait(10)
        return Model.score(self, applicants, explain=explain)


def test_a_challenger_that_hangs_does_not_keep_the_service_from_stopping(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model, caplog: pytest.LogCaptureFixture
) -> None:
    """What is left is counted as skipped."""
    may_answer = threading.Event()
    hanging = Hanging(challenger.contract, challenger.sha256, challenger.session, may_answer)
    monkeypatch.setattr("serve.shadow.STOP_SECONDS", 0.05)

    status = run(monkeypatch, runtime, hanging, Recorder(), draw(runtime.model, 500))
    may_answer.set()

    assert status == ShadowStatus(is_loaded=True, skipped=500)
    assert "the challenger is too slow: 300 decisions were not scored by it before the stop" in caplog.messages


def test_a_challenger_that_hangs_leaves_the_shadow(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model, caplog: pytest.LogCaptureFixture
) -> None:
    """What waits for it is skipped; a file that is put in its place can be loaded."""
    may_answer = threading.Event()
    hanging = Hanging(challenger.contract, challenger.sha256, challenger.session, may_answer)
    monkeypatch.setattr("serve.shadow.CALL_SECONDS", 0.05)
    monkeypatch.setattr("serve.shadow.GATHER_SECONDS", 0.01)

    status = run(monkeypatch, runtime, hanging, Recorder(), draw(runtime.model, 500))
    may_answer.set()

    assert status == ShadowStatus(is_loaded=False, failed=200, skipped=300)
    assert f"challenger {challenger.contract.version} has left the shadow: its graph doesn't end; replace the file" in (
        caplog.messages
    )


def test_decisions_of_a_champion_with_other_fields_are_skipped(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, challenger: Model, applicants: Matrix, content: bytes
) -> None:
    """One that was replaced while the request was in progress; one with equal fields matters not."""
    other = make_runtime(challenger, Settings())
    equal = make_runtime(load_model(with_contract(content, version="2")), Settings())

    async def score() -> ShadowStatus:
        shadow = await open_shadow(monkeypatch, runtime, challenger, Recorder())
        assert shadow.copy(other, applicants[:, :3], make_answer(challenger, len(applicants))) is None
        add(shadow, equal, applicants)
        await shadow.stop()
        return shadow.status

    status = asyncio.run(score())
    assert (status.skipped, status.scored) == (len(applicants), len(applicants))
