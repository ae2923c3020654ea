"""Recorder: requests wait until their decisions are durable, and no longer than they must."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import psycopg
import pytest
from msgspec.structs import replace

from decisions.postgresql import MIGRATION_LOCK
from decisions.record import Answer, Record
from decisions.recorder import NotRecorded, Recorder
from decisions.schema import SCHEMA_VERSION
from decisions.store import open_store
from tests.decisions.proxy import Proxy
from tests.decisions.samples import MODEL, assert_whole, make_answer, make_entries, read_records
from tests.decisions.unreliable import Database
from tests.serve.running import WAIT_SECONDS

SECONDS = 0.3
"""Of a transaction at most, in these tests."""


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up and try again soon."""
    monkeypatch.setattr("decisions.recorder.WRITE_SECONDS", SECONDS)
    monkeypatch.setattr("decisions.recorder.RECONNECT_SECONDS", 0.05)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database whose connection can be lost."""
    database = Database(f"sqlite:///{tmp_path}/decisions.db")
    monkeypatch.setattr("decisions.writer.open_store", database.open)
    return database


@asynccontextmanager
async def recording(url: str, spool: Path | None = None) -> AsyncIterator[Recorder]:
    """A recorder that has started."""
    recorder = Recorder(url, spool)
    recorder.add_model(MODEL)
    await recorder.start()
    try:
        yield recorder
    finally:
        await recorder.stop()


async def record(recorder: Recorder, *applicants: str | int | None) -> Answer:
    """Record the decisions of a request."""
    answer = make_answer(*applicants)
    await recorder.record(answer, "request-1", "web")
    return answer


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not is_so():
            await asyncio.sleep(0.01)


def read_all(url: str) -> list[Record]:
    """All records of a database."""
    store = open_store(url, create=False)
    records = read_records(store)
    store.close()
    return records


def ids_of(answers: Sequence[Answer]) -> set[str]:
    """The ids of all decisions of some requests."""
    return {decision_id for answer in answers for decision_id in answer.decision_ids}


def test_requests_of_a_moment_share_a_transaction(url: str) -> None:
    """All that is ready at once, in one; what comes meanwhile, in the next one."""

    async def run() -> tuple[list[Answer], int]:
        async with recording(url) as recorder:
            answers = await asyncio.gather(*(record(recorder, f"{number}", number) for number in range(200)))
            status = recorder.status
            assert (status.recorded, status.failed, status.waiting, status.spooled) == (400, 0, 0, 0)
            return answers, len(recorder.take_commits())

    answers, commits = asyncio.run(run())
    records = read_all(url)

    assert commits == 1
    assert {record.id for record in records} == ids_of(answers)
    assert_whole(records)


def test_a_large_batch_is_divided(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between requests; one that is larger is written alone."""
    monkeypatch.setattr("decisions.recorder.MAX_BATCH_ROWS", 10)

    async def run() -> int:
        async with recording(url) as recorder:
            await asyncio.gather(*(record(recorder, *range(count)) for count in (6, 4, 6, 25, 1)))
            return len(recorder.take_commits())

    assert asyncio.run(run()) == 4
    assert len(read_all(url)) == 42


def test_only_the_request_that_the_database_refuses_fails(url: str) -> None:
    """The others of its transaction are recorded."""

    async def run() -> list[Answer | BaseException | None]:
        async with recording(url) as recorder:
            first = await record(recorder, "first")
            twice = recorder.record(replace(make_answer("x"), decision_ids=first.decision_ids), None, None)
            return list(
                await asyncio.gather(record(recorder, "a"), twice, record(recorder, "b"), return_exceptions=True)
            )

    before, fault, after = asyncio.run(run())

    assert isinstance(fault, NotRecorded)
    assert [record.applicant for record in read_all(url)] == ["first", "a", "b"]
    assert isinstance(before, Answer)
    assert isinstance(after, Answer)


def test_what_was_recorded_outlives_an_impatient_client(url: str) -> None:
    """Its request is cancelled while it waits; the others of the transaction are answered."""

    async def run() -> None:
        async with recording(url) as recorder:
            impatient = asyncio.create_task(record(recorder, "impatient"))
            patient = asyncio.create_task(record(recorder, "patient"))
            await asyncio.sleep(0)
            impatient.cancel()
            await patient

    asyncio.run(run())

    assert [record.applicant for record in read_all(url)] == ["impatient", "patient"]


def test_an_unexpected_error_reaches_every_request(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """None waits for ever, and the next one is recorded."""

    def fail(answer: Answer, request_id: str | None, key: str | None) -> None:
        raise MemoryError

    async def run() -> list[Answer | BaseException]:
        async with recording(url) as recorder:
            with monkeypatch.context() as patch:
                patch.setattr("decisions.recorder.make_decisions", fail)
                faults = await asyncio.gather(*(record(recorder, k) for k in range(3)), return_exceptions=True)
            await record(recorder, "next")
            assert (recorder.status.failed, recorder.status.waiting) == (3, 0)
            return faults

    assert [type(fault) for fault in asyncio.run(run())] == [MemoryError] * 3
    assert [record.applicant for record in read_all(url)] == ["next"]


def test_other_entries_are_recorded_too(url: str) -> None:
    """Reviews and outcomes, in the same chain."""

    async def run() -> None:
        async with recording(url) as recorder:
            await record(recorder, "a")
            await recorder.append([replace(make_entries("b")[0], kind="review")])

    asyncio.run(run())

    assert [record.kind for record in read_all(url)] == ["decision", "review"]


def test_too_many_waiting_decisions_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how many wait; one large request alone is no fault."""
    monkeypatch.setattr("decisions.recorder.MAX_WAITING_ROWS", 10)

    async def run() -> list[Answer | BaseException]:
        async with recording(url) as recorder:
            await record(recorder, *range(30))
            tasks = record(recorder, *range(9)), record(recorder, *range(2)), record(recorder, 1)
            return list(await asyncio.gather(*tasks, return_exceptions=True))

    first, refused, last = asyncio.run(run())

    assert str(refused) == "9 decisions wait for the database already"
    assert isinstance(refused, NotRecorded)
    assert isinstance(first, Answer)
    assert isinstance(last, Answer)
    assert len(read_all(url)) == 40


def test_a_lost_database_is_used_again_once_it_is_back(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Until then requests are refused at once; the log says what happened, once."""

    async def run() -> list[Answer]:
        with caplog.at_level(logging.INFO, "credit"):
            async with recording("") as recorder:
                answers = [await record(recorder, "a")]
                database.is_down = True
                with pytest.raises(NotRecorded, match="the database is down"):
                    await record(recorder, "b")
                assert not recorder.is_ready
                assert recorder.status.error == "the database is down"
                await asyncio.sleep(0.2)
                with pytest.raises(NotRecorded, match="the database is down"):
                    await record(recorder, "c")
                database.is_down = False
                await until(lambda: recorder.is_ready)
                answers.append(await record(recorder, "d"))
                assert (recorder.status.recorded, recorder.status.failed) == (2, 2)
                return answers

    answers = asyncio.run(run())

    assert {record.id for record in read_all(f"sqlite:///{tmp_path}/decisions.db")} == ids_of(answers)
    assert caplog.messages == [
        "decisions are recorded",
        "decisions can't be recorded, answering 503: the database is down",
        "decisions are recorded",
    ]


def test_a_database_that_is_away_at_the_start_is_logged_once(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """And connected to when it comes."""
    database.is_down = True

    async def run() -> None:
        with caplog.at_level(logging.INFO, "credit"):
            async with recording("") as recorder:
                assert not recorder.is_ready
                await asyncio.sleep(0.2)
                database.is_down = False
                await until(lambda: recorder.is_ready)
                await record(recorder, "a")

    asyncio.run(run())

    assert caplog.messages == [
        "decisions can't be recorded, answering 503: the database is down",
        "decisions are recorded",
    ]


def test_a_spool_takes_what_the_database_does_not(database: Database, tmp_path: Path) -> None:
    """Requests are answered all the time, and all is shipped in order."""

    async def run() -> list[Answer]:
        async with recording("", tmp_path / "spool") as recorder:
            answers = [await record(recorder, "a")]
            for _ in range(2):
                database.is_down = True
                answers += [await record(recorder, k) for k in range(5)]
                assert recorder.is_ready
                assert (recorder.status.is_connected, recorder.status.spooled) == (False, 5)
                database.is_down = False
                await until(lambda: not recorder.status.spooled)
                answers.append(await record(recorder, "directly"))
            assert recorder.status.failed == 0
            return answers

    answers = asyncio.run(run())
    records = read_all(f"sqlite:///{tmp_path}/decisions.db")

    assert [record.id for record in records] == [answer.decision_ids[0] for answer in answers]
    assert_whole(records)
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_waits_is_recorded_before_the_end(url: str) -> None:
    """Of several transactions."""

    async def run() -> list[Answer]:
        recorder = Recorder(url, None)
        await recorder.start()
        first = asyncio.create_task(record(recorder, "a"))
        await asyncio.sleep(0.001)
        rest = [asyncio.create_task(record(recorder, k)) for k in range(20)]
        await asyncio.sleep(0)
        await recorder.stop()
        return await asyncio.gather(first, *rest)

    assert ids_of(asyncio.run(run())) == {record.id for record in read_all(url)}


@pytest.fixture
def proxy(postgresql_url: str) -> Iterator[Proxy]:
    """A network between the recorder and PostgreSQL."""
    with Proxy(urlsplit(postgresql_url).port or 0) as one:
        yield one


def through(proxy: Proxy, url: str) -> str:
    """The URL of a database behind the proxy."""
    head, _, database = url.rpartition("/")
    return f"{head.rpartition(':')[0]}:{proxy.port}/{database}"


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
def test_a_hanging_network_is_given_up(proxy: Proxy, postgresql_url: str, direction: str) -> None:
    """In time, while the event loop goes on; what the database commits late does no harm."""

    async def run() -> list[Answer]:
        async with recording(through(proxy, postgresql_url)) as recorder:
            answers = [await record(recorder, "a")]
            getattr(proxy, direction).clear()
            began = monotonic()
            with pytest.raises(NotRecorded, match="can't be used"):
                await record(recorder, "b")
            assert SECONDS * 0.9 < monotonic() - began < 3 * SECONDS
            with pytest.raises(NotRecorded):
                await record(recorder, "c")
            proxy.plug()
            await until(lambda: recorder.is_ready)
            answers += [await record(recorder, "d"), await record(recorder, "e")]
            return answers

    answers = asyncio.run(run())
    records = read_all(postgresql_url)

    assert ids_of(answers) <= {record.id for record in records}
    assert {record.applicant for record in records} <= {"a", "b", "d", "e"}
    assert_whole(records)


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
def test_a_spool_does_not_wait_for_a_hanging_network(
    proxy: Proxy, postgresql_url: str, tmp_path: Path, direction: str
) -> None:
    """Only the first request does, up to the time limit of a transaction; nothing is on record twice."""

    async def run() -> list[Answer]:
        async with recording(through(proxy, postgresql_url), tmp_path / "spool") as recorder:
            answers = [await record(recorder, "a")]
            getattr(proxy, direction).clear()
            answers.append(await record(recorder, "b"))
            began = monotonic()
            for k in range(20):
                answers.append(await record(recorder, k))
                await asyncio.sleep(0.02)
            assert monotonic() - began < 0.4 + 2 * SECONDS
            proxy.plug()
            await until(lambda: not recorder.status.spooled)
            answers.append(await record(recorder, "z"))
            return answers

    answers = asyncio.run(run())
    records = read_all(postgresql_url)

    assert [record.id for record in records] == [answer.decision_ids[0] for answer in answers]
    assert_whole(records)


def test_a_migration_that_waits_is_given_up(postgresql_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Another process holds the lock for ever; the service starts nevertheless, and goes on when the lock is free."""
    open_store(postgresql_url).close()

    async def run() -> None:
        with psycopg.connect(postgresql_url) as holder:
            holder.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            began = monotonic()
            async with recording(postgresql_url) as recorder:
                assert monotonic() - began < 4 * SECONDS
                assert not recorder.is_ready
                holder.rollback()
                await until(lambda: recorder.is_ready)
                await record(recorder, "a")

    asyncio.run(run())

    assert len(read_all(postgresql_url)) == 1


def test_a_newer_schema_is_refused(url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says what to do."""
    store = open_store(url)
    store.migrate()
    store.close()
    for name in ("sqlite", "postgresql"):
        monkeypatch.setattr(f"decisions.{name}.SCHEMA_VERSION", 0)
    monkeypatch.setattr("decisions.schema.SCHEMA_VERSION", 0)

    async def run() -> None:
        async with recording(url) as recorder:
            with pytest.raises(NotRecorded, match=f"schema version {SCHEMA_VERSION}, expected at most 0"):
                await record(recorder, "a")

    asyncio.run(run())

    (message,) = caplog.messages
    assert message.endswith("run the version of the code that migrated it")


def test_a_full_disk_of_the_server_is_reported(postgresql_url: str) -> None:
    """503 until there is space, with the server's words; not a fault of the request."""

    async def run() -> None:
        async with (
            recording(postgresql_url) as recorder,
            await psycopg.AsyncConnection.connect(postgresql_url, autocommit=True) as other,
        ):
            await other.execute(
                "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full', DETAIL = NEW.payload; END $$"
            )
            await other.execute("CREATE TRIGGER fill BEFORE INSERT ON records FOR EACH ROW EXECUTE FUNCTION fill()")
            with pytest.raises(NotRecorded, match="could not extend file") as caught:
                await record(recorder, "SECRET")
            assert "SECRET" not in str(caught.value)
            await other.execute("DROP TRIGGER fill ON records")
            await until(lambda: recorder.is_ready)
            await record(recorder, "a")

    asyncio.run(run())

    assert [record.applicant for record in read_all(postgresql_url)] == ["a"]
