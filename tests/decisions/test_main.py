"""`python -m decisions`: what each command prints, and its exit code."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from pyarrow import Table, parquet

from decisions.__main__ import main
from decisions.chain import Chain
from decisions.commands import COMMANDS
from decisions.record import make_decisions
from decisions.schema import SCHEMA_VERSION
from decisions.store import open_store
from decisions.terminal import show_progress
from tests.decisions.filled import COUNT, fill_url, read_url, run, tamper
from tests.decisions.samples import MODEL, NOW, make_answer

UNKNOWN = "01a22195-7424-75f7-98c9-44af1295f043"

READING = ("verify", "replay", "export", "outcomes", "erase", "prune")


@pytest.fixture
def filled(url: str, content: bytes) -> str:
    """A database with COUNT decisions of the small model."""
    fill_url(url, content)
    return url


def arguments(name: str, folder: Path) -> list[str]:
    """What a command needs."""
    table = folder / "outcomes.csv"
    table.write_text("applicant,date,defaulted\nA,2026-07-01,true\n")
    return {
        "export": ["--out", str(folder / "d.parquet")],
        "outcomes": [str(table)],
        "erase": ["--applicant", "A", "--yes"],
        "prune": ["--older-than", "3y", "--yes"],
    }.get(name, [])


def test_the_schema_is_created_and_updated(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A second time changes nothing."""
    assert [run(url, "migrate"), run(url, "migrate")] == [0, 0]
    assert capsys.readouterr().out == f"the database has schema version {SCHEMA_VERSION}\n" * 2


def test_a_release_without_a_database_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Decisions aren't recorded then."""
    monkeypatch.delenv("DECISIONS_URL", raising=False)

    assert main(["migrate"]) == 0
    assert "decisions aren't recorded" in capsys.readouterr().out


def test_the_url_may_stand_in_a_variable(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--url NAME`, as in DECISIONS_URL; a message names the option."""
    monkeypatch.setenv("RECORD_URL", url)
    assert [run("RECORD_URL", name) for name in ("migrate", "verify")] == [0, 0]

    assert [run("NONE_URL", name) for name in ("migrate", "verify")] == [2, 2]
    errors = capsys.readouterr().err.splitlines()
    assert [line.count("--url is 'NONE_URL', and no variable of that name is set") for line in errors] == [1, 1]


@pytest.mark.parametrize("name", READING)
def test_other_commands_need_a_database(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its URL, and its file, which they don't create."""
    monkeypatch.delenv("DECISIONS_URL", raising=False)
    assert main([name, *arguments(name, tmp_path)]) == 2
    assert "DECISIONS_URL isn't set" in capsys.readouterr().err

    monkeypatch.setenv("DECISIONS_URL", f"sqlite:///{tmp_path}/none.db")
    assert main([name, *arguments(name, tmp_path)]) == 2
    assert "there is no file" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("name", READING)
def test_other_commands_need_the_schema(
    name: str, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty database, and one of a newer version of the code."""
    open_store(url).close()
    assert run(url, name, *arguments(name, tmp_path)) == 2
    assert "python -m decisions migrate" in capsys.readouterr().err

    assert run(url, "migrate") == 0
    tamper(
        url, "UPDATE schema_version SET version = 99" if url.startswith("postgresql") else "PRAGMA user_version = 99"
    )
    assert run(url, name, *arguments(name, tmp_path)) == 2
    assert "schema version 99" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "code"), [("verify", 0), ("replay", 0), ("export", 0), ("prune", 0), ("erase", 2)])
def test_a_database_without_records_is_no_fault(url: str, tmp_path: Path, name: str, code: int) -> None:
    """There is nothing to erase, which is most likely a misspelt id."""
    run(url, "migrate")

    assert run(url, name, *arguments(name, tmp_path)) == code


def test_a_server_that_isnt_there_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the password."""
    assert run("postgresql://user:secret@127.0.0.1:1/none", "verify") == 2
    told = capsys.readouterr().err

    assert "can't verify: the database postgresql://127.0.0.1/none can't be used" in told
    assert "secret" not in told


def test_verify_prints_what_it_has_checked(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And every fault, in a line."""
    assert run(filled, "verify") == 0
    line = f"{COUNT} records in 1 chain, 1 model file: 0 faults (0 erased records, 0 deletions by age)\n"
    assert capsys.readouterr().out == line

    record = read_url(filled)[3]
    tamper(filled, "UPDATE records SET points = points + 1 WHERE id = :id", id=record.id)
    assert run(filled, "verify") == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"chain {record.chain}, record 4, {record.id}: changed")
    assert "1 fault (" in last


def test_a_seal_is_written_and_compared(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A database that was made anew is whole, and isn't the one that was sealed."""
    seal = tmp_path / "seal.json"
    last = read_url(filled)[-1]
    assert run(filled, "verify", "--write-seal", seal) == 0
    assert [(one["sequence"], one["hash"]) for one in json.loads(seal.read_text())["chains"]] == [
        (COUNT, last.hash.hex())
    ]
    assert run(filled, "verify", "--against", seal) == 0

    tamper(filled, "DELETE FROM records")
    tamper(filled, "DELETE FROM chains")
    capsys.readouterr()
    assert run(filled, "verify") == 0
    assert run(filled, "verify", "--against", seal, "--write-seal", tmp_path / "other.json") == 1
    assert f"chain {last.chain}, record {COUNT}: missing: the seal names it" in capsys.readouterr().out
    assert not (tmp_path / "other.json").exists()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b'{"time":"","chains":[{"chain":1,"sequence":1,"hash":"zz"}]}']
)
def test_what_is_no_seal_is_refused(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was expected."""
    url, path = f"sqlite:///{tmp_path}/d.db", tmp_path / "seal.json"
    path.write_bytes(content)
    run(url, "migrate")

    assert run(url, "verify", "--against", path) == 2
    assert "is no seal, expected a file of verify --write-seal" in capsys.readouterr().err
    assert run(url, "verify", "--against", tmp_path / "none") == 2


def test_replay_reports(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A decision that differs is named, with both answers; the report has the same as JSON."""
    report = tmp_path / "report.json"
    assert run(filled, "replay", "--report", report, "--to", "2026-05-28") == 0
    line = f"{COUNT} decisions by 1 model file: {COUNT} identical to the bit, 0 different, 0 erased\n"
    assert capsys.readouterr().out == line

    record = read_url(filled)[3]
    tamper(filled, "UPDATE records SET points = points + 1 WHERE id = :id", id=record.id)
    assert run(filled, "replay", "--report", report) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{record.id}: on record {record.probability!r}, {record.decision}, ")
    assert last == f"{COUNT} decisions by 1 model file: {COUNT - 1} identical to the bit, 1 different, 0 erased"
    told = json.loads(report.read_text())
    assert (told["different"], [one["id"] for one in told["differences"]]) == (1, [record.id])


@pytest.mark.parametrize(
    "period", [("--from", "2026-13"), ("--to", "yesterday"), ("--from", "2026-05", "--to", "2026-04")]
)
@pytest.mark.parametrize("name", ["replay", "export"])
def test_a_wrong_period_is_refused(tmp_path: Path, name: str, period: tuple[str, ...]) -> None:
    """Before anything is read."""
    url = f"sqlite:///{tmp_path}/d.db"
    run(url, "migrate")
    try:
        code = run(url, name, *arguments(name, tmp_path), *period)
    except SystemExit as error:
        code = int(str(error.code))

    assert code == 2


def test_export_writes_a_file(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a period."""
    path = tmp_path / "d.parquet"

    assert run(filled, "export", "--out", path, "--from", "2026-05-28", "--to", "2026-05-28") == 0
    assert capsys.readouterr().out == f"{COUNT} decisions in {path}\n"
    assert parquet.read_table(path).num_rows == COUNT


def test_export_needs_to_know_what(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file, an applicant that is on record, a folder that exists."""
    assert run(filled, "export") == 2
    assert "expected --out" in capsys.readouterr().err
    assert run(filled, "export", "--applicant", "nobody") == 2
    assert "nothing is on record of applicant 'nobody'" in capsys.readouterr().err
    assert run(filled, "export", "--out", tmp_path / "none" / "d.parquet") == 2
    assert "can't export: " in capsys.readouterr().err


def test_an_applicant_is_told_what_is_held(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the screen, or in a file."""
    path = tmp_path / "a.jsonl"
    assert run(filled, "export", "--applicant", "applicant 3") == 0
    printed = capsys.readouterr().out
    assert run(filled, "export", "--applicant", "applicant 3", "--out", path) == 0

    assert json.loads(printed)["applicant"] == "applicant 3"
    assert path.read_text() == printed


def test_outcomes_are_recorded_once(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a table in any dialect, by decision or by applicant."""
    first = read_url(filled)[0].id
    table = tmp_path / "outcomes.csv"
    table.write_text(
        "decision_id;applicant;date;defaulted;amount_lost;note\r\n"
        f"{first};applicant 9;2026-07-01;TRUE;1.200,50;x\r\n"
        ";applicant 1;2026-07-01;no;;\r\n"
        ";applicant 2;2026-07-01;1;0;\r\n",
        encoding="utf-16",
    )
    assert run(filled, "outcomes", table) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("3 outcomes recorded, 0 known already, 0 bad\n", "ignored columns: note\n")
    assert run(filled, "outcomes", table) == 0
    assert capsys.readouterr().out == "0 outcomes recorded, 3 known already, 0 bad\n"
    found = {record.subject: record.payload for record in read_url(filled) if record.kind == "outcome"}
    assert found[first] == '{"date":"2026-07-01","defaulted":true,"amount_lost":1200.5}'
    assert len(found) == 3


def test_outcomes_in_parquet(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With columns of their own types."""
    from datetime import date

    rows = {
        "applicant": ["applicant 1", "applicant 2", None],
        "date": [date(2026, 7, 1), date(2026, 7, 2), date(2026, 7, 2)],
        "defaulted": [True, False, True],
        "amount_lost": [10.5, None, 3.0],
    }
    path = tmp_path / "o.parquet"
    parquet.write_table(Table.from_pydict(rows), path)

    assert run(filled, "outcomes", path) == 2
    assert "line 3: expected either a decision_id or an applicant" in capsys.readouterr().err
    assert run(filled, "outcomes", path, "--skip-bad") == 0
    assert capsys.readouterr().out == "2 outcomes recorded, 0 known already, 1 bad\n"


def test_bad_lines_are_listed_and_nothing_is_recorded(
    filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless they are skipped."""
    table = tmp_path / "outcomes.csv"
    table.write_text(
        "applicant,date,defaulted,amount_lost\n"
        "applicant 1,2026-07-01,true,5\n"
        "applicant 1,2026-07-01,perhaps,5\n"
        "applicant 1,2026-07-01,true,much\n"
        "applicant 1,01.07.2026,true,5\n"
        "somebody,2026-07-01,true,5\n"
        "applicant 1,2026-07-01\n"
    )
    assert run(filled, "outcomes", table) == 2
    *lines, last = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["line 3", "line 4", "line 5", "line 6", "line 7"]
    assert "has 5 bad lines, so that nothing is recorded" in last
    assert len(read_url(filled)) == COUNT

    assert run(filled, "outcomes", table, "--skip-bad") == 0
    assert capsys.readouterr().out == "1 outcome recorded, 0 known already, 5 bad\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("o.csv", b"", "is empty"),
        ("o.csv", b"applicant,defaulted\nA,true\n", "has no column date"),
        ("o.csv", b"date,defaulted\n2026-07-01,true\n", "decision_id or applicant"),
        ("o.csv", b"date,date,applicant,defaulted\n", "several columns 'date'"),
        ("o.parquet", b"PAR1", "can't be read as Parquet"),
    ],
)
def test_a_table_that_has_no_outcomes_is_refused(
    tmp_path: Path, name: str, content: bytes, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what is wrong."""
    url, path = f"sqlite:///{tmp_path}/d.db", tmp_path / name
    path.write_bytes(content)
    run(url, "migrate")

    assert run(url, "outcomes", path) == 2
    assert expected in capsys.readouterr().err
    assert run(url, "outcomes", tmp_path / "none.csv") == 2


def test_erasing_shows_what_and_leaves_the_chains_whole(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Replay calls it erased."""
    record = read_url(filled)[3]

    assert run(filled, "erase", "--applicant", "applicant 3", "--yes") == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert (first, second) == (
        f"decision {record.id} of 2026-05-28T20:26:40.000000Z",
        "erased the personal data of 1 record",
    )
    assert run(filled, "verify") == 0
    assert run(filled, "replay") == 0
    assert capsys.readouterr().out.endswith(f"{COUNT - 1} identical to the bit, 0 different, 1 erased\n")
    assert run(filled, "erase", "--applicant", "applicant 3", "--yes") == 2


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("yes\n", 0), ("\n", 2), ("n\n", 2), ("", 2)])
@pytest.mark.parametrize("command", [("erase", "--applicant", "applicant 3"), ("prune", "--older-than", "1d")])
def test_nothing_is_changed_without_a_yes(
    filled: str, command: tuple[str, ...], typed: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end of the input is none either."""
    before = read_url(filled)
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    assert run(filled, *command) == code
    assert (read_url(filled) == before) == (code == 2)


def test_where_nobody_can_be_asked_yes_is_an_option(
    filled: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script must say so."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    assert run(filled, "erase", "--applicant", "applicant 3") == 2
    assert "add --yes" in capsys.readouterr().err


def test_pruning_says_in_advance_what_goes(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    """How many of what, from when to when."""
    with closing(open_store(filled)) as store:
        Chain(store).append(make_decisions(replace(make_answer("late", time=NOW + 10**15)), None, None))
        store.put_model(MODEL, NOW)
    assert run(filled, "prune", "--older-than", "1d", "--yes") == 0
    first, second, *_ = capsys.readouterr().out.splitlines()

    moment = "2026-05-28T20:26:40.000000Z"
    assert (first, second) == (f"{COUNT} decisions from {moment} to {moment}", f"deleted {COUNT} records")
    assert [record.kind for record in read_url(filled)].count("decision") == 1
    assert run(filled, "verify") == 0
    assert run(filled, "prune", "--older-than", "1d", "--yes") == 0
    assert "nothing is from before" in capsys.readouterr().out


@pytest.mark.parametrize("age", ["26", "1w", "99999y"])
def test_a_wrong_age_is_refused(age: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the database is opened."""
    with pytest.raises(SystemExit, match="2"):
        run("sqlite:///none.db", "prune", "--older-than", age)

    assert "the age is" in capsys.readouterr().err


def test_an_interruption_is_told(
    filled: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the exit code of a shell; nothing is half done."""

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("decisions.commands.replay_all", interrupt)

    assert run(filled, "replay") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_progress_is_shown_to_a_person_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is gone when it's done; without rich nothing is shown."""
    shown, plain = Terminal(), io.StringIO()
    for stream in (shown, plain):
        monkeypatch.setattr(sys, "stderr", stream)
        with show_progress("replaying", 10) as progress:
            progress(10)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    bare = Terminal()
    monkeypatch.setattr(sys, "stderr", bare)
    with show_progress("replaying", 10) as progress:
        progress(10)

    assert "replaying" in shown.getvalue()
    assert (plain.getvalue(), bare.getvalue()) == ("", "")


def test_every_command_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())

    assert [command.name for command in COMMANDS if f"{command.name} {command.help}" not in told] == []


def test_it_needs_no_library_of_the_exports_to_start(tmp_path: Path, root: Path) -> None:
    """The deployed service has neither pyarrow nor rich, and runs it as its release step."""
    program = (
        "import sys; sys.modules['pyarrow'] = sys.modules['rich'] = None; from decisions.__main__ import main; "
        "sys.exit(main(['migrate']) or main(['verify']))"
    )
    environment = {**os.environ, "DECISIONS_URL": f"sqlite:///{tmp_path}/d.db"}
    done = subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
