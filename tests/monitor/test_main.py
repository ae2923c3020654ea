"""`python -m monitor backtest`: what it prints and writes, its exit codes, and that it only reads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from msgspec import json as msgspec_json
from msgspec import structs
from onnx import ModelProto
from onnx.helper import set_model_props

from benchmarks.decisions_store import fill
from benchmarks.simulated_records import record_stream
from benchmarks.simulator import Change, Lender, make_content, simulate
from decisions.__main__ import main as run_decisions
from decisions.store import open_store
from model.contract import write_contract
from model.loading import load_model
from monitor import commands
from monitor.__main__ import main
from monitor.backtest import Backtest
from tests.decisions.filled import tamper
from tests.monitor.html import read_html

LENDER = Lender(weekly=200)

LENDER_CONTENT = make_content(LENDER.default_rate, LENDER.unused)

CHALLENGER = make_content(LENDER.default_rate, ("Debt",), seed=2)

Output = pytest.CaptureFixture[str]


def record(url: str, *changes: Change, weeks: int = 20) -> None:
    """Fill an empty database with what the simulated lender decided, and what became of it."""
    with closing(open_store(url)) as store:
        record_stream(store, LENDER, simulate(LENDER, weeks, changes, seed=1))


def backtest(url: str, folder: Path, *arguments: object) -> int:
    """The exit code."""
    return main(["backtest", "--decisions", url, "--out", str(folder), *map(str, arguments)])


def read(folder: Path) -> Backtest:
    """What monitor.json holds."""
    return msgspec_json.decode((folder / "monitor.json").read_bytes(), type=Backtest)


def find_error(output: Output) -> str:
    """The one line that was printed."""
    printed = output.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("can't backtest: ")
    assert printed.err.count("\n") == 1
    return printed.err.removeprefix("can't backtest: ")


def test_a_model_that_is_right_is_kept(url: str, tmp_path: Path, capsys: Output) -> None:
    """The verdict is printed, and both files are written."""
    record(url)

    assert backtest(url, tmp_path, "--gate") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Keep the model."
    assert lines[-2].startswith("simulated 2023.12.31-00000001: 4,000 decisions, ")
    assert lines[-1] == f"see {tmp_path}/monitor.html and {tmp_path}/monitor.json"
    assert read(tmp_path).verdict.action == "keep"
    assert "Keep the model." in read_html((tmp_path / "monitor.html").read_text()).text


def test_a_model_that_is_off_closes_the_gate(url: str, tmp_path: Path, capsys: Output) -> None:
    """Exit code 1 with --gate, 0 without; the next command is told."""
    record(url, Change(week=10, default_rate=2.0))

    assert [backtest(url, tmp_path), backtest(url, tmp_path, "--gate")] == [0, 1]
    assert read(tmp_path).verdict.action == "recalibrate"
    change = read(tmp_path).verdict.since
    assert change is not None
    assert f"recalibrate --model FILE --decisions {url} --from {change}" in capsys.readouterr().out


def test_the_report_says_which_database_without_a_password(tmp_path: Path, postgresql_url: str) -> None:
    """Neither user nor password stands in it."""
    record(postgresql_url, weeks=2)
    secret = postgresql_url.replace("postgresql://", "postgresql://").replace("@", ":hunter2@")

    assert backtest(secret, tmp_path) == 0
    html = (tmp_path / "monitor.html").read_text()
    assert "hunter2" not in html
    assert postgresql_url.split("@")[-1].split("/")[0].split(":")[0] in html


def test_a_period_is_chosen(url: str, tmp_path: Path) -> None:
    """Days and months are of UTC, and the last one is included."""
    record(url, weeks=8)

    assert backtest(url, tmp_path, "--from", "2024-02", "--to", "2024-02-15") == 0
    found = read(tmp_path)
    assert (str(found.start)[:10], str(found.end)[:10]) == ("2024-02-01", "2024-02-15")


def test_the_performance_window_can_be_given(url: str, tmp_path: Path) -> None:
    """In days."""
    record(url, weeks=8)

    assert backtest(url, tmp_path, "--maturity", 30) == 0
    assert (read(tmp_path).maturity.days, read(tmp_path).maturity.window) == (30, 30)


def test_a_challenger_scores_the_recorded_applicants(url: str, tmp_path: Path) -> None:
    """As it would have in the shadow: costs and order are compared on the same applicants."""
    record(url, weeks=8)
    path = tmp_path / "challenger.onnx"
    path.write_bytes(CHALLENGER)

    assert backtest(url, tmp_path, "--challenger", path) == 0
    found = read(tmp_path).challenger
    assert found is not None
    assert (found.version, found.decisions) == (load_model(path).contract.version, 1_600)
    assert (found.trained, found.seen) == (load_model(path).contract.trained_at[:10], 0)


def test_a_challenger_trained_on_the_outcomes_is_not_recommended(
    url: str, tmp_path: Path, append_valid_checksum: Callable[[ModelProto], bytes]
) -> None:
    """It may have seen them, as a file that was recalibrated on them has."""
    record(url, weeks=30)
    path = tmp_path / "challenger.onnx"
    model = load_model(CHALLENGER)
    for trained_at, parent in (("2026-01-01T00:00:00Z", None), ("2026-01-01T00:00:00Z", "f" * 64)):
        contract = structs.replace(model.contract, trained_at=trained_at, parent=parent)
        proto = ModelProto.FromString(CHALLENGER)
        del proto.metadata_props[:]
        set_model_props(proto, write_contract(contract))
        path.write_bytes(append_valid_checksum(proto))
        assert backtest(url, tmp_path, "--challenger", path) == 0
        found = read(tmp_path)
        assert found.challenger is not None
        assert found.challenger.seen == found.challenger.outcomes > 0
        (told,) = [one for one in found.verdict.evidence if "The challenger" in one]
        assert "known before it was trained" in told
        assert "consider" not in told


def test_the_model_in_service_as_challenger_is_told(url: str, tmp_path: Path, capsys: Output) -> None:
    """There is nothing to compare it with."""
    record(url, weeks=8)
    path = tmp_path / "model.onnx"
    path.write_bytes(LENDER_CONTENT)

    assert backtest(url, tmp_path, "--challenger", path) == 0
    assert "is the model in service itself" in capsys.readouterr().out


def test_the_next_command_can_be_run_as_it_stands(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """The variable or the URL as given, but no password."""
    record(postgresql_url, weeks=8)
    monkeypatch.setenv("HERE", postgresql_url)
    (tmp_path / "model.onnx").write_bytes(LENDER_CONTENT)
    secret = postgresql_url.replace("@", ":hunter2@")
    for given, shown in (("HERE", "HERE"), (postgresql_url, postgresql_url), (secret, "URL")):
        assert backtest(given, tmp_path, "--model", tmp_path / "model.onnx", "--maturity", 90) == 0
        printed = capsys.readouterr().out
        assert f"backtest --decisions {shown} --model {tmp_path}/model.onnx --maturity 90 --gate" in printed
        assert "hunter2" not in printed


def test_the_next_command_keeps_the_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """The end as chosen, and the start of the decisions that the verdict rests on; the service's file."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    record(url, Change(week=8, default_rate=2.0), weeks=30)
    (tmp_path / "model.onnx").write_bytes(LENDER_CONTENT)
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "model.onnx"))
    monkeypatch.setenv("DECISIONS_URL", url)

    assert main(["backtest", "--from", "2024-01-02", "--to", "2024-06", "--out", str(tmp_path)]) == 0
    command = (
        f"recalibrate --model {tmp_path}/model.onnx --decisions DECISIONS_URL --from {read(tmp_path).verdict.since} "
    )
    assert f"{command}--to 2024-06-30\n" in capsys.readouterr().out


def test_an_erased_applicant_has_no_challenger_answer(url: str, tmp_path: Path, capsys: Output) -> None:
    """The inputs are gone, the decision still counts."""
    record(url, weeks=2)
    run_decisions(["erase", "--url", url, "--applicant", "applicant 3", "--yes"])
    path = tmp_path / "challenger.onnx"
    path.write_bytes(CHALLENGER)

    assert backtest(url, tmp_path, "--challenger", path) == 0
    found = read(tmp_path)
    assert found.challenger is not None
    assert (found.decisions, found.challenger.decisions, found.drift_decisions) == (400, 399, 400)


def test_a_forged_decision_stops_nothing(url: str, tmp_path: Path) -> None:
    """Whoever has the database can write anything there; `decisions verify` finds it."""
    record(url, weeks=2)
    for number, payload in enumerate(["x", "{}", '{"id":1,"inputs":[9]}', '{"id":1,"inputs":[9,9,9,9,9,9,99,-7]}']):
        tamper(
            url,
            "UPDATE records SET payload = :payload WHERE kind = 'decision' AND applicant = :applicant",
            payload=payload,
            applicant=f"applicant {number}",
        )
    path = tmp_path / "challenger.onnx"
    path.write_bytes(CHALLENGER)

    assert backtest(url, tmp_path, "--challenger", path) == 0


@pytest.mark.parametrize("count", [1, 40])
def test_a_record_without_outcomes_is_an_expectation(
    count: int, url: str, content: bytes, tmp_path: Path, capsys: Output
) -> None:
    """One decision suffices; a model without bins says that its drift isn't measured."""
    with closing(open_store(url)) as store:
        fill(store, content, count)

    assert backtest(url, tmp_path, "--gate") == 0
    text = read_html((tmp_path / "monitor.html").read_text()).text
    assert "No outcome is known yet" in text
    assert "An expectation, not a measurement" in text
    assert "Drift isn't measured" in text
    assert f"{count} decision" in capsys.readouterr().out


def test_a_database_user_who_may_only_read_suffices(postgresql_url: str, tmp_path: Path) -> None:
    """Such as an auditor's."""
    record(postgresql_url, weeks=2)
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute("CREATE ROLE auditor LOGIN")
        try:
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor")
            url = re.sub("//[^@/]*@", "//auditor@", postgresql_url)
            assert f"/{name}" in url
            assert backtest(url, tmp_path) == 0
        finally:
            connection.execute("DROP OWNED BY auditor")
            connection.execute("DROP ROLE auditor")


def test_a_file_that_may_only_be_read_suffices(tmp_path: Path) -> None:
    """The database isn't changed by a byte."""
    path = tmp_path / "decisions.db"
    record(f"sqlite:///{path}", weeks=2)
    before = path.read_bytes()

    assert backtest(f"sqlite:///{path}", tmp_path) == 0
    assert path.read_bytes() == before


def test_the_same_time_gives_the_same_bytes(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the files depends on anything but the record and the time."""
    record(url, weeks=2)
    monkeypatch.setattr(commands, "now", lambda: 1_800_000_000_000_000)

    for folder in ("one", "two"):
        assert backtest(url, tmp_path / folder) == 0
    for name in ("monitor.html", "monitor.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_url_is_that_of_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DECISIONS_URL, or the variable that it or the option names."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    record(url, weeks=2)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DECISIONS_URL", "DATABASE_URL")

    assert main(["backtest", "--out", str(tmp_path)]) == 0
    assert backtest("DATABASE_URL", tmp_path) == 0


def test_a_database_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """One that exists, with decisions, and with the schema of this version."""
    monkeypatch.delenv("DECISIONS_URL", raising=False)
    assert main(["backtest", "--out", str(tmp_path)]) == 2
    assert "DECISIONS_URL isn't set, expected the database of the service there or in --decisions" in find_error(capsys)

    assert backtest(f"sqlite:///{tmp_path}/none.db", tmp_path) == 2
    assert "there is no file" in find_error(capsys)

    assert backtest("postgresql://someone:hunter2@127.0.0.1:1/none", tmp_path) == 2
    error = capsys.readouterr().err
    assert "the database postgresql://127.0.0.1/none can't be used" in error
    assert "hunter2" not in error

    url = f"sqlite:///{tmp_path}/decisions.db"
    with closing(open_store(url)) as store:
        store.migrate()
    assert backtest(url, tmp_path) == 2
    assert "no decision is on record in sqlite:///" in find_error(capsys)

    tamper(url, "PRAGMA user_version = 1")
    assert backtest(url, tmp_path) == 2
    assert "run: python -m decisions migrate" in find_error(capsys)


def test_errors_name_what_is_expected(tmp_path: Path, content: bytes, capsys: Output) -> None:
    """Of files, folders and times; nothing is written."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    record(url, weeks=2)
    out, other, broken = tmp_path / "out", tmp_path / "other.onnx", tmp_path / "broken.onnx"
    other.write_bytes(content)
    broken.write_bytes(b"nothing")
    expected: dict[str, Callable[[], int]] = {
        "expected an end after its start": lambda: backtest(url, out, "--from", "2024-02", "--to", "2024-01"),
        "no decision is on record": lambda: backtest(url, out, "--from", "2031-01"),
        "made no decision of the period": lambda: backtest(url, out, "--model", other),
        "broken.onnx can't be used": lambda: backtest(url, out, "--model", broken),
        "none.onnx can't be used": lambda: backtest(url, out, "--challenger", tmp_path / "none.onnx"),
        "can't score the applicants on record": lambda: backtest(url, out, "--challenger", other),
        "expected a folder to write to": lambda: backtest(url, broken),
    }

    for message, run in expected.items():
        assert run() == 2
        assert message in find_error(capsys)
    assert list(out.iterdir()) == []


def test_wrong_options_are_usage_errors(capsys: Output) -> None:
    """With the form that is expected."""
    for arguments in (["--from", "yesterday"], ["--maturity", "0"], ["--maturity", "a year"]):
        with pytest.raises(SystemExit, match="2"):
            main(["backtest", *arguments])
        assert "expected" in capsys.readouterr().err


def test_an_interruption_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """Exit code 130; the files of an earlier run stay as they were."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    record(url, weeks=2)
    out = tmp_path / "out"
    assert backtest(url, out) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("msgspec.json.format", interrupt)

    assert backtest(url, out) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_it_runs_with_what_the_service_has(tmp_path: Path, root: Path) -> None:
    """As on the platform: no pandas, no scipy, no jinja2 is imported."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    record(url, weeks=2)
    code = (
        "import sys; from monitor.__main__ import main; code = main(sys.argv[1:]); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & set('pandas scipy sklearn onnx jinja2 "
        "matplotlib duckdb pyarrow train serve starlette'.split()))); sys.exit(code)"
    )
    arguments = ["backtest", "--decisions", url, "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=root, env=dict(os.environ)
    )

    assert done.stderr == ""
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]")


def test_the_json_is_that_of_any_reader(tmp_path: Path) -> None:
    """Unknown figures are null, as JSON has no NaN."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    record(url, weeks=2)
    assert backtest(url, tmp_path) == 0

    text = (tmp_path / "monitor.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["model"]["name"] == "simulated"
